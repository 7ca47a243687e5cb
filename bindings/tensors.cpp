// One step of the cell on a framework's tensors, found and checked in one call from Python.
//
// Asking a tensor in Python for its class, element type, device, shape, strides and address costs
// more than a small step itself. DLPack's exchange interface tells all but the class at once.
#include "tensors.h"

#include <initializer_list>
#include <string>

#include "onecell/cell.h"
#include "tensor_reader.h"

namespace nb = nanobind;

namespace {

enum Place { kWeightIh, kWeightHh, kBiasIh, kBiasHh, kX, kH, kC, kHNext, kCNext, kPlaces };

// Reads the tensors of two classes, such as torch's Tensor and Parameter, but not of subclasses.
class StepReader {
 public:
  StepReader(nb::object capsule, nb::type_object tensor, nb::type_object parameter)
      : reader_(std::move(capsule), std::move(tensor), std::move(parameter)) {}

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
    if (!reader_.open(given[kX], &x) || x.ndim != 2) return false;
    *step = {x.shape[0], x.shape[1], hidden, x.type_bits, {}};
    for (std::size_t place = 0; place < tensors.size(); ++place) {
      if (given[place].is_none() && (place == kBiasIh || place == kBiasHh)) continue;
      if (!read_one(given[place], static_cast<Place>(place), step)) return false;
    }
    return true;
  }

  bool read_one(nb::handle object, Place place, Step* step) const {
    dlpack::Tensor tensor;
    if (!reader_.open(object, &tensor) || tensor.type_bits != step->bits) return false;
    const std::int64_t gates = 4 * step->hidden;
    switch (place) {
      case kWeightIh:
        if (!TensorReader::is(tensor, {gates, step->input})) return false;
        break;
      case kWeightHh:
        if (!TensorReader::is(tensor, {gates, step->hidden})) return false;
        break;
      case kBiasIh:
      case kBiasHh:
        if (!TensorReader::is(tensor, {gates})) return false;
        break;
      case kX:
        if (!TensorReader::is(tensor, {step->batch, step->input})) return false;
        break;
      default:
        if (!TensorReader::is(tensor, {step->batch, step->hidden})) return false;
    }
    char* const data = static_cast<char*>(tensor.data) + tensor.byte_offset;
    if (reinterpret_cast<std::uintptr_t>(data) % (tensor.type_bits / 8) != 0) return false;
    step->data[place] = data;
    return true;
  }

  TensorReader reader_;
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
