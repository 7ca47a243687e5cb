// Gradients of weights: over the rows of some steps, added to those of the steps after them.
#pragma once

namespace onecell::ONECELL_ISA {

// Gradients by z (steps, N, G) of some steps, whose rows are `stride` elements apart.
template <class T>
struct GateGradients {
  std::int64_t steps, batch, hidden, stride;
  const T* data;

  const T* step(std::int64_t t) const { return data + t * batch * stride; }
};

// Rows of a panel that stay in the nearest cache while tile after tile reads them.
inline constexpr std::int64_t kPanelRows = 128;

// Steps whose rows make such a panel.
inline std::int64_t panel_steps(std::int64_t steps, std::int64_t batch) {
  return std::clamp<std::int64_t>(kPanelRows / batch, 1, steps);
}

// Values that a member needs room for, who has at most so many units: gradients by z of its gates
// as `arrange` writes them, and a panel. Whole lines, so that what follows begins one.
template <class T>
std::int64_t arranged_size(std::int64_t rows, std::int64_t units) {
  const std::int64_t whole = (units + kOuterRows - 1) / kOuterRows * kOuterRows;
  return Scratch::padded(4 * rows * whole * sizeof(T)) / sizeof(T);
}
template <class T>
std::int64_t panel_size(std::int64_t steps, std::int64_t batch) {
  return Scratch::padded(panel_steps(steps, batch) * batch * kPanel<T> * sizeof(T)) / sizeof(T);
}

// Call f(first, count) for each tile of the four gates of `units`.
template <class F>
void each_tile(std::int64_t hidden, Range units, const F& f) {
  for (int gate = 0; gate < 4; ++gate)
    for (std::int64_t u = units.first; u < units.last; u += kOuterRows)
      f(gate * hidden + u, std::min<std::int64_t>(kOuterRows, units.last - u));
}

// Lay the gates of `units` out as the tiles read them: tile by tile, the rows of a tile together.
// Few rows at a time: they lie a power of two apart, as do the tiles.
template <class T>
void arrange(const GateGradients<T>& z, Range units, T* to) {
  constexpr std::int64_t kFew = 8;
  const std::int64_t rows = z.steps * z.batch;
  for (std::int64_t begin = 0; begin < rows; begin += kFew) {
    T* at = to;
    each_tile(z.hidden, units, [&](std::int64_t g, std::int64_t count) {
      for (std::int64_t p = begin; p < std::min(rows, begin + kFew); ++p) {
        const T* const from = z.data + p * z.stride + g;
        if (count == kOuterRows)
          std::memcpy(at + p * kOuterRows, from, kOuterRows * sizeof(T));
        else
          std::memcpy(at + p * kOuterRows, from, count * sizeof(T));
      }
      at += rows * kOuterRows;
    });
  }
}

// total (G, width), the rows of the four gates of `units`, (+)= sum over steps, last first, of the
// sum over rows n of z[n, gate] b(step)[n, :], by rule 4 of cell.h. `arranged` is what `arrange`
// made; `begun` says whether `total` holds the sum of later steps; `room` is for one panel.
template <class T, class B>
void add_weight_gradient(const GateGradients<T>& z, Range units, const T* arranged,
                         std::int64_t width, const B& b, bool begun, T* room, T* total) {
  const std::int64_t N = z.batch, rows = z.steps * N, most = panel_steps(z.steps, N);
  alignas(64) T step_sum[kOuterRows * kPanel<T>];
  for (std::int64_t j = 0; j < width; j += kPanel<T>) {
    const std::int64_t columns = std::min(width - j, kPanel<T>);
    for (std::int64_t end = z.steps, low; end > 0; end = low) {
      low = std::max<std::int64_t>(0, end - most);
      for (std::int64_t t = low; t < end; ++t)
        copy_plane(N, columns, Plane<const T>{b(t) + j, width},
                   Plane<T>{room + (t - low) * N * kPanel<T>, kPanel<T>});
      const T* tile = arranged;
      each_tile(z.hidden, units, [&](std::int64_t g, std::int64_t count) {
        const Plane<T> out{total + g * width + j, width};
        for (std::int64_t t = end - 1; t >= low; --t) {
          const bool onto = begun || t < z.steps - 1;
          // A step of several blocks is summed apart before it joins the total of those after it.
          const bool apart = onto && N > kBlock;
          const Plane<T> sum = apart ? Plane<T>{step_sum, kPanel<T>} : out;
          for (std::int64_t p = 0; p < N; p += kBlock)
            outer_panel(count, std::min(N - p, kBlock), columns,
                        Arranged<T>{tile + (t * N + p) * kOuterRows},
                        Plane<const T>{room + ((t - low) * N + p) * kPanel<T>, kPanel<T>},
                        p > 0 || (onto && !apart), sum);
          for (std::int64_t r = 0; apart && r < count; ++r)
            add_into(columns, step_sum + r * kPanel<T>, out[r]);
        }
        tile += rows * kOuterRows;
      });
    }
  }
}

// total (G), the entries of the four gates of `units`, (+)= the same with b = 1.
template <class T>
void add_bias_gradient(const GateGradients<T>& z, Range units, bool begun, T* total) {
  using L = Lanes<T>;
  const auto add = [&](std::int64_t at, int n) {
    for (std::int64_t t = z.steps - 1; t >= 0; --t) {
      L step_sum = L::zero();
      for (std::int64_t p = 0; p < z.batch; p += kBlock) {
        L chain = L::zero();
        for (std::int64_t row = p; row < std::min(p + kBlock, z.batch); ++row)
          chain = chain + load_some(z.step(t) + row * z.stride + at, n);
        step_sum = p > 0 ? step_sum + chain : chain;
      }
      const bool onto = begun || t < z.steps - 1;
      store_some(onto ? load_some(total + at, n) + step_sum : step_sum, total + at, n);
    }
  };
  for (int gate = 0; gate < 4; ++gate)
    each_group<T>(units.last - units.first,
                  [&](std::int64_t j, int n) { add(gate * z.hidden + units.first + j, n); });
}

// Gradients of the weights: (G, I), (G, H) and (G), or null where one is not wanted.
template <class T>
struct WeightGradients {
  T *ih, *hh, *bias;
};

// What the steps of z add to those of the four gates of `units`, where `x` and `h` give the rows
// (N, I) and (N, H) of a step. `room` is for `arranged` values, as `arranged_size` says, and for
// one panel.
template <class T, class X, class H>
void gather_gradients(const GateGradients<T>& z, Range units, std::int64_t input_size, const X& x,
                      const H& h, bool begun, T* room, std::int64_t arranged,
                      const WeightGradients<T>& total) {
  if (total.ih != nullptr || total.hh != nullptr) arrange(z, units, room);
  T* const panel = room + arranged;
  if (total.ih != nullptr)
    add_weight_gradient(z, units, room, input_size, x, begun, panel, total.ih);
  if (total.hh != nullptr) add_weight_gradient(z, units, room, z.hidden, h, begun, panel, total.hh);
  if (total.bias != nullptr) add_bias_gradient(z, units, begun, total.bias);
}

}  // namespace onecell::ONECELL_ISA
