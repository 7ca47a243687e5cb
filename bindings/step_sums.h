// What the steps of one walk through the gradient graph add to the gradients of the weights.
//
// A step's way back leaves its gradients by z here, with the x and h that it was computed from.
// They wait until there are rows enough for one call of the kernel, or the walk wants the sums.
#pragma once

#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "framework.h"
#include "onecell/apart.h"
#include "tensor_reader.h"

// The sizes of one step, and the bits of an element.
struct StepSizes {
  std::int64_t batch = 0, input = 0, hidden = 0;
  int bits = 0;

  bool operator==(const StepSizes&) const = default;
  std::int64_t z_bytes() const { return batch * 4 * hidden * (bits / 8); }
};

class StepSums {
 public:
  // Of the gradients by weight_ih, weight_hh and a bias, those that are wanted.
  StepSums(bool weight_ih, bool weight_hh, bool bias) : wanted_{weight_ih, weight_hh, bias} {}

  // Room for the gradients by z of the next step, which comes before those that are here; null
  // where it is of another cell. `weights` are weight_ih, weight_hh and a bias or None.
  void* room(const TensorReader& reader, const Framework& framework, const StepSizes& sizes,
             const nanobind::handle (&weights)[3]) {
    if (sizes.hidden != sizes_.hidden || sizes.input != sizes_.input || sizes.bits != sizes_.bits) {
      if (sizes_.bits != 0) return nullptr;
      for (int k = 0; k < 3; ++k) weights_[k] = nanobind::borrow(weights[k]);
    }
    if (sizes != sizes_ || waiting_.size() == static_cast<std::size_t>(capacity_)) {
      gather(reader, framework);
      if (sizes != sizes_) {
        sizes_ = sizes;
        capacity_ = std::max<std::int64_t>(1, kRows / sizes.batch);
        grad_z_.reset(new std::byte[capacity_ * sizes.z_bytes()]);
      }
    }
    return grad_z_.get() + (capacity_ - 1 - waiting_.size()) * sizes.z_bytes();
  }

  // Count the step whose gradients by z were written where `room` said. Both tensors stay alive.
  void add(const Framework& framework, nanobind::handle x, nanobind::handle h) {
    waiting_.push_back(
        {{nanobind::borrow(x), framework.version(x)}, {nanobind::borrow(h), framework.version(h)}});
  }

  // The sums by weight_ih, weight_hh and a bias, None where one is not wanted or there was no step.
  nanobind::tuple totals(const TensorReader& reader, const Framework& framework) {
    gather(reader, framework);
    return nanobind::make_tuple(totals_[0], totals_[1], totals_[2]);
  }

 private:
  // More rows than this at once gain nothing.
  static constexpr std::int64_t kRows = 256;

  struct Kept {
    nanobind::object tensor;
    std::int64_t version;
  };
  struct Inputs {
    Kept x, h;
  };

  void gather(const TensorReader& reader, const Framework& framework) {
    if (waiting_.empty()) return;
    const std::int64_t gates = 4 * sizes_.hidden;
    const std::int64_t widths[] = {sizes_.input, sizes_.hidden};
    void* totals[3] = {};
    for (int k = 0; k < 3; ++k) {
      if (!wanted_[k] || weights_[k].is_none()) continue;
      if (totals_[k].is_none()) totals_[k] = framework.empty_like(weights_[k]);
      totals[k] = k < 2 ? reader.find(totals_[k], sizes_.bits, {gates, widths[k]})
                        : reader.find(totals_[k], sizes_.bits, {gates});
      if (totals[k] == nullptr) throw std::runtime_error("a sum of gradients has no memory");
    }
    // By rising time: the last step came first.
    std::vector<const void*> x, h;
    for (auto step = waiting_.rbegin(); step != waiting_.rend(); ++step) {
      x.push_back(unchanged(reader, framework, step->x, sizes_.input));
      h.push_back(unchanged(reader, framework, step->h, sizes_.hidden));
    }
    sizes_.bits == 32 ? run<float>(x, h, totals) : run<double>(x, h, totals);
    waiting_.clear();
    begun_ = true;
  }

  // What a step was computed from must be what it was then, until its sums are made.
  const void* unchanged(const TensorReader& reader, const Framework& framework, const Kept& kept,
                        std::int64_t width) const {
    const void* const at = reader.find(kept.tensor, sizes_.bits, {sizes_.batch, width});
    if (at == nullptr || framework.version(kept.tensor) != kept.version)
      throw std::runtime_error(
          "one of the variables needed for gradient computation has been modified by an inplace "
          "operation: an input or a state of a cell, while gradients were being computed.");
    return at;
  }

  template <class T>
  void run(const std::vector<const void*>& x, const std::vector<const void*>& h,
           void* const* totals) const {
    const auto arrays = [](const std::vector<const void*>& addresses) {
      std::vector<const T*> typed;
      for (const void* address : addresses) typed.push_back(static_cast<const T*>(address));
      return typed;
    };
    const auto total = [&](int k) { return static_cast<T*>(totals[k]); };
    const std::vector<const T*> xs = arrays(x), hs = arrays(h);
    const std::int64_t steps = static_cast<std::int64_t>(waiting_.size());
    const std::byte* const first = grad_z_.get() + (capacity_ - steps) * sizes_.z_bytes();
    const nanobind::gil_scoped_release released;
    onecell::gather(onecell::GatheredSteps<T>{steps, sizes_.batch, sizes_.input, sizes_.hidden,
                                              reinterpret_cast<const T*>(first), xs.data(),
                                              hs.data(), begun_, total(0), total(1), total(2)});
  }

  bool wanted_[3];
  StepSizes sizes_;
  std::int64_t capacity_ = 0;
  std::unique_ptr<std::byte[]> grad_z_;  // of the steps that wait, in order, at the end
  std::vector<Inputs> waiting_;          // the last step first
  bool begun_ = false;
  nanobind::object weights_[3] = {nanobind::none(), nanobind::none(), nanobind::none()};
  nanobind::object totals_[3] = {nanobind::none(), nanobind::none(), nanobind::none()};
};
