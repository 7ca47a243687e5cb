// One step of the cell on a framework's tensors, found and checked in one call from Python.
//
// Asking a tensor in Python for its class, element type, device, shape, strides and address costs
// more than a small step itself. DLPack's exchange interface tells all but the class at once.
#include "tensors.h"

#include <initializer_list>
#include <string>

#include "dlpack.h"
#include "onecell/cell.h"

namespace nb = nanobind;

namespace {

enum Place { kWeightIh, kWeightHh, kBiasIh, kBiasHh, kX, kH, kC, kHNext, kCNext, kPlaces };

// Reads the tensors of two classes, such as torch's Tensor and Parameter, but not of subclasses.
class StepReader {
 public:
  StepReader(nb::object capsule, nb::type_object tensor, nb::type_object parameter)
      : capsule_(std::move(capsule)), tensor_(std::move(tensor)), parameter_(std::move(parameter)) {
    api_ = static_cast<const dlpack::ExchangeApi*>(
        PyCapsule_GetPointer(capsule_.ptr(), dlpack::kCapsule));
    if (api_ == nullptr) throw nb::python_error();
    if (api_->major != dlpack::kMajor || api_->read == nullptr)
      throw nb::import_error("DLPack's exchange interface is of an unknown version");
  }

  // Whether these are a step's tensors: weights of H = `hidden` and one element type that the
  // kernel has, x (N, I), h and c (N, H), all dense, aligned and in ordinary memory. Biases may be
  // None.
  bool fits(std::int64_t hidden, nb::handle weight_ih, nb::handle weight_hh, nb::handle bias_ih,
            nb::handle bias_hh, nb::handle x, nb::handle h, nb::handle c) const {
    Step step;
    return read(hidden, {weight_ih, weight_hh, bias_ih, bias_hh, x, h, c}, &step);
  }

  // Compute the step into h_next and c_next, like h and c; false where anything does not fit, and
  // then nothing was done.
  bool step(std::int64_t hidden, nb::handle weight_ih, nb::handle weight_hh, nb::handle bias_ih,
            nb::handle bias_hh, nb::handle x, nb::handle h, nb::handle c, nb::handle h_next,
            nb::handle c_next) const {
    Step s;
    if (!read(hidden, {weight_ih, weight_hh, bias_ih, bias_hh, x, h, c, h_next, c_next}, &s))
      return false;
    s.bits == 32 ? run<float>(s) : run<double>(s);
    return true;
  }

 private:
  struct Step {
    std::int64_t batch, input, hidden;
    int bits = 0;
    void* data[kPlaces] = {};
  };

  template <class T>
  static void run(const Step& s) {
    const auto at = [&](Place place) { return static_cast<T*>(s.data[place]); };
    const nb::gil_scoped_release released;
    onecell::unroll(onecell::Forward<T>{1, s.batch, s.input, s.hidden, at(kWeightIh), at(kWeightHh),
                                        at(kBiasIh), at(kBiasHh), at(kX), at(kH), at(kC),
                                        at(kHNext), at(kCNext), nullptr});
  }

  bool read(std::int64_t hidden, std::initializer_list<nb::handle> tensors, Step* step) const {
    const nb::handle* given = tensors.begin();
    constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // 4 H cannot overflow
    if (hidden < 1 || hidden > kLargest || given[kBiasIh].is_none() != given[kBiasHh].is_none())
      return false;
    dlpack::Tensor x;
    if (!open(given[kX], &x) || x.ndim != 2) return false;
    *step = {x.shape[0], x.shape[1], hidden, x.type_bits, {}};
    for (std::size_t place = 0; place < tensors.size(); ++place) {
      if (given[place].is_none() && (place == kBiasIh || place == kBiasHh)) continue;
      if (!read_one(given[place], static_cast<Place>(place), step)) return false;
    }
    return true;
  }

  bool read_one(nb::handle object, Place place, Step* step) const {
    dlpack::Tensor tensor;
    if (!open(object, &tensor) || tensor.type_bits != step->bits) return false;
    const std::int64_t gates = 4 * step->hidden;
    switch (place) {
      case kWeightIh:
        if (!is(tensor, {gates, step->input})) return false;
        break;
      case kWeightHh:
        if (!is(tensor, {gates, step->hidden})) return false;
        break;
      case kBiasIh:
      case kBiasHh:
        if (!is(tensor, {gates})) return false;
        break;
      case kX:
        if (!is(tensor, {step->batch, step->input})) return false;
        break;
      default:
        if (!is(tensor, {step->batch, step->hidden})) return false;
    }
    char* const data = static_cast<char*>(tensor.data) + tensor.byte_offset;
    if (reinterpret_cast<std::uintptr_t>(data) % (tensor.type_bits / 8) != 0) return false;
    step->data[place] = data;
    return true;
  }

  // Describe `object`, if it is of one of the two classes and holds the kernel's kind of numbers.
  bool open(nb::handle object, dlpack::Tensor* out) const {
    PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()));
    if (type != tensor_.ptr() && type != parameter_.ptr()) return false;
    if (api_->read(object.ptr(), out) != 0) {
      PyErr_Clear();  // not in memory: the caller has another way for such
      return false;
    }
    return out->device_type == dlpack::kCpu && out->type_code == dlpack::kFloat &&
           out->type_lanes == 1 && (out->type_bits == 32 || out->type_bits == 64);
  }

  // Whether the tensor has this shape, is dense, and has memory unless it is empty.
  static bool is(const dlpack::Tensor& tensor, std::initializer_list<std::int64_t> shape) {
    if (tensor.ndim != static_cast<int>(shape.size())) return false;
    std::int64_t count = 1;
    for (int axis = tensor.ndim - 1; axis >= 0; --axis) {
      const std::int64_t size = shape.begin()[axis];
      if (tensor.shape[axis] != size) return false;
      if (size > 1 && tensor.strides != nullptr && tensor.strides[axis] != count) return false;
      count *= size;
    }
    return count > 0 && tensor.data != nullptr;
  }

  nb::object capsule_;
  nb::type_object tensor_, parameter_;
  const dlpack::ExchangeApi* api_;
};

}  // namespace

void define_tensors(nb::module_& m) {
  nb::class_<StepReader>(m, "StepReader")
      .def(nb::init<nb::object, nb::type_object, nb::type_object>())
      .def("fits", &StepReader::fits, nb::arg().none(), nb::arg().none(), nb::arg().none(),
           nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg().none())
      .def("step", &StepReader::step, nb::arg().none(), nb::arg().none(), nb::arg().none(),
           nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg().none(),
           nb::arg().none(), nb::arg().none());
}
