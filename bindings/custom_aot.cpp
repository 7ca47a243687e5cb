// The entry points for MindSpore's `ops.Custom(func_type="aot")`: plain C functions that it finds
// by name in this library. Each is given the addresses, shapes and element types of its inputs and
// then of its outputs, in the order written above it, and returns 0, or another number where it did
// nothing.
//
// What arrives is what the Python side inferred, by way of a framework: every shape is held against
// the others before an address is used, and nothing throws into MindSpore.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <vector>

#include "onecell/cell.h"

#define ONECELL_ENTRY extern "C" __attribute__((visibility("default")))

namespace {

enum Status : int { kDone = 0, kBadArguments = 1, kFailed = 2 };

// What MindSpore hands to an entry, and the questions the entries ask of it.
class Call {
 public:
  Call(int count, void** data, const int* ndims, std::int64_t** shapes, const char** dtypes)
      : count_(count), data_(data), ndims_(ndims), shapes_(shapes), dtypes_(dtypes) {}

  bool has_count(std::initializer_list<int> allowed) const {
    return data_ && ndims_ && shapes_ && dtypes_ &&
           std::find(allowed.begin(), allowed.end(), count_) != allowed.end();
  }

  // Whether parameter `index` exists in memory with exactly this shape.
  bool is(int index, std::initializer_list<std::int64_t> shape) const {
    if (ndims_[index] != static_cast<int>(shape.size())) return false;
    if (shape.size() != 0 && !shapes_[index]) return false;
    if (!std::equal(shape.begin(), shape.end(), shapes_[index])) return false;
    const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
    return empty || data_[index] != nullptr;
  }

  bool all_are(std::string_view dtype) const {
    return std::all_of(dtypes_, dtypes_ + count_,
                       [&](const char* name) { return name && dtype == name; });
  }

  int count() const { return count_; }
  int ndim(int index) const { return ndims_[index]; }
  std::int64_t size(int index, int axis) const { return shapes_[index][axis]; }

  template <class T>
  T* at(int index) const {
    return static_cast<T*>(data_[index]);
  }

 private:
  int count_;
  void** data_;
  const int* ndims_;
  std::int64_t** shapes_;
  const char** dtypes_;
};

struct Sizes {
  std::int64_t steps, batch, input, hidden;
  std::int64_t gates() const { return 4 * hidden; }
};

// Inputs that every entry starts with: x, h, c, weight_ih, weight_hh.
enum Common : int { kX, kH, kC, kWeightIh, kWeightHh, kCommon };

// Read the sizes from x and weight_hh and hold the common inputs against them.
bool read_sizes(const Call& call, bool sequence, Sizes* sizes) {
  const int lead = sequence ? 1 : 0;
  if (call.ndim(kX) != 2 + lead || call.ndim(kWeightHh) != 2) return false;
  sizes->steps = sequence ? call.size(kX, 0) : 1;
  sizes->batch = call.size(kX, lead);
  sizes->input = call.size(kX, lead + 1);
  sizes->hidden = call.size(kWeightHh, 1);
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max() / 4;
  if (sizes->hidden < 1 || sizes->hidden > kLargest || sizes->input < 1) return false;
  if (sizes->steps < 0 || sizes->batch < 0) return false;
  const bool x_fits = sequence ? call.is(kX, {sizes->steps, sizes->batch, sizes->input})
                               : call.is(kX, {sizes->batch, sizes->input});
  return x_fits && call.is(kH, {sizes->batch, sizes->hidden}) &&
         call.is(kC, {sizes->batch, sizes->hidden}) &&
         call.is(kWeightIh, {sizes->gates(), sizes->input}) &&
         call.is(kWeightHh, {sizes->gates(), sizes->hidden});
}

// Whether parameter `index` has one row of `width` for every row and, in a sequence, every step.
bool is_per_row(const Call& call, int index, bool sequence, const Sizes& s, std::int64_t width) {
  return sequence ? call.is(index, {s.steps, s.batch, width}) : call.is(index, {s.batch, width});
}

bool has_biases(const Call& call, const Sizes& s) {
  return call.is(kCommon, {s.gates()}) && call.is(kCommon + 1, {s.gates()});
}

template <class T>
int run_forward(const Call& call, bool sequence, const Sizes& s, bool bias) {
  const int out = kCommon + (bias ? 2 : 0);
  onecell::Forward<T> forward{};
  forward.steps = s.steps;
  forward.batch = s.batch;
  forward.input_size = s.input;
  forward.hidden_size = s.hidden;
  forward.weight_ih = call.at<T>(kWeightIh);
  forward.weight_hh = call.at<T>(kWeightHh);
  forward.bias_ih = bias ? call.at<T>(kCommon) : nullptr;
  forward.bias_hh = bias ? call.at<T>(kCommon + 1) : nullptr;
  forward.x = call.at<T>(kX);
  forward.h = call.at<T>(kH);
  forward.c = call.at<T>(kC);
  const int saved = out + (sequence ? 3 : 1);
  forward.h_all = call.at<T>(out);
  forward.c_all = call.at<T>(saved);
  forward.trace = call.at<T>(saved + 1);
  onecell::unroll(forward);
  if (!sequence || s.batch == 0) return kDone;
  const std::size_t state = static_cast<std::size_t>(s.batch * s.hidden);
  const T* h_last = s.steps ? forward.h_all + (s.steps - 1) * state : forward.h;
  const T* c_last = s.steps ? forward.c_all + (s.steps - 1) * state : forward.c;
  std::memcpy(call.at<T>(out + 1), h_last, state * sizeof(T));
  std::memcpy(call.at<T>(out + 2), c_last, state * sizeof(T));
  return kDone;
}

int forward(const Call& call, bool sequence) {
  const int outputs = sequence ? 5 : 3;
  if (!call.has_count({kCommon + outputs, kCommon + 2 + outputs})) return kBadArguments;
  const bool bias = call.count() == kCommon + 2 + outputs;
  const int out = kCommon + (bias ? 2 : 0);
  Sizes s{};
  if (!read_sizes(call, sequence, &s)) return kBadArguments;
  if (bias && !has_biases(call, s)) return kBadArguments;
  const int saved = out + (sequence ? 3 : 1);
  if (!is_per_row(call, out, sequence, s, s.hidden) ||
      !is_per_row(call, saved, sequence, s, s.hidden) ||
      !is_per_row(call, saved + 1, sequence, s, s.gates())) {
    return kBadArguments;
  }
  if (sequence &&
      !(call.is(out + 1, {s.batch, s.hidden}) && call.is(out + 2, {s.batch, s.hidden}))) {
    return kBadArguments;
  }
  if (call.all_are("float32")) return run_forward<float>(call, sequence, s, bias);
  if (call.all_are("float64")) return run_forward<double>(call, sequence, s, bias);
  return kBadArguments;
}

// Inputs of the gradients after the common ones and biases, then the gradients that come in. What
// biases hold is in the trace; they come for the gradient of this gradient, which is the caller's.
enum Saved : int { kHAll, kCAll, kTrace, kGradients };

template <class T>
int run_backward(const Call& call, bool sequence, const Sizes& s, int saved) {
  const int grads = saved + kGradients, out = grads + (sequence ? 3 : 2);
  onecell::Backward<T> backward{};
  backward.steps = s.steps;
  backward.batch = s.batch;
  backward.input_size = s.input;
  backward.hidden_size = s.hidden;
  backward.weight_ih = call.at<T>(kWeightIh);
  backward.weight_hh = call.at<T>(kWeightHh);
  backward.x = call.at<T>(kX);
  backward.h = call.at<T>(kH);
  backward.c = call.at<T>(kC);
  backward.h_all = call.at<T>(saved + kHAll);
  backward.c_all = call.at<T>(saved + kCAll);
  backward.trace = call.at<T>(saved + kTrace);
  backward.grad_h_all = call.at<T>(grads);
  backward.grad_h_last = sequence ? call.at<T>(grads + 1) : nullptr;
  backward.grad_c_last = call.at<T>(out - 1);
  backward.grad_x = call.at<T>(out);
  backward.grad_h = call.at<T>(out + 1);
  backward.grad_c = call.at<T>(out + 2);
  backward.grad_weight_ih = call.at<T>(out + 3);
  backward.grad_weight_hh = call.at<T>(out + 4);
  backward.grad_bias = call.at<T>(out + 5);
  onecell::backward(backward);
  return kDone;
}

int backward(const Call& call, bool sequence) {
  const int others = kGradients + (sequence ? 3 : 2) + 6;
  if (!call.has_count({kCommon + others, kCommon + 2 + others})) return kBadArguments;
  const bool bias = call.count() == kCommon + 2 + others;
  const int saved = kCommon + (bias ? 2 : 0), grads = saved + kGradients;
  const int out = grads + (sequence ? 3 : 2);
  Sizes s{};
  if (!read_sizes(call, sequence, &s)) return kBadArguments;
  if (bias && !has_biases(call, s)) return kBadArguments;
  if (!is_per_row(call, saved + kHAll, sequence, s, s.hidden) ||
      !is_per_row(call, saved + kCAll, sequence, s, s.hidden) ||
      !is_per_row(call, saved + kTrace, sequence, s, s.gates()) ||
      !is_per_row(call, grads, sequence, s, s.hidden)) {
    return kBadArguments;
  }
  for (int index = grads + 1; index < out; ++index) {
    if (!call.is(index, {s.batch, s.hidden})) return kBadArguments;
  }
  if (!is_per_row(call, out, sequence, s, s.input) || !call.is(out + 1, {s.batch, s.hidden}) ||
      !call.is(out + 2, {s.batch, s.hidden}) || !call.is(out + 3, {s.gates(), s.input}) ||
      !call.is(out + 4, {s.gates(), s.hidden}) || !call.is(out + 5, {s.gates()})) {
    return kBadArguments;
  }
  if (call.all_are("float32")) return run_backward<float>(call, sequence, s, saved);
  if (call.all_are("float64")) return run_backward<double>(call, sequence, s, saved);
  return kBadArguments;
}

template <class Entry>
int guarded(Entry entry, int count, void** data, int* ndims, std::int64_t** shapes,
            const char** dtypes, bool sequence) noexcept {
  try {
    return entry(Call(count, data, ndims, shapes, dtypes), sequence);
  } catch (const std::exception&) {
    return kFailed;
  }
}

}  // namespace

// in: x (N, I), h (N, H), c (N, H), weight_ih, weight_hh[, bias_ih, bias_hh]
// out: h_next (N, H), c_next (N, H), trace (N, G)
ONECELL_ENTRY int onecell_step(int count, void** data, int* ndims, std::int64_t** shapes,
                               const char** dtypes, void* /*stream*/, void* /*extra*/) {
  return guarded(forward, count, data, ndims, shapes, dtypes, false);
}

// in: x (T, N, I), h (N, H), c (N, H), weight_ih, weight_hh[, bias_ih, bias_hh]
// out: h_all (T, N, H), h_last (N, H), c_last (N, H), c_all (T, N, H), trace (T, N, G)
ONECELL_ENTRY int onecell_unroll(int count, void** data, int* ndims, std::int64_t** shapes,
                                 const char** dtypes, void* /*stream*/, void* /*extra*/) {
  return guarded(forward, count, data, ndims, shapes, dtypes, true);
}

// in: x, h, c, weight_ih, weight_hh[, bias_ih, bias_hh], h_next, c_next, trace, grad_h_next,
//     grad_c_next
// out: grad_x, grad_h, grad_c, grad_weight_ih, grad_weight_hh, grad_bias (G)
ONECELL_ENTRY int onecell_step_backward(int count, void** data, int* ndims, std::int64_t** shapes,
                                        const char** dtypes, void* /*stream*/, void* /*extra*/) {
  return guarded(backward, count, data, ndims, shapes, dtypes, false);
}

// in: x, h, c, weight_ih, weight_hh[, bias_ih, bias_hh], h_all, c_all, trace, grad_h_all,
//     grad_h_last, grad_c_last
// out: as of onecell_step_backward, grad_x (T, N, I)
ONECELL_ENTRY int onecell_unroll_backward(int count, void** data, int* ndims, std::int64_t** shapes,
                                          const char** dtypes, void* /*stream*/, void* /*extra*/) {
  return guarded(backward, count, data, ndims, shapes, dtypes, true);
}
