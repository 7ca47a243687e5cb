// Frozen cells: packed weights, and a step on arrays or tensors found and checked in one call.
#include "onecell/frozen.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "numpy_array.h"
#include "steps.h"
#include "tensor_reader.h"

namespace nb = nanobind;

namespace {

using Size = std::int64_t;
using Address = std::uintptr_t;

onecell::Storage storage_of(const std::string& name) {
  if (name == "float32") return onecell::Storage::kFloat32;
  if (name == "bfloat16") return onecell::Storage::kBfloat16;
  if (name == "float16") return onecell::Storage::kFloat16;
  if (name == "int8") return onecell::Storage::kInt8;
  if (name == "int8_int8") return onecell::Storage::kInt8Int8;
  if (name == "bfloat16_bfloat16") return onecell::Storage::kBfloat16Bfloat16;
  throw std::invalid_argument("unknown storage " + name);
}

class Frozen final : public Step {
 public:
  Frozen(nb::object example, const std::string& storage, Size input_size, Size hidden_size,
         Address weight_ih, Address weight_hh, Address bias_ih, Address bias_hh)
      : reader_(std::move(example)),
        weights_(storage_of(storage), input_size, hidden_size, at(weight_ih), at(weight_hh),
                 at(bias_ih), at(bias_hh)) {}

  // Weights that were packed before, copied, or used where they lie while `owner` is alive.
  Frozen(nb::object example, const std::string& storage, Size input_size, Size hidden_size,
         std::array<Address, 6> parts, nb::object owner)
      : reader_(std::move(example)),
        weights_(storage_of(storage), input_size, hidden_size,
                 {reinterpret_cast<const std::byte*>(parts[0]),
                  reinterpret_cast<const std::byte*>(parts[1]), at(parts[2]), at(parts[3]),
                  at(parts[4]), at(parts[5])},
                 owner.is_none()),
        owner_(std::move(owner)) {}

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
    const Released released;
    run(batch, from_x, from_h, from_c, to_h, to_c);
    return true;
  }

  void unroll(Size steps, Size batch, Address x, Address h, Address c, Address h_all,
              Address c_last) const {
    const Released released;
    onecell::unroll(onecell::FrozenForward{&weights_, steps, batch, at(x), at(h), at(c), at(h_all),
                                           at(c_last)});
  }

  void unpack(Address weight_ih, Address weight_hh) const {
    weights_.unpack(at(weight_ih), at(weight_hh));
  }

  std::array<Address, 6> parts() const {
    const auto [rows_ih, rows_hh, scales_ih, scales_hh, bias_ih, bias_hh] = weights_.parts();
    const auto of = [](const void* place) { return reinterpret_cast<Address>(place); };
    return {of(rows_ih), of(rows_hh), of(scales_ih), of(scales_hh), of(bias_ih), of(bias_hh)};
  }

  Size input_size() const { return weights_.input_size(); }
  Size hidden_size() const { return weights_.hidden_size(); }

 private:
  static float* at(Address address) { return reinterpret_cast<float*>(address); }

  numpy::Reader reader_;
  onecell::FrozenWeights weights_;
  nb::object owner_;
};

// The step of a frozen cell on tensors, read in place.
class FrozenReader {
 public:
  FrozenReader(nb::object capsule, nb::type_object tensor, nb::type_object parameter, Address size,
               Address offset)
      : reader_(std::move(capsule), std::move(tensor), std::move(parameter), {size, offset}) {}

  bool step(const Frozen& cell, nb::handle x, nb::handle h, nb::handle c, nb::handle h_next,
            nb::handle c_next) const {
    const nb::handle given[] = {x, h, c, h_next, c_next};
    Size batch = -1;
    char* data[5];
    for (int k = 0; k < 5; ++k) {
      dlpack::Tensor tensor;
      if (!reader_.open(given[k], &tensor) || tensor.type_bits != 32) return false;
      if (k == 0 && tensor.ndim == 2) batch = tensor.shape[0];
      const Size width = k == 0 ? cell.input_size() : cell.hidden_size();
      if (!TensorReader::is(tensor, {batch, width})) return false;
      data[k] = static_cast<char*>(tensor.data) + tensor.byte_offset;
      if (reinterpret_cast<Address>(data[k]) % sizeof(float) != 0) return false;
    }
    const Released released;
    cell.run(batch, data[0], data[1], data[2], data[3], data[4]);
    return true;
  }

 private:
  TensorReader reader_;
};

}  // namespace

void define_frozen(nb::module_& m) {
  nb::class_<Frozen, Step>(m, "Frozen")
      .def(nb::init<nb::object, const std::string&, Size, Size, Address, Address, Address,
                    Address>())
      .def(nb::init<nb::object, const std::string&, Size, Size, std::array<Address, 6>,
                    nb::object>(),
           nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none())
      .def("step", &Frozen::step, nb::arg().none(), nb::arg().none(), nb::arg().none(),
           nb::arg().none(), nb::arg().none())
      .def("unroll", &Frozen::unroll)
      .def("unpack", &Frozen::unpack)
      .def("parts", &Frozen::parts);
  nb::class_<FrozenReader>(m, "FrozenReader")
      .def(nb::init<nb::object, nb::type_object, nb::type_object, Address, Address>())
      .def("step", &FrozenReader::step, nb::arg(), nb::arg().none(), nb::arg().none(),
           nb::arg().none(), nb::arg().none(), nb::arg().none());
}
