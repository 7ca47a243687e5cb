// Frozen cells: packed weights, and a step on NumPy arrays found and checked in one call.
#include "onecell/frozen.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "numpy_array.h"
#include "steps.h"

namespace nb = nanobind;

namespace {

using Size = std::int64_t;
using Address = std::uintptr_t;

onecell::Storage storage_of(const std::string& name) {
  if (name == "float32") return onecell::Storage::kFloat32;
  if (name == "bfloat16") return onecell::Storage::kBfloat16;
  if (name == "float16") return onecell::Storage::kFloat16;
  if (name == "int8") return onecell::Storage::kInt8;
  throw std::invalid_argument("unknown storage " + name);
}

class Frozen final : public Step {
 public:
  Frozen(nb::object example, const std::string& storage, Size input_size, Size hidden_size,
         Address weight_ih, Address weight_hh, Address bias_ih, Address bias_hh)
      : reader_(std::move(example)),
        weights_(storage_of(storage), input_size, hidden_size, at(weight_ih), at(weight_hh),
                 at(bias_ih), at(bias_hh)) {}

  void run(Size batch, const void* x, const void* h, const void* c, void* h_next,
           void* c_next) const override {
    onecell::unroll(onecell::FrozenForward{
        &weights_, 1, batch, static_cast<const float*>(x), static_cast<const float*>(h),
        static_cast<const float*>(c), static_cast<float*>(h_next), static_cast<float*>(c_next)});
  }

  bool step(nb::handle x, nb::handle h, nb::handle c, nb::handle h_next, nb::handle c_next) const {
    const Size batch = reader_.rows(x), hidden = weights_.hidden_size();
    const void* const from_x = reader_.open(x, {batch, weights_.input_size()});
    const void* const from_h = reader_.open(h, {batch, hidden});
    const void* const from_c = reader_.open(c, {batch, hidden});
    void* const to_h = reader_.open(h_next, {batch, hidden}, true);
    void* const to_c = reader_.open(c_next, {batch, hidden}, true);
    if (!from_x || !from_h || !from_c || !to_h || !to_c) return false;
    const nb::gil_scoped_release released;
    run(batch, from_x, from_h, from_c, to_h, to_c);
    return true;
  }

  void unroll(Size steps, Size batch, Address x, Address h, Address c, Address h_all,
              Address c_last) const {
    const nb::gil_scoped_release released;
    onecell::unroll(onecell::FrozenForward{&weights_, steps, batch, at(x), at(h), at(c), at(h_all),
                                           at(c_last)});
  }

  void unpack(Address weight_ih, Address weight_hh) const {
    weights_.unpack(at(weight_ih), at(weight_hh));
  }

  std::size_t bytes() const { return weights_.bytes(); }

 private:
  static float* at(Address address) { return reinterpret_cast<float*>(address); }

  numpy::Reader reader_;
  onecell::FrozenWeights weights_;
};

}  // namespace

void define_frozen(nb::module_& m) {
  nb::class_<Frozen, Step>(m, "Frozen")
      .def(nb::init<nb::object, const std::string&, Size, Size, Address, Address, Address,
                    Address>())
      .def("step", &Frozen::step, nb::arg().none(), nb::arg().none(), nb::arg().none(),
           nb::arg().none(), nb::arg().none())
      .def("unroll", &Frozen::unroll)
      .def("unpack", &Frozen::unpack)
      .def("nbytes", &Frozen::bytes);
}
