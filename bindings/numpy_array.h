// NumPy arrays read in place, without NumPy's headers and without asking for a buffer, which would
// allocate one description a call.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <initializer_list>

#include "objects.h"

namespace numpy {

// The head of every array, as NumPy's C interface lays it out (PyArrayObject_fields): macros
// compiled into extensions read it there, so that no release of NumPy 1 or 2 may rearrange it.
struct Array {
  PyObject_HEAD;
  void* data;
  int ndim;
  Py_ssize_t* shape;
  Py_ssize_t* strides;
  PyObject* base;
  PyObject* dtype;
  int flags;
};

inline constexpr int kDense = 0x0001, kAligned = 0x0100, kWriteable = 0x0400;

// Reads and makes arrays of exactly one class and one element type: those of an example.
class Reader {
 public:
  // `example` must be of two axes and writeable. Throws where NumPy lays out arrays in another way.
  explicit Reader(nanobind::object example)
      : example_(std::move(example)), empty_(attribute(imported("numpy"), Name("empty"))) {
    Py_buffer buffer;
    if (PyObject_GetBuffer(example_.ptr(), &buffer, PyBUF_ND | PyBUF_WRITABLE) != 0)
      throw nanobind::python_error();
    const void* const data = buffer.buf;
    const std::int64_t rows = buffer.ndim == 2 ? buffer.shape[0] : -1;
    const std::int64_t width = buffer.ndim == 2 ? buffer.shape[1] : -1;
    PyBuffer_Release(&buffer);
    const nanobind::object dtype = example_.attr("dtype");
    if (head(example_).dtype != dtype.ptr() || open(example_, {rows, width}, true) != data)
      throw nanobind::import_error("NumPy lays out its arrays in an unknown way");
  }

  // Where the elements of `array` are, if it is of the example's class and type, of this shape,
  // dense and aligned, and writeable where that is asked; else null.
  void* open(nanobind::handle array, std::initializer_list<std::int64_t> shape,
             bool write = false) const {
    if (Py_TYPE(array.ptr()) != Py_TYPE(example_.ptr())) return nullptr;
    const Array& a = head(array);
    const int flags = kDense | kAligned | (write ? kWriteable : 0);
    if (a.dtype != head(example_).dtype || (a.flags & flags) != flags) return nullptr;
    if (a.ndim != static_cast<int>(shape.size())) return nullptr;
    for (int axis = 0; axis < a.ndim; ++axis)
      if (a.shape[axis] != shape.begin()[axis]) return nullptr;
    return a.data;
  }

  // A new array (rows, width) of the example's type, its elements not set.
  nanobind::object empty(std::int64_t rows, std::int64_t width) const {
    const nanobind::object shape = tuple_of(nanobind::int_(rows), nanobind::int_(width));
    return called(empty_, shape, nanobind::handle(head(example_).dtype));
  }

  // Where the elements of an array are that `empty` made.
  static void* data(nanobind::handle made) { return head(made).data; }

  // The rows of an array of two axes, else -1.
  std::int64_t rows(nanobind::handle array) const {
    if (Py_TYPE(array.ptr()) != Py_TYPE(example_.ptr())) return -1;
    return head(array).ndim == 2 ? head(array).shape[0] : -1;
  }

 private:
  static const Array& head(nanobind::handle array) {
    return *reinterpret_cast<const Array*>(array.ptr());
  }

  nanobind::object example_, empty_;
};

}  // namespace numpy
