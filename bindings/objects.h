// Python objects as the interpreter's C interface hands them out.
#pragma once

#include <nanobind/nanobind.h>

#include "gil.h"

// What `make` returns, a new reference, owned; the Python error where it made nothing. It may run
// Python, as whatever makes an object does: the collector runs in between.
template <class Make>
nanobind::object taken(const Make& make) {
  PyObject* const made = safely(make);
  if (made == nullptr) throw nanobind::python_error();
  return nanobind::steal(made);
}

// What calling `function` with `given` returns.
template <class... Given>
nanobind::object called(nanobind::handle function, const Given&... given) {
  PyObject* const arguments[] = {given.ptr()..., nullptr};
  return taken(
      [&] { return PyObject_Vectorcall(function.ptr(), arguments, sizeof...(given), nullptr); });
}

template <class... Item>
nanobind::object tuple_of(const Item&... items) {
  return taken([&] { return PyTuple_Pack(sizeof...(items), items.ptr()...); });
}

// A name that is looked up often.
class Name {
 public:
  Name(const char* text) : object_(taken([&] { return PyUnicode_InternFromString(text); })) {}
  PyObject* ptr() const { return object_.ptr(); }
  operator nanobind::handle() const { return object_; }

 private:
  nanobind::object object_;
};

inline nanobind::object imported(const char* module) {
  return taken([&] { return PyImport_ImportModule(module); });
}

inline nanobind::object attribute(nanobind::handle object, nanobind::handle name) {
  return taken([&] { return PyObject_GetAttr(object.ptr(), name.ptr()); });
}
