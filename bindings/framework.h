// What only the framework itself can say of its tensors and of the moment, asked from C.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

#include "objects.h"

// Answers are Python's: a method that raises throws, unless it is said otherwise.
class Framework {
 public:
  // `answers` has the attributes that are read here; `_kernel.pyi` says what each is.
  explicit Framework(const nanobind::object& answers)
      : negated_(answers.attr("negated")),
        recording_(answers.attr("recording")),
        modes_(nanobind::cast<nanobind::tuple>(answers.attr("modes"))),
        must_run_(answers.attr("must_run")),
        dual_(nanobind::cast<nanobind::dict>(answers.attr("dual"))),
        empty_like_(answers.attr("empty_like")),
        new_empty_(answers.attr("new_empty")),
        contiguous_(answers.attr("contiguous")) {}

  // Whether the framework's own operators must compute now: False in everyday life, True where they
  // may at once, None where something else has to see the call. Rarely, so what is cheap is asked
  // first.
  nanobind::object must_run() const {
    PyObject* const level = PyDict_GetItemWithError(dual_.ptr(), level_.ptr());
    bool quiet = level != nullptr && PyLong_Check(level) && PyLong_AsLong(level) < 0;
    for (nanobind::handle mode : modes_) quiet = quiet && !truth(called(mode));
    return quiet ? nanobind::borrow(Py_False) : called(must_run_);
  }

  bool recording() const { return truth(called(recording_)); }

  bool negated(nanobind::handle tensor) const { return truth(called(negated_, tensor)); }

  bool requires_grad(nanobind::handle tensor) const {
    return attribute(tensor, requires_grad_).ptr() == Py_True;
  }

  nanobind::object empty_like(nanobind::handle tensor) const { return called(empty_like_, tensor); }

  nanobind::object new_empty(nanobind::handle like, std::int64_t width) const {
    return called(new_empty_, like, nanobind::int_(width));
  }

  nanobind::object new_empty(nanobind::handle like, std::int64_t rows, std::int64_t width) const {
    const nanobind::int_ sizes[] = {nanobind::int_(rows), nanobind::int_(width)};
    return called(new_empty_, like, sizes[0], sizes[1]);
  }

  nanobind::object contiguous(nanobind::handle tensor) const { return called(contiguous_, tensor); }

 private:
  static bool truth(const nanobind::object& answer) {
    const int truth = safely([&] { return PyObject_IsTrue(answer.ptr()); });
    if (truth < 0) throw nanobind::python_error();
    return truth != 0;
  }

  nanobind::object negated_, recording_;
  nanobind::tuple modes_;
  nanobind::object must_run_;
  nanobind::dict dual_;
  nanobind::object empty_like_, new_empty_, contiguous_;
  Name requires_grad_{"requires_grad"}, level_{"_current_level"};
};
