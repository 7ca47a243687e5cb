// Steps of the cell on a framework's tensors, found, checked and computed in one call from Python.
//
// Asking a tensor in Python for its class, element type, device, shape, strides and address costs
// more than a small step itself. DLPack's exchange interface tells all but the class at once.
#include "tensors.h"

#include <nanobind/stl/unique_ptr.h>

#include <cstring>
#include <memory>
#include <optional>

#include "everyday_call.h"
#include "framework.h"
#include "onecell/cell.h"
#include "program.h"
#include "step_sums.h"
#include "tensor_reader.h"

namespace nb = nanobind;

namespace {

enum Place { kWeightIh, kWeightHh, kBiasIh, kBiasHh, kX, kH, kC, kPlaces };

// Reads the tensors of two classes, such as torch's Tensor and Parameter, but not of subclasses.
class StepReader {
 public:
  StepReader(nb::object capsule, nb::type_object tensor, nb::type_object parameter,
             std::uintptr_t size, std::uintptr_t offset, nb::object framework)
      : reader_(std::move(capsule), std::move(tensor), std::move(parameter), {size, offset}),
        framework_(framework),
        names_{"weight_ih", "weight_hh", "bias_ih", "bias_hh"} {}

  // One step: (h', c'), or (h', c', gates, inputs) where the framework must record it for a
  // gradient, with x, h, c and the four parameters as they were read; None where anything at all is
  // out of the ordinary, and False where it is only that the framework's operators must compute.
  // Nothing is written but the results.
  nb::object step(nb::handle parameters, nb::handle hidden, nb::handle x, nb::handle hx) const {
    if (hx.is_none()) return step(parameters, hidden, x, hx, hx);
    const auto [h, c] = pair_of(hx);
    if (!h.is_valid() || h.is_none()) return nb::none();
    return step(parameters, hidden, x, h, c);
  }

  nb::object step(nb::handle parameters, nb::handle hidden, nb::handle x, nb::handle h,
                  nb::handle c) const {
    if (!PyDict_CheckExact(parameters.ptr()) || !PyLong_CheckExact(hidden.ptr())) return nb::none();
    // Held, since what is asked below may let other threads run.
    nb::object tensors[kPlaces];
    for (int place = kWeightIh; place <= kBiasHh; ++place) {
      PyObject* const found = PyDict_GetItemWithError(parameters.ptr(), names_[place].ptr());
      if (found == nullptr) return nb::none();  // a computed parameter
      tensors[place] = nb::borrow(found);
    }
    tensors[kX] = nb::borrow(x);
    tensors[kH] = nb::borrow(h);
    tensors[kC] = nb::borrow(c);
    Step s;
    if (!read(tensors, &s) || s.sizes.hidden != PyLong_AsLongLong(hidden.ptr())) {
      PyErr_Clear();  // a size that is no 64-bit number
      return nb::none();
    }
    const nb::object theirs = framework_.must_run();
    if (theirs.ptr() == Py_True) return nb::borrow(Py_False);
    if (theirs.ptr() != Py_False || is_negated(tensors)) return nb::none();
    nb::object gates = nb::none();
    void* trace = nullptr;
    if (framework_.recording() && needs_grad(tensors)) {
      gates = framework_.new_empty(x, s.sizes.batch, 4 * s.sizes.hidden);
      trace = reader_.find(gates, s.sizes.bits, {s.sizes.batch, 4 * s.sizes.hidden});
      if (trace == nullptr) return nb::none();
    }
    // What is recorded may be freed early by resizing, as tools that save memory do.
    const bool fixed = trace == nullptr && s.sizes.batch <= TensorReader::kSmall / s.sizes.hidden;
    const State h_next = new_state(s, x, fixed), c_next = new_state(s, x, fixed);
    if (h_next.data == nullptr || c_next.data == nullptr) return nb::none();
    s.sizes.bits == 32 ? unroll<float>(s, h_next.data, c_next.data, trace)
                       : unroll<double>(s, h_next.data, c_next.data, trace);
    if (trace == nullptr) return tuple_of(h_next.tensor, c_next.tensor);
    nb::object inputs = tuple_of(tensors[kX], tensors[kH], tensors[kC], tensors[kWeightIh],
                                 tensors[kWeightHh], tensors[kBiasIh], tensors[kBiasHh]);
    return tuple_of(h_next.tensor, c_next.tensor, gates, inputs);
  }

  // The same for a call of a module, where `everyday` says that nothing but its forward would run.
  nb::object call(const EverydayCall& everyday, nb::handle module, nb::tuple arguments) const {
    const std::size_t count = arguments.size();
    if (count < 1 || count > 3) return nb::none();
    const nb::object attributes = everyday.attributes(module);
    if (!attributes.is_valid()) return nb::none();
    PyObject* const parameters = PyDict_GetItemWithError(attributes.ptr(), parameters_.ptr());
    PyObject* const hidden = PyDict_GetItemWithError(attributes.ptr(), hidden_size_.ptr());
    if (parameters == nullptr || hidden == nullptr) return nb::none();
    const nb::object held = nb::borrow(parameters), size = nb::borrow(hidden);
    if (count == 1) return step(held, size, arguments[0], nb::none());
    if (count == 2) return step(held, size, arguments[0], arguments[1]);
    if (arguments[1].is_none()) return nb::none();
    return step(held, size, arguments[0], arguments[1], arguments[2]);
  }

  // Gradients of a step by x, h and c, each None where not wanted; None where anything is out of
  // the ordinary, and then nothing was done. `saved` are x, h, c, four parameters, and the gates.
  // Those of the weights are left in `sums`, and in `own`, which is of this step alone.
  nb::object back(bool by_x, bool by_h, bool by_c, nb::tuple saved, nb::handle grad_h_next,
                  nb::handle grad_c_next, StepSums* sums, StepSums* own) const {
    if (saved.size() != 8) return nb::none();
    const nb::object tensors[kPlaces] = {saved[3], saved[4], saved[5], saved[6],
                                         saved[0], saved[1], saved[2]};
    const nb::object gates = saved[7];
    Step s;
    if (framework_.recording() || !read(tensors, &s)) return nb::none();
    if (framework_.must_run().ptr() != Py_False || is_negated(tensors)) return nb::none();
    const StepSizes& n = s.sizes;
    std::unique_ptr<std::byte[]> zeros;
    if (tensors[kH].is_none()) {
      zeros.reset(new std::byte[n.h_bytes()]());
      s.data[kH] = s.data[kC] = zeros.get();
    }
    void* const trace = reader_.find(gates, n.bits, {n.batch, 4 * n.hidden});
    if (trace == nullptr || framework_.negated(gates)) return nb::none();
    nb::object grads[2] = {nb::borrow(grad_h_next), nb::borrow(grad_c_next)};
    void* by[2] = {};
    for (int k = 0; k < 2; ++k)
      if (!grads[k].is_none() && (by[k] = state(s, &grads[k])) == nullptr) return nb::none();
    const bool wanted[3] = {by_x, by_h, by_c};
    nb::object made[3] = {nb::none(), nb::none(), nb::none()};
    void* out[3] = {};
    for (int k = 0; k < 3; ++k) {
      if (!wanted[k]) continue;
      made[k] = new_rows(s, tensors[kX], k == 0 ? n.input : n.hidden);
      out[k] = place(s, made[k], k == 0 ? n.input : n.hidden);
      if (out[k] == nullptr) return nb::none();
    }
    std::unique_ptr<std::byte[]> unkept;
    void* rooms[2] = {};
    StepSums* const both[2] = {sums, own};
    for (int k = 0; k < 2; ++k) {
      if (both[k] == nullptr) continue;
      rooms[k] = both[k]->room(reader_, framework_, n,
                               {tensors[kWeightIh], tensors[kWeightHh], tensors[kBiasIh]});
      if (rooms[k] == nullptr) return nb::none();
    }
    void* grad_z = rooms[0] != nullptr ? rooms[0] : rooms[1];
    if (grad_z == nullptr) {
      unkept.reset(new std::byte[n.z_bytes()]);
      grad_z = unkept.get();
    }
    n.bits == 32 ? backward<float>(s, trace, by, grad_z, out)
                 : backward<double>(s, trace, by, grad_z, out);
    if (rooms[0] != nullptr && rooms[1] != nullptr) std::memcpy(rooms[1], grad_z, n.z_bytes());
    for (StepSums* each : both)
      if (each != nullptr) each->add(reader_, framework_, s.data[kX], s.data[kH]);
    return tuple_of(made[0], made[1], made[2]);
  }

  nb::object totals(StepSums& sums) const { return sums.totals(reader_, framework_); }

  nb::object run(const nb::list& tensors, const char* program) const {
    return run_program(reader_, framework_, tensors, program);
  }

 private:
  struct Step {
    StepSizes sizes;
    bool alone = false;  // one row, without a batch axis
    void* data[kPlaces] = {};
    std::unique_ptr<std::byte[]> copies[3];  // of x, h and c, where they do not lie dense
  };

  // Whether these are a step's tensors: weights of one H and one element type that the kernel has,
  // dense; x (N, I), h and c (N, H), or without the N; all aligned and in ordinary memory. Biases
  // may be None, and h together with c.
  bool read(const nb::object (&given)[kPlaces], Step* step) const {
    dlpack::Tensor x, weight;
    if (!reader_.open(given[kX], &x) || (x.ndim != 2 && x.ndim != 1)) return false;
    step->alone = x.ndim == 1;
    const std::int64_t batch = step->alone ? 1 : x.shape[0], input = x.shape[x.ndim - 1];
    step->sizes = {batch, input, 0, x.type_bits};
    // What DLPack told of x holds until the next tensor is asked.
    if ((step->data[kX] = rows(x, input, step, kX)) == nullptr) return false;
    if (!reader_.open(given[kWeightHh], &weight) || weight.ndim != 2) return false;
    if (given[kBiasIh].is_none() != given[kBiasHh].is_none()) return false;
    if (given[kH].is_none() != given[kC].is_none()) return false;
    const std::int64_t hidden = weight.shape[1], gates = weight.shape[0];
    if (hidden > StepSizes::kLargest || gates != 4 * hidden) return false;
    step->sizes.hidden = hidden;
    const int bits = x.type_bits;
    step->data[kWeightHh] = TensorReader::place(weight, bits, {gates, hidden});
    if (step->data[kWeightHh] == nullptr) return false;
    const auto find = [&](Place place, std::initializer_list<std::int64_t> shape) {
      return (step->data[place] = reader_.find(given[place], bits, shape)) != nullptr;
    };
    const auto find_state = [&](Place place) {
      dlpack::Tensor state;
      if (!reader_.open(given[place], &state)) return false;
      return (step->data[place] = rows(state, hidden, step, place)) != nullptr;
    };
    return find(kWeightIh, {gates, input}) &&
           (given[kBiasIh].is_none() || (find(kBiasIh, {gates}) && find(kBiasHh, {gates}))) &&
           (given[kH].is_none() || (find_state(kH) && find_state(kC)));
  }

  // Where the rows of x, h or c are: in place, or, where they do not lie dense, in a copy; null
  // where the tensor is not of the step, empty, or so large that others copy it faster.
  static void* rows(const dlpack::Tensor& tensor, std::int64_t width, Step* step, Place place) {
    const std::int64_t batch = step->sizes.batch;
    const int bits = step->sizes.bits;
    void* const found = step->alone ? TensorReader::place(tensor, bits, {width})
                                    : TensorReader::place(tensor, bits, {batch, width});
    if (found != nullptr) return found;
    const int axes = step->alone ? 1 : 2;
    if (tensor.ndim != axes || tensor.type_bits != bits || tensor.strides == nullptr ||
        tensor.data == nullptr || tensor.shape[axes - 1] != width || tensor.shape[0] * width == 0 ||
        (!step->alone && tensor.shape[0] != batch) || batch > kManyCopied / width)
      return nullptr;
    const char* const first = static_cast<char*>(tensor.data) + tensor.byte_offset;
    if (reinterpret_cast<std::uintptr_t>(first) % (bits / 8) != 0) return nullptr;
    std::unique_ptr<std::byte[]>& copy = step->copies[place - kX];
    copy.reset(new std::byte[batch * width * (bits / 8)]);
    const std::int64_t down = step->alone ? 0 : tensor.strides[0];
    const std::int64_t along = tensor.strides[axes - 1];
    bits == 32 ? lay_out<float>(first, batch, width, down, along, copy.get())
               : lay_out<double>(first, batch, width, down, along, copy.get());
    return copy.get();
  }

  template <class T>
  static void lay_out(const void* from, std::int64_t batch, std::int64_t width, std::int64_t down,
                      std::int64_t along, void* to) {
    const T* const first = static_cast<const T*>(from);
    T* out = static_cast<T*>(to);
    for (std::int64_t row = 0; row < batch; ++row, out += width) {
      const T* const start = first + row * down;
      if (along == 1) {
        std::memcpy(out, start, width * sizeof(T));
      } else {
        for (std::int64_t i = 0; i < width; ++i) out[i] = start[i * along];
      }
    }
  }

  // Where the elements of a dense tensor (N, width), or (width) for one row, are; or null.
  void* place(const Step& s, nb::handle tensor, std::int64_t width) const {
    return s.alone ? reader_.find(tensor, s.sizes.bits, {width})
                   : reader_.find(tensor, s.sizes.bits, {s.sizes.batch, width});
  }

  // A new tensor of that shape.
  nb::object new_rows(const Step& s, nb::handle like, std::int64_t width) const {
    return s.alone ? framework_.new_empty(like, width)
                   : framework_.new_empty(like, s.sizes.batch, width);
  }

  // Whether something stands between these tensors' elements and their numbers.
  bool is_negated(const nb::object (&tensors)[kPlaces]) const {
    for (const nb::object& tensor : tensors)
      if (!tensor.is_none() && framework_.negated(tensor)) return true;
    return false;
  }

  bool needs_grad(const nb::object (&tensors)[kPlaces]) const {
    for (const nb::object& tensor : tensors)
      if (!tensor.is_none() && framework_.requires_grad(tensor)) return true;
    return false;
  }

  // Where the elements of a gradient by a state are, which is laid out anew if need be; or null.
  void* state(const Step& s, nb::object* gradient) const {
    dlpack::Tensor tensor;
    if (!reader_.open(*gradient, &tensor) || tensor.data == nullptr) return nullptr;
    if (framework_.negated(*gradient)) return nullptr;
    void* const at = place(s, *gradient, s.sizes.hidden);
    if (at != nullptr) return at;
    *gradient = framework_.contiguous(*gradient);  // often one number for all of them
    return place(s, *gradient, s.sizes.hidden);
  }

  struct State {
    nb::object tensor;
    void* data = nullptr;
  };

  // Elements up to which rows that do not lie dense are copied here.
  static constexpr std::int64_t kManyCopied = 1 << 18;

  // A new tensor for h' or c', and where its elements are, or null; of a `fixed` size or not.
  State new_state(const Step& s, nb::handle like, bool fixed) const {
    const StepSizes& n = s.sizes;
    State made;
    if (fixed) {
      made.tensor = reader_.make(n.bits, s.alone ? 0 : n.batch, n.hidden, &made.data);
    } else {
      made.tensor = new_rows(s, like, n.hidden);
      made.data = place(s, made.tensor, n.hidden);
    }
    return made;
  }

  template <class T>
  static T* at(const Step& s, Place place) {
    return static_cast<T*>(s.data[place]);
  }

  template <class T>
  static void unroll(const Step& s, void* h_next, void* c_next, void* trace) {
    std::optional<Released> released;
    if (!s.sizes.are_tiny()) released.emplace();
    onecell::unroll(onecell::Forward<T>{
        1, s.sizes.batch, s.sizes.input, s.sizes.hidden, at<T>(s, kWeightIh), at<T>(s, kWeightHh),
        at<T>(s, kBiasIh), at<T>(s, kBiasHh), at<T>(s, kX), at<T>(s, kH), at<T>(s, kC),
        static_cast<T*>(h_next), static_cast<T*>(c_next), static_cast<T*>(trace)});
  }

  template <class T>
  static void backward(const Step& s, const void* trace, void* const* by, void* grad_z,
                       void* const* out) {
    const Released released;
    onecell::backward(onecell::StepBack<T>{
        s.sizes.batch, s.sizes.input, s.sizes.hidden, at<T>(s, kWeightIh), at<T>(s, kWeightHh),
        at<T>(s, kC), static_cast<const T*>(trace), static_cast<const T*>(by[0]),
        static_cast<const T*>(by[1]), static_cast<T*>(grad_z), static_cast<T*>(out[0]),
        static_cast<T*>(out[1]), static_cast<T*>(out[2])});
  }

  TensorReader reader_;
  Framework framework_;
  Name names_[4];
  Name parameters_{"_parameters"}, hidden_size_{"hidden_size"};
};

}  // namespace

void define_tensors(nb::module_& m) {
  const PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(&EverydayCall::traverse)},
                               {Py_tp_clear, reinterpret_cast<void*>(&EverydayCall::clear)},
                               {0, nullptr}};
  nb::class_<EverydayCall>(m, "EverydayCall", nb::type_slots(slots))
      .def(nb::init<nb::type_object, nb::object>());
  nb::class_<StepSums>(m, "StepSums").def(nb::init<bool, bool, bool, bool>());
  nb::class_<StepReader>(m, "StepReader")
      .def(nb::init<nb::object, nb::type_object, nb::type_object, std::uintptr_t, std::uintptr_t,
                    nb::object>())
      .def("step",
           nb::overload_cast<nb::handle, nb::handle, nb::handle, nb::handle>(&StepReader::step,
                                                                             nb::const_),
           nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg().none())
      .def("call", &StepReader::call)
      .def("back", &StepReader::back, nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none(),
           nb::arg().none(), nb::arg().none(), nb::arg().none())
      .def("totals", &StepReader::totals)
      .def("run", &StepReader::run);
}
