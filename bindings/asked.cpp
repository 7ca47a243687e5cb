// One step of the cell on tensors that can only be asked what they are, MindSpore's: found,
// checked and computed in one call from Python.
//
// Such tensors show nothing to C, so each of seven is asked five questions. From here a question
// costs its answer alone, without the interpreter around it.
#include "asked.h"

#include <array>
#include <cstdint>
#include <stdexcept>

#include "numpy_array.h"
#include "objects.h"
#include "onecell/cell.h"

namespace nb = nanobind;

namespace {

using Size = std::int64_t;
using Address = std::uintptr_t;

enum Place { kWeightIh, kWeightHh, kBiasIh, kBiasHh, kX, kH, kC, kPlaces };

// A size that is an ordinary int and such that 4 H does not overflow, else 0.
Size size_of(nb::handle number) {
  constexpr Size kLargest = Size{1} << 40;
  if (!PyLong_CheckExact(number.ptr())) return 0;
  int overflow = 0;
  const Size size = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  return overflow != 0 || size < 1 || size > kLargest ? 0 : size;
}

class AskedStep {
 public:
  // `questions` are what the classes' base answers: element type, shape and device as descriptors,
  // whether it is dense and its address as methods. `adopt` makes a tensor of an array. `float32`
  // and `float64` are the element types, each an object that there is only one of.
  AskedStep(nb::type_object tensor, nb::type_object parameter, nb::tuple questions,
            nb::object adopt, nb::object float32, nb::object float64, nb::object example32,
            nb::object example64)
      : tensor_(std::move(tensor)),
        parameter_(std::move(parameter)),
        questions_(std::move(questions)),
        adopt_(std::move(adopt)),
        float32_(std::move(float32)),
        float64_(std::move(float64)),
        reader32_(std::move(example32)),
        reader64_(std::move(example64)) {
    if (questions_.size() != 5) throw nb::value_error("five questions are asked");
    for (int question = 0; question < 3; ++question) {
      describe_[question] = reinterpret_cast<descrgetfunc>(
          PyType_GetSlot(Py_TYPE(questions_[question].ptr()), Py_tp_descr_get));
      if (describe_[question] == nullptr) throw nb::type_error("a question is no descriptor");
    }
  }

  // The step (h', c') of `cell` from x (N, I) and the pair hx = (h, c), each (N, H); None where
  // anything is not of exactly the two classes, one element type, these shapes, dense, aligned and
  // in ordinary memory. An error that a tensor answers with is passed on.
  nb::object step(nb::handle cell, nb::handle x, nb::handle hx) const {
    const auto [h, c] = pair_of(hx);
    if (!h.is_valid()) return nb::none();
    // Held for the whole call: with the GIL released others may replace a parameter.
    std::array<nb::object, kPlaces> held;
    held[kX] = nb::borrow(x);
    held[kH] = nb::borrow(h);
    held[kC] = nb::borrow(c);
    const nb::object parameters = attribute(cell, parameters_);
    const Size width = size_of(attribute(cell, input_size_));
    const Size hidden = size_of(attribute(cell, hidden_size_));
    if (!PyDict_Check(parameters.ptr()) || width == 0 || hidden == 0) return nb::none();
    for (int place = 0; place < kX; ++place) {
      PyObject* const found = PyDict_GetItemWithError(parameters.ptr(), names_[place].ptr());
      if (found == nullptr && PyErr_Occurred()) throw nb::python_error();
      if (found != nullptr && found != Py_None) held[place] = nb::borrow(found);
    }
    const bool bias = held[kBiasIh].is_valid();
    if (bias != held[kBiasHh].is_valid()) return nb::none();
    for (int place = 0; place < kPlaces; ++place) {
      if (!bias && (place == kBiasIh || place == kBiasHh)) continue;
      if (!held[place].is_valid() || !ours(held[place])) return nb::none();
    }

    const nb::object dtype = describe(0, held[kX]);
    if (!dtype.is(float32_) && !dtype.is(float64_)) return nb::none();
    const Address odd = dtype.is(float32_) ? sizeof(float) - 1 : sizeof(double) - 1;
    Size batch = 0;
    {
      const nb::object shape = describe(1, held[kX]);
      if (!PyTuple_Check(shape.ptr()) || PyTuple_Size(shape.ptr()) != 2) return nb::none();
      batch = size_of(PyTuple_GetItem(shape.ptr(), 0));
      if (batch == 0) return nb::none();
    }
    const std::array<std::array<Size, 2>, kPlaces> shapes = {{{4 * hidden, width},
                                                              {4 * hidden, hidden},
                                                              {4 * hidden, 0},
                                                              {4 * hidden, 0},
                                                              {batch, width},
                                                              {batch, hidden},
                                                              {batch, hidden}}};
    std::array<Address, kPlaces> where{};
    for (int place = 0; place < kPlaces; ++place) {
      if (!held[place].is_valid()) continue;
      where[place] = find(held[place], dtype, shapes[place]);
      if (where[place] == 0 || (where[place] & odd) != 0) return nb::none();
    }
    return dtype.is(float32_) ? run<float>(reader32_, batch, width, hidden, where)
                              : run<double>(reader64_, batch, width, hidden, where);
  }

 private:
  bool ours(nb::handle object) const {
    PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()));
    return type == tensor_.ptr() || type == parameter_.ptr();
  }

  nb::object describe(int question, nb::handle tensor) const {
    return taken([&] {
      return describe_[question](questions_[question].ptr(), tensor.ptr(),
                                 reinterpret_cast<PyObject*>(Py_TYPE(tensor.ptr())));
    });
  }

  nb::object call(int question, nb::handle tensor) const {
    return called(questions_[question], tensor);
  }

  // The address of a tensor that is just so, else 0. A width of 0 stands for a single axis. The
  // address comes last: asking for it waits for whatever still writes there.
  Address find(nb::handle tensor, nb::handle dtype, const std::array<Size, 2>& want) const {
    if (!describe(0, tensor).is(dtype)) return 0;
    const nb::object shape = describe(1, tensor);
    const Py_ssize_t axes = want[1] == 0 ? 1 : 2;
    if (!PyTuple_Check(shape.ptr()) || PyTuple_Size(shape.ptr()) != axes) return 0;
    for (Py_ssize_t axis = 0; axis < axes; ++axis)
      if (size_of(PyTuple_GetItem(shape.ptr(), axis)) != want[axis]) return 0;
    const nb::object device = describe(2, tensor);
    if (!PyUnicode_Check(device.ptr())) return 0;
    if (PyUnicode_CompareWithASCIIString(device.ptr(), "CPU") != 0) return 0;
    if (!call(3, tensor).is(Py_True)) return 0;
    const nb::object address = call(4, tensor);
    const auto found = PyLong_AsUnsignedLongLong(address.ptr());
    if (PyErr_Occurred()) throw nb::python_error();
    return static_cast<Address>(found);
  }

  template <class T>
  nb::object run(const numpy::Reader& reader, Size batch, Size width, Size hidden,
                 const std::array<Address, kPlaces>& where) const {
    const nb::object h_next = reader.empty(batch, hidden), c_next = reader.empty(batch, hidden);
    const auto at = [&](Place place) { return reinterpret_cast<const T*>(where[place]); };
    T* const h_to = static_cast<T*>(numpy::Reader::data(h_next));
    T* const c_to = static_cast<T*>(numpy::Reader::data(c_next));
    {
      const Released released;
      onecell::unroll(onecell::Forward<T>{1, batch, width, hidden, at(kWeightIh), at(kWeightHh),
                                          at(kBiasIh), at(kBiasHh), at(kX), at(kH), at(kC), h_to,
                                          c_to, nullptr});
    }
    return tuple_of(called(adopt_, h_next), called(adopt_, c_next));
  }

  nb::type_object tensor_, parameter_;
  nb::tuple questions_;
  nb::object adopt_, float32_, float64_;
  numpy::Reader reader32_, reader64_;
  Name parameters_{"_params"}, input_size_{"input_size"}, hidden_size_{"hidden_size"};
  Name names_[kX] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
  std::array<descrgetfunc, 3> describe_{};
};

}  // namespace

void define_asked(nb::module_& m) {
  nb::class_<AskedStep>(m, "AskedStep")
      .def(nb::init<nb::type_object, nb::type_object, nb::tuple, nb::object, nb::object, nb::object,
                    nb::object, nb::object>())
      .def("step", &AskedStep::step, nb::arg(), nb::arg().none(), nb::arg().none());
}
