// The way back of single steps, with the gradients of the weights apart.
#pragma once

namespace onecell::ONECELL_ISA {

template <class T>
void step_back_alone(const StepBack<T>& a) {
  const std::int64_t N = a.batch, I = a.input_size, H = a.hidden_size, G = 4 * H;
  constexpr std::int64_t size = Lanes<T>::size;
  Scratch scratch(2 * Scratch::padded(N * H * sizeof(T)));
  T* const no_grad_h = scratch.take<T>(N * H);
  T* const own_grad_c = scratch.take<T>(N * H);
  T* const grad_c = a.grad_c != nullptr ? a.grad_c : own_grad_c;
  if (a.grad_h_next == nullptr) std::memset(no_grad_h, 0, N * H * sizeof(T));
  const T* const grad_h_next = a.grad_h_next != nullptr ? a.grad_h_next : no_grad_h;

  const double phase_ns = product_ns<T>(N, G, H + I) / 2 + gates_ns<T>(N, H);
  Turn turn(phase_ns, 2);
  const std::int64_t parts = parts_each(turn, (H + size - 1) / size, phase_ns);
  const std::int64_t count = parts * turn.members();
  // Columns of the gradients of an input: this part's share of sums over z . weight.
  const auto pull = [&](std::int64_t part, std::int64_t width, const T* weight, T* out) {
    if (out == nullptr) return;
    const Range range = share(width, kPanel<T>, part, count);
    if (range.first < range.last)
      outer_product(N, G, range.last - range.first, ByRows<T>{a.grad_z, G},
                    Plane<const T>{weight + range.first, width},
                    Plane<T>{out + range.first, width});
  };
  auto body = [&](std::int64_t phase, std::int64_t part) {
    if (phase == 1) {
      pull(part, H, a.weight_hh, a.grad_h);
      pull(count - 1 - part, I, a.weight_ih, a.grad_x);
      return;
    }
    const Range range = share(H, size, part, count);
    const std::int64_t u = range.first, units = range.last - range.first;
    for (std::int64_t n = 0; n < N; ++n) {
      const std::int64_t at = n * H + u;
      const Gates<const T> trace{a.trace + n * G + u, H};
      const Gates<T> z{a.grad_z + n * G + u, H};
      // c' again, by the forward call's own operations, where the last gate's gradient will be.
      each_group<T>(units, [&](std::int64_t j, int k) {
        const auto gate = [&](int q) { return load_some(trace[q] + j, k); };
        const auto next = Lanes<T>::fma(gate(1), load_some(a.c + at + j, k), gate(0) * gate(2));
        store_some(next, z[3] + j, k);
      });
      copy_or_zero(units, a.grad_c_next != nullptr ? a.grad_c_next + at : nullptr, grad_c + at);
      open_gates(units, trace, a.c + at, z[3], grad_h_next + at, grad_c + at, z);
    }
  };
  perform(turn, 2, parts, body);
}

template <class T>
void gather_steps(const GatheredSteps<T>& a) {
  const std::int64_t N = a.batch, I = a.input_size, H = a.hidden_size, G = 4 * H;
  const std::int64_t rows = a.steps * N;
  const double phase_ns = product_ns<T>(rows, G, H + I);
  Turn turn(phase_ns, 1);
  const std::int64_t count = turn.members();  // each copies all of x and h for itself
  const std::int64_t most = share_size(H, kOuterRows, count);
  const std::int64_t arranged = arranged_size<T>(a.steps * N, most),
                     panel = panel_size<T>(a.steps, N);
  Scratch scratch(Scratch::padded(count * (arranged + panel) * sizeof(T)));
  T* const rooms = scratch.take<T>(count * (arranged + panel));
  const GateGradients<T> z{a.steps, N, H, G, a.grad_z};
  auto body = [&](std::int64_t, std::int64_t part) {
    const auto rows_of = [](const T* const* steps) {
      return [steps](std::int64_t t) { return steps[t]; };
    };
    gather_gradients<T>(z, share(H, kOuterRows, part, count), I, rows_of(a.x), rows_of(a.h),
                        a.begun, rooms + part * (arranged + panel), arranged,
                        {a.grad_weight_ih, a.grad_weight_hh, a.grad_bias});
  };
  perform(turn, 1, 1, body);
}

}  // namespace onecell::ONECELL_ISA
