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

  // Whether the framework's own operators must compute now: rarely, so what is cheap is asked
  // first.
  bool must_run() const {
    PyObject* const level = PyDict_GetItemWithError(dual_.ptr(), level_.ptr());
    bool quiet = level != nullptr && PyLong_Check(level) && PyLong_AsLong(level) < 0;
    for (nanobind::handle mode : modes_) quiet = quiet && !truth(mode.ptr(), nullptr, 0);
    return !quiet && truth(must_run_.ptr(), nullptr, 0);
  }

  bool recording() const { return truth(recording_.ptr(), nullptr, 0); }

  bool negated(nanobind::handle tensor) const {
    PyObject* arguments[] = {tensor.ptr()};
    return truth(negated_.ptr(), arguments, 1);
  }

  bool requires_grad(nanobind::handle tensor) const {
    return taken(PyObject_GetAttr(tensor.ptr(), requires_grad_.ptr())).ptr() == Py_True;
  }

  // Whether the gradient by a tensor that requires one would be its own, not an earlier tensor's.
  bool is_leaf(nanobind::handle tensor) const {
    return taken(PyObject_GetAttr(tensor.ptr(), is_leaf_.ptr())).ptr() == Py_True;
  }

  nanobind::object empty_like(nanobind::handle tensor) const {
    PyObject* arguments[] = {tensor.ptr()};
    return taken(PyObject_Vectorcall(empty_like_.ptr(), arguments, 1, nullptr));
  }

  nanobind::object new_empty(nanobind::handle like, std::int64_t rows, std::int64_t width) const {
    const nanobind::int_ sizes[] = {nanobind::int_(rows), nanobind::int_(width)};
    PyObject* arguments[] = {like.ptr(), sizes[0].ptr(), sizes[1].ptr()};
    return taken(PyObject_Vectorcall(new_empty_.ptr(), arguments, 3, nullptr));
  }

  nanobind::object contiguous(nanobind::handle tensor) const {
    PyObject* arguments[] = {tensor.ptr()};
    return taken(PyObject_Vectorcall(contiguous_.ptr(), arguments, 1, nullptr));
  }

 private:
  static bool truth(PyObject* question, PyObject* const* arguments, std::size_t count) {
    const nanobind::object answer = taken(PyObject_Vectorcall(question, arguments, count, nullptr));
    const int truth = PyObject_IsTrue(answer.ptr());
    if (truth < 0) throw nanobind::python_error();
    return truth != 0;
  }

  nanobind::object negated_, recording_;
  nanobind::tuple modes_;
  nanobind::object must_run_;
  nanobind::dict dual_;
  nanobind::object empty_like_, new_empty_, contiguous_;
  Name requires_grad_{"requires_grad"}, is_leaf_{"is_leaf"}, level_{"_current_level"};
};
