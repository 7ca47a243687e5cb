// Gradients through time.
#pragma once

namespace onecell::ONECELL_ISA {

// Rows whose gradients by z wait together for those of the weights.
inline constexpr std::int64_t kGatheredRows = 256;

template <class T>
class Backprop {
 public:
  explicit Backprop(const Backward<T>& a)
      : a_(a),
        chunk_(std::clamp<std::int64_t>(kGatheredRows / a.batch, 1, a.steps)),
        stride_(4 * a.hidden_size + Lanes<T>::size),
        packs_(a.steps > 3),
        step_ns_(product_ns<T>(a.batch, 4 * a.hidden_size, 2 * a.hidden_size + a.input_size)),
        turn_(step_ns_, a.steps) {
    // Columns are shared by whole panels where there are enough: a narrower one keeps the
    // arithmetic waiting. (Shared by registers, two threads gained 1.3 to 1.5.)
    const std::int64_t panels = (a.hidden_size + kPanel<T> - 1) / kPanel<T>;
    grain_ = panels >= turn_.members() ? kPanel<T> : Lanes<T>::size;
    parts_ = parts_each(turn_, (a.hidden_size + grain_ - 1) / grain_, step_ns_);
    count_ = parts_ * turn_.members();
  }

  void run() {
    const std::int64_t N = a_.batch, H = a_.hidden_size, G = 4 * H, rows = chunk_ * N;
    constexpr std::int64_t size = Lanes<T>::size;
    const std::int64_t padded = (H + size - 1) / size * size;
    const auto room = [](std::int64_t count) { return Scratch::padded(count * sizeof(T)); };
    arranged_ = arranged_size<T>(rows, share_size(H, kOuterRows, turn_.members()));
    panel_ = panel_size<T>(chunk_, N);
    const std::int64_t rooms = turn_.members() * (arranged_ + panel_);
    Scratch scratch(3 * room(N * H) + (chunk_ == 1 ? 2 : 1) * room(rows * stride_) + room(rooms) +
                    (packs_ ? room(G * padded) : 0));
    grad_h_ = scratch.take<T>(N * H);
    zeros_ = scratch.take<T>(N * H);
    T* const own_grad_c = scratch.take<T>(N * H);
    grad_c_ = a_.grad_c != nullptr ? a_.grad_c : own_grad_c;
    grad_z_[0] = scratch.take<T>(rows * stride_);
    grad_z_[1] = chunk_ == 1 ? scratch.take<T>(rows * stride_) : grad_z_[0];
    rooms_ = scratch.take<T>(rooms);
    packed_ = packs_ ? scratch.take<T>(G * padded) : nullptr;
    if (a_.h == nullptr || a_.c == nullptr) std::memset(zeros_, 0, N * H * sizeof(T));
    copy_or_zero(N * H, a_.grad_c_last, grad_c_);

    // Phases: the steps of a chunk, last first, then what all its rows add to; in the end grad_h.
    // The first chunk is the one that may be short: see `grad_z`.
    first_chunk_ = (a_.steps - 1) % chunk_ + 1;
    const std::int64_t chunks = (a_.steps - first_chunk_) / chunk_ + 1;
    auto body = [this](std::int64_t phase, std::int64_t part) { perform_part(phase, part); };
    perform(turn_, a_.steps + chunks + (a_.grad_h != nullptr ? 1 : 0), parts_, body);
  }

 private:
  void perform_part(std::int64_t phase, std::int64_t part) {
    std::int64_t high = a_.steps, chunk = first_chunk_;
    std::int64_t index = 0;
    if (phase > first_chunk_) {
      index = (phase - first_chunk_ - 1) / (chunk_ + 1) + 1;
      phase = (phase - first_chunk_ - 1) % (chunk_ + 1);
      high -= first_chunk_ + (index - 1) * chunk_;
      chunk = chunk_;
    }
    if (high == 0) return pull_h(0, part, a_.grad_h);
    if (phase == chunk) return gather(index, high - chunk, chunk, part);
    const std::int64_t t = high - 1 - phase;
    step_back(t, part, grad_z(t));
  }

  // Where the gradients by z of step t are: with the other steps of its chunk, in order. Those of
  // step t + 1 are still there, since a chunk of one step has two places that take turns.
  T* grad_z(std::int64_t t) const {
    const std::int64_t place = t % chunk_;
    return grad_z_[chunk_ == 1 ? t % 2 : 0] + place * a_.batch * stride_;
  }

  Range units(std::int64_t part) const { return share(a_.hidden_size, grain_, part, count_); }

  // grad_h (N, H), this part's units = gradients by z of step t . weight_hh.
  void pull_h(std::int64_t t, std::int64_t part, T* grad_h) {
    const std::int64_t N = a_.batch, H = a_.hidden_size, G = 4 * H;
    const Range range = units(part);
    const ByRows<T> z{grad_z(t), stride_};
    for (std::int64_t u = range.first; u < range.last; u += kPanel<T>) {
      const std::int64_t width = std::min(range.last - u, kPanel<T>);
      outer_product(N, G, width, z, weights(u, width), Plane<T>{grad_h + u, H});
    }
  }

  // Columns [u, u + width) of weight_hh: packed, or where the caller has them.
  Plane<const T> weights(std::int64_t u, std::int64_t width) const {
    if (!packs_) return {a_.weight_hh + u, a_.hidden_size};
    constexpr std::int64_t size = Lanes<T>::size;
    return {packed_ + u * 4 * a_.hidden_size, (width + size - 1) / size * size};
  }

  void pack(const Range& range) {
    const std::int64_t H = a_.hidden_size;
    for (std::int64_t u = range.first; u < range.last; u += kPanel<T>) {
      const std::int64_t width = std::min(range.last - u, kPanel<T>);
      const Plane<const T> to = weights(u, width);
      copy_plane(4 * H, width, Plane<const T>{a_.weight_hh + u, H},
                 Plane<T>{const_cast<T*>(to.data), to.stride});
    }
  }

  void step_back(std::int64_t t, std::int64_t part, T* z) {
    const std::int64_t N = a_.batch, H = a_.hidden_size, G = 4 * H, state = N * H;
    const Range range = units(part);
    const std::int64_t u = range.first, count = range.last - range.first;
    if (t < a_.steps - 1) {
      pull_h(t + 1, part, grad_h_);
    } else {
      if (packs_) pack(range);
      for (std::int64_t n = 0; n < N; ++n)
        copy_or_zero(count, a_.grad_h_last != nullptr ? a_.grad_h_last + n * H + u : nullptr,
                     grad_h_ + n * H + u);
    }
    const T* c = t > 0 ? a_.c_all + (t - 1) * state : a_.c != nullptr ? a_.c : zeros_;
    for (std::int64_t n = 0; n < N; ++n) {
      const std::int64_t at = n * H + u, row = t * N + n;
      if (a_.grad_h_all != nullptr) add_into(count, a_.grad_h_all + t * state + at, grad_h_ + at);
      open_gates(count, {a_.trace + row * G + u, H}, c + at, a_.c_all + t * state + at,
                 grad_h_ + at, grad_c_ + at, {z + n * stride_ + u, H});
    }
  }

  // What steps [low, low + steps) add to the gradients of weights, and their grad_x.
  // By one part of each member's slice alone: each copies all of x and h for itself.
  void gather(std::int64_t index, std::int64_t low, std::int64_t steps, std::int64_t part) {
    if (part % parts_ != 0) return;
    part /= parts_;
    const std::int64_t count = turn_.members();
    const std::int64_t N = a_.batch, I = a_.input_size, H = a_.hidden_size, G = 4 * H;
    const std::int64_t rows = steps * N;
    const GateGradients<T> z{steps, N, H, stride_, grad_z(low)};
    const auto x = [&](std::int64_t t) { return a_.x + (low + t) * N * I; };
    const auto h = [&](std::int64_t t) {
      const T* const first = a_.h != nullptr ? a_.h : zeros_;
      return low + t > 0 ? a_.h_all + (low + t - 1) * N * H : first;
    };
    // About the units whose gates this member computed: they are in its caches.
    gather_gradients<T>(z, share(H, kOuterRows, part, count), I, x, h, index > 0,
                        rooms_ + part * (arranged_ + panel_), arranged_,
                        {a_.grad_weight_ih, a_.grad_weight_hh, a_.grad_bias});
    if (a_.grad_x == nullptr) return;
    const Range some = share(rows, kOuterRows, part, count);
    outer_product(some.last - some.first, G, I, ByRows<T>{z.data + some.first * stride_, stride_},
                  Plane<const T>{a_.weight_ih, I},
                  Plane<T>{a_.grad_x + (low * N + some.first) * I, I});
  }

  const Backward<T>& a_;
  std::int64_t chunk_;   // steps whose rows are gathered together
  std::int64_t stride_;  // of rows of gradients by z: a power of two apart, they would push each
                         // other out of the nearest cache
  bool packs_;           // whether the panels of weight_hh are copied together, once
  double step_ns_;
  Turn turn_;
  std::int64_t grain_, parts_, count_, arranged_ = 0, panel_ = 0, first_chunk_ = 1;
  T *grad_h_ = nullptr, *grad_c_ = nullptr, *zeros_ = nullptr, *grad_z_[2] = {};
  T *rooms_ = nullptr, *packed_ = nullptr;
};

template <class T>
void backward(const Backward<T>& a) {
  const std::int64_t gates = 4 * a.hidden_size, state = a.batch * a.hidden_size;
  if (a.steps > 0 && a.batch > 0) return Backprop<T>(a).run();
  if (a.grad_h != nullptr) copy_or_zero(state, a.grad_h_last, a.grad_h);
  if (a.grad_c != nullptr) copy_or_zero(state, a.grad_c_last, a.grad_c);
  if (a.grad_weight_ih != nullptr) copy_or_zero<T>(gates * a.input_size, nullptr, a.grad_weight_ih);
  if (a.grad_weight_hh != nullptr)
    copy_or_zero<T>(gates * a.hidden_size, nullptr, a.grad_weight_hh);
  if (a.grad_bias != nullptr) copy_or_zero<T>(gates, nullptr, a.grad_bias);
}

}  // namespace onecell::ONECELL_ISA
