// Python objects as the interpreter's C interface hands them out.
#pragma once

#include <nanobind/nanobind.h>

#include <array>

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

// The two items, borrowed, of a tuple or list of two, subclasses not included; else neither.
inline std::array<nanobind::handle, 2> pair_of(nanobind::handle object) {
  PyObject* const pair = object.ptr();
  if (PyTuple_CheckExact(pair) && PyTuple_Size(pair) == 2)
    return {PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1)};
  if (PyList_CheckExact(pair) && PyList_Size(pair) == 2)
    return {PyList_GetItem(pair, 0), PyList_GetItem(pair, 1)};
  return {};
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
