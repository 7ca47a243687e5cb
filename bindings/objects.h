// Python objects as the interpreter's C interface hands them out.
#pragma once

#include <nanobind/nanobind.h>

// What a call has made, owned; the Python error where it made nothing.
inline nanobind::object taken(PyObject* made) {
  if (made == nullptr) throw nanobind::python_error();
  return nanobind::steal(made);
}

// A name that is looked up often.
class Name {
 public:
  Name(const char* text) : object_(taken(PyUnicode_InternFromString(text))) {}
  PyObject* ptr() const { return object_.ptr(); }

 private:
  nanobind::object object_;
};
