// One step of the cell on NumPy arrays, found and checked in one call from Python.
#include "arrays.h"

#include <cstring>
#include <initializer_list>

#include "onecell/cell.h"

namespace nb = nanobind;

namespace {

// The memory of an array, held for the length of a call.
class Held {
 public:
  Held() = default;
  ~Held() {
    if (held_) PyBuffer_Release(&buffer_);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  bool open(nb::handle array, int flags) {
    held_ = PyObject_GetBuffer(array.ptr(), &buffer_, PyBUF_ND | PyBUF_FORMAT | flags) == 0;
    if (!held_) PyErr_Clear();  // strided, say: the caller has another way for such
    return held_;
  }

  // Whether it has `rows` rows of `width` elements of the type written `format`, aligned.
  bool is(const char* format, std::int64_t rows, std::int64_t width) const {
    return buffer_.ndim == 2 && buffer_.shape[0] == rows && buffer_.shape[1] == width &&
           buffer_.format != nullptr && std::strcmp(buffer_.format, format) == 0 &&
           reinterpret_cast<std::uintptr_t>(buffer_.buf) % buffer_.itemsize == 0;
  }

  std::int64_t rows() const { return buffer_.ndim == 2 ? buffer_.shape[0] : -1; }

  template <class T>
  T* data() const {
    return static_cast<T*>(buffer_.buf);
  }

 private:
  Py_buffer buffer_ = {};
  bool held_ = false;
};

// The step of one cell, whose parameters stay where they are for as long as it lives.
template <class T>
class ArrayStep {
 public:
  ArrayStep(nb::type_object array, std::int64_t input_size, std::int64_t hidden_size,
            std::uintptr_t weight_ih, std::uintptr_t weight_hh, std::uintptr_t bias_ih,
            std::uintptr_t bias_hh)
      : array_(std::move(array)), cell_{} {
    cell_.steps = 1;
    cell_.input_size = input_size;
    cell_.hidden_size = hidden_size;
    cell_.weight_ih = reinterpret_cast<const T*>(weight_ih);
    cell_.weight_hh = reinterpret_cast<const T*>(weight_hh);
    cell_.bias_ih = reinterpret_cast<const T*>(bias_ih);
    cell_.bias_hh = reinterpret_cast<const T*>(bias_hh);
  }

  // Compute the step of x (N, I), h and c (N, H) into h_next and c_next (N, H); false where any is
  // not a dense, aligned array of this shape and type, and then nothing was done.
  bool step(nb::handle x, nb::handle h, nb::handle c, nb::handle h_next, nb::handle c_next) const {
    constexpr const char* format = sizeof(T) == 4 ? "f" : "d";
    for (nb::handle array : {x, h, c, h_next, c_next})
      if (reinterpret_cast<PyObject*>(Py_TYPE(array.ptr())) != array_.ptr()) return false;
    Held held[5];
    if (!held[0].open(x, 0) || !held[1].open(h, 0) || !held[2].open(c, 0) ||
        !held[3].open(h_next, PyBUF_WRITABLE) || !held[4].open(c_next, PyBUF_WRITABLE))
      return false;
    onecell::Forward<T> call = cell_;
    call.batch = held[0].rows();
    if (!held[0].is(format, call.batch, call.input_size)) return false;
    for (int state = 1; state < 5; ++state)
      if (!held[state].is(format, call.batch, call.hidden_size)) return false;
    call.x = held[0].template data<const T>();
    call.h = held[1].template data<const T>();
    call.c = held[2].template data<const T>();
    call.h_all = held[3].template data<T>();
    call.c_all = held[4].template data<T>();
    const nb::gil_scoped_release released;
    onecell::unroll(call);
    return true;
  }

 private:
  nb::type_object array_;
  onecell::Forward<T> cell_;
};

template <class T>
void define(nb::module_& m, const char* name) {
  using Class = ArrayStep<T>;
  using Address = std::uintptr_t;
  nb::class_<Class>(m, name)
      .def(nb::init<nb::type_object, std::int64_t, std::int64_t, Address, Address, Address,
                    Address>())
      .def("step", &Class::step, nb::arg().none(), nb::arg().none(), nb::arg().none(),
           nb::arg().none(), nb::arg().none());
}

}  // namespace

void define_arrays(nb::module_& m) {
  define<float>(m, "ArrayStepF32");
  define<double>(m, "ArrayStepF64");
}
