// What the steps of one walk through the gradient graph add to the gradients of the weights.
//
// A step's way back leaves its gradients by z here, and the x and h that it was computed from,
// which are copied: hooks may write either before the walk ends, as they may with the framework's
// own cell. They wait until there are rows enough for one call of the kernel, or the walk wants the
// sums.
#pragma once

#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "framework.h"
#include "onecell/apart.h"
#include "tensor_reader.h"

// The sizes of one step, and the bits of an element.
struct StepSizes {
  static constexpr std::int64_t kLargest = std::int64_t{1}
                                           << 40;  // an H of which 4 H is no overflow

  std::int64_t batch = 0, input = 0, hidden = 0;
  int bits = 0;

  bool operator==(const StepSizes&) const = default;
  std::int64_t x_bytes() const { return batch * input * (bits / 8); }
  std::int64_t h_bytes() const { return batch * hidden * (bits / 8); }
  std::int64_t z_bytes() const { return 4 * h_bytes(); }

  // Whether a step takes less time than to let other threads of Python run and to come back.
  bool are_tiny() const {
    constexpr std::int64_t kProducts = 1 << 14;
    return batch <= kProducts && input <= kProducts && hidden <= kProducts / 4 &&
           batch * (input + hidden) <= kProducts / (4 * hidden);
  }
};

class StepSums {
 public:
  // Of the gradients by weight_ih, weight_hh and a bias, those that are wanted; of one step if
  // `once`, for which nothing need wait.
  StepSums(bool weight_ih, bool weight_hh, bool bias, bool once)
      : wanted_{weight_ih, weight_hh, bias}, once_(once) {}

  // How many steps of so many rows are gathered in one call of the kernel, or fewer.
  static std::int64_t at_once(std::int64_t batch) {
    return std::max<std::int64_t>(1, kRows / batch);
  }

  // Room for the gradients by z of the next step, which comes before those that are here; null
  // where it is of another cell. `weights` are weight_ih, weight_hh and a bias or None.
  void* room(const TensorReader& reader, const Framework& framework, const StepSizes& sizes,
             const nanobind::handle (&weights)[3]) {
    if (sizes.hidden != sizes_.hidden || sizes.input != sizes_.input || sizes.bits != sizes_.bits) {
      if (sizes_.bits != 0) return nullptr;
      for (int k = 0; k < 3; ++k) weights_[k] = nanobind::borrow(weights[k]);
    }
    if (sizes != sizes_) {
      if (waiting_ != 0) gather(reader, framework, kept());
      sizes_ = sizes;
      most_ = once_ ? 1 : at_once(sizes.batch);
      capacity_ = 0;
    }
    if (waiting_ == capacity_) grow();
    return grad_z_.get() + place() * sizes.z_bytes();
  }

  // Take in the step whose gradients by z were written where `room` said, computed from x and h.
  void add(const TensorReader& reader, const Framework& framework, const void* x, const void* h) {
    if (most_ > 1) {
      if (wanted_[0]) std::memcpy(x_.get() + place() * sizes_.x_bytes(), x, sizes_.x_bytes());
      if (wanted_[1]) std::memcpy(h_.get() + place() * sizes_.h_bytes(), h, sizes_.h_bytes());
    }
    if (++waiting_ == most_) gather(reader, framework, most_ == 1 ? Inputs{{x}, {h}} : kept());
  }

  // The sums by weight_ih, weight_hh and a bias, None where one is not wanted or there was no step.
  // They are given away: what nobody else holds, the framework need not copy.
  nanobind::object totals(const TensorReader& reader, const Framework& framework) {
    if (waiting_ != 0) gather(reader, framework, kept());
    begun_ = false;
    nanobind::object given[3];
    for (int k = 0; k < 3; ++k) given[k] = std::exchange(totals_[k], nanobind::none());
    return tuple_of(given[0], given[1], given[2]);
  }

 private:
  // More rows than this at once gain nothing.
  static constexpr std::int64_t kRows = 256;

  // Room for the first steps of a walk, which may have few: memory as large as a whole gathering's
  // would be the system's, given back and cleared anew each time.
  static constexpr std::int64_t kFirstBytes = 64 << 10;

  // Where x and h of the steps that wait are, by rising time; null where no sum is made of them.
  struct Inputs {
    std::vector<const void*> x, h;
  };

  // Of the step that comes next among those that there is room for: the last step comes first.
  std::int64_t place() const { return capacity_ - 1 - waiting_; }

  // Make room for more steps than wait.
  void grow() {
    const std::int64_t each = sizes_.z_bytes() + sizes_.x_bytes() + sizes_.h_bytes();
    const std::int64_t first = std::max<std::int64_t>(2, kFirstBytes / each);
    const std::int64_t capacity = std::min(most_, std::max(first, 4 * capacity_));
    const auto with_room = [&](const std::unique_ptr<std::byte[]>& bytes, std::int64_t size) {
      std::unique_ptr<std::byte[]> more(new std::byte[capacity * size]);
      if (size > 0 && waiting_ > 0)
        std::memcpy(more.get() + (capacity - waiting_) * size,
                    bytes.get() + (capacity_ - waiting_) * size, waiting_ * size);
      return more;
    };
    // One step that is gathered at once is read where it is.
    const bool copies = most_ > 1;
    auto grad_z = with_room(grad_z_, sizes_.z_bytes());
    auto x = with_room(x_, copies && wanted_[0] ? sizes_.x_bytes() : 0);
    h_ = with_room(h_, copies && wanted_[1] ? sizes_.h_bytes() : 0);
    x_ = std::move(x);
    grad_z_ = std::move(grad_z);
    capacity_ = capacity;
  }

  Inputs kept() const {
    Inputs inputs;
    for (std::int64_t at = capacity_ - waiting_; at < capacity_; ++at) {
      inputs.x.push_back(wanted_[0] ? x_.get() + at * sizes_.x_bytes() : nullptr);
      inputs.h.push_back(wanted_[1] ? h_.get() + at * sizes_.h_bytes() : nullptr);
    }
    return inputs;
  }

  void gather(const TensorReader& reader, const Framework& framework, const Inputs& inputs) {
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
    sizes_.bits == 32 ? run<float>(inputs, totals) : run<double>(inputs, totals);
    waiting_ = 0;
    begun_ = true;
  }

  template <class T>
  void run(const Inputs& inputs, void* const* totals) const {
    const auto arrays = [](const std::vector<const void*>& addresses) {
      std::vector<const T*> typed;
      for (const void* address : addresses) typed.push_back(static_cast<const T*>(address));
      return typed;
    };
    const auto total = [&](int k) { return static_cast<T*>(totals[k]); };
    const std::vector<const T*> xs = arrays(inputs.x), hs = arrays(inputs.h);
    const std::byte* const first = grad_z_.get() + (capacity_ - waiting_) * sizes_.z_bytes();
    const Released released;
    onecell::gather(onecell::GatheredSteps<T>{waiting_, sizes_.batch, sizes_.input, sizes_.hidden,
                                              reinterpret_cast<const T*>(first), xs.data(),
                                              hs.data(), begun_, total(0), total(1), total(2)});
  }

  bool wanted_[3], once_;
  StepSizes sizes_;
  std::int64_t most_ = 0, capacity_ = 0, waiting_ = 0;  // steps gathered at a time, held, here
  std::unique_ptr<std::byte[]> grad_z_, x_, h_;  // of the steps that wait, in order, at the end
  bool begun_ = false;
  nanobind::object weights_[3] = {nanobind::none(), nanobind::none(), nanobind::none()};
  nanobind::object totals_[3] = {nanobind::none(), nanobind::none(), nanobind::none()};
};
