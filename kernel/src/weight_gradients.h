// Gradients of weights: over the rows of some steps, added to those of the steps after them.
#pragma once

namespace onecell::ONECELL_ISA {

// Gradients by z (steps, N, G) of some steps, and room to arrange them in.
template <class T>
struct GateGradients {
  std::int64_t steps, batch, gates;
  const T* data;

  const T* step(std::int64_t t) const { return data + t * batch * gates; }
};

// Values that `arrange` writes for gates [first, last) of `rows` rows.
inline std::int64_t arranged_size(std::int64_t rows, std::int64_t gates) {
  return rows * ((gates + kOuterRows - 1) / kOuterRows * kOuterRows);
}

// Lay gates [first, last) out as the tiles read them: tile by tile, the rows of a tile together.
template <class T>
void arrange(const GateGradients<T>& z, std::int64_t first, std::int64_t last, T* to) {
  const std::int64_t rows = z.steps * z.batch;
  for (std::int64_t p = 0; p < rows; ++p) {
    const T* const from = z.data + p * z.gates;
    T* at = to + p * kOuterRows;
    std::int64_t g = first;
    for (; g + kOuterRows <= last; g += kOuterRows, at += rows * kOuterRows)
      for (int r = 0; r < kOuterRows; ++r) at[r] = from[g + r];
    for (int r = 0; g + r < last; ++r) at[r] = from[g + r];
  }
}

// total (gates, width), rows [first, last) (+)= sum over steps, last first, of the sum over rows n
// of z[n, gate] b(step)[n, :], by rule 4 of cell.h. `begun` says whether `total` holds the sum of
// later steps; `arranged` is what `arrange` made; `room` holds steps * batch * kPanel values.
template <class T, class B>
void add_weight_gradient(const GateGradients<T>& z, std::int64_t first, std::int64_t last,
                         const T* arranged, std::int64_t width, const B& b, bool begun, T* room,
                         T* total) {
  const std::int64_t N = z.batch, rows = z.steps * N;
  alignas(64) T step_sum[kOuterRows * kPanel<T>];
  for (std::int64_t j = 0; j < width; j += kPanel<T>) {
    const std::int64_t columns = std::min(width - j, kPanel<T>);
    for (std::int64_t t = 0; t < z.steps; ++t)
      copy_plane(N, columns, Plane<const T>{b(t) + j, width},
                 Plane<T>{room + t * N * kPanel<T>, kPanel<T>});
    for (std::int64_t g = first; g < last; g += kOuterRows) {
      const std::int64_t count = std::min<std::int64_t>(kOuterRows, last - g);
      const Plane<T> out{total + g * width + j, width};
      for (std::int64_t t = z.steps - 1; t >= 0; --t) {
        const bool onto = begun || t < z.steps - 1;
        // A step of several blocks is summed apart before it joins the total of those after it.
        const bool apart = onto && N > kBlock;
        const Plane<T> sum = apart ? Plane<T>{step_sum, kPanel<T>} : out;
        for (std::int64_t p = 0; p < N; p += kBlock) {
          const std::int64_t row = t * N + p;
          outer_panel(count, std::min(N - p, kBlock), columns,
                      Arranged<T>{arranged + (g - first) * rows + row * kOuterRows},
                      Plane<const T>{room + row * kPanel<T>, kPanel<T>}, p > 0 || (onto && !apart),
                      sum);
        }
        for (std::int64_t r = 0; apart && r < count; ++r)
          add_into(columns, step_sum + r * kPanel<T>, out[r]);
      }
    }
  }
}

// total (gates), entries [first, last) (+)= the same with b = 1.
template <class T>
void add_bias_gradient(const GateGradients<T>& z, std::int64_t first, std::int64_t last, bool begun,
                       T* total) {
  using L = Lanes<T>;
  each_group<T>(last - first, [&](std::int64_t j, int n) {
    T* const at = total + first + j;
    for (std::int64_t t = z.steps - 1; t >= 0; --t) {
      L step_sum = L::zero();
      for (std::int64_t p = 0; p < z.batch; p += kBlock) {
        L chain = L::zero();
        for (std::int64_t row = p; row < std::min(p + kBlock, z.batch); ++row)
          chain = chain + load_some(z.step(t) + row * z.gates + first + j, n);
        step_sum = p > 0 ? step_sum + chain : chain;
      }
      const bool onto = begun || t < z.steps - 1;
      store_some(onto ? load_some(at, n) + step_sum : step_sum, at, n);
    }
  });
}

}  // namespace onecell::ONECELL_ISA
