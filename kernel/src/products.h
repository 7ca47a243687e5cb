// The two matrix products of the cell, in register tiles. cell.h says in which order they add.
#pragma once

namespace onecell::ONECELL_ISA {

// Tile of R rows of w against N rows of x: out[n][r] = x[n] . w[r], by rule 1. R * N is a multiple
// of 4 by R, so that sums are reduced four at a time.
template <int R, int N, class T>
inline void dot_tile(std::int64_t width, const T* x, const T* w, T* out, std::int64_t out_stride) {
  using V = Lanes<T>;
  static_assert(R % 4 == 0);
  V sum[N][R];
  for (int n = 0; n < N; ++n)
    for (int r = 0; r < R; ++r) sum[n][r] = V::zero();
  const auto add = [&](const auto& load, std::int64_t k) {
    V row[N];
    for (int n = 0; n < N; ++n) row[n] = load(x + n * width + k);
    for (int r = 0; r < R; ++r) {
      const V weight = load(w + r * width + k);
      for (int n = 0; n < N; ++n) sum[n][r] = V::fma(row[n], weight, sum[n][r]);
    }
  };
  std::int64_t k = 0;
  for (; k + V::size <= width; k += V::size) add([](const T* p) { return V::load(p); }, k);
  if (const int rest = static_cast<int>(width - k); rest > 0)
    add([rest](const T* p) { return V::load_part(p, rest); }, k);
  for (int n = 0; n < N; ++n)
    for (int r = 0; r < R; r += 4)
      V::reduce4(sum[n][r], sum[n][r + 1], sum[n][r + 2], sum[n][r + 3], out + n * out_stride + r);
}

template <int R, class T>
inline void dot_rows(std::int64_t batch, std::int64_t width, std::int64_t outputs, const T* x,
                     const T* w, T* out) {
  std::int64_t n = 0;
  if constexpr (kDotBatch > 1) {
    for (; n + kDotBatch <= batch; n += kDotBatch)
      for (int r = 0; r < R; r += 4)
        dot_tile<4, kDotBatch>(width, x + n * width, w + r * width, out + n * outputs + r, outputs);
  }
  for (; n < batch; ++n) dot_tile<R, 1>(width, x + n * width, w, out + n * outputs, outputs);
}

// out (batch, outputs) = x (batch, width) . w (outputs, width)^T; outputs is a multiple of 4.
template <class T>
inline void dot_product(std::int64_t batch, std::int64_t width, std::int64_t outputs, const T* x,
                        const T* w, T* out) {
  // Weights outside, rows inside: each weight is fetched once, the rows stay in the nearest cache.
  std::int64_t r = 0;
  for (; r + kDotRows <= outputs; r += kDotRows)
    dot_rows<kDotRows>(batch, width, outputs, x, w + r * width, out + r);
  for (; r < outputs; r += 4) dot_rows<4>(batch, width, outputs, x, w + r * width, out + r);
}

// A matrix read as a(row, p) = data[row * row_stride + p * p_stride].
template <class T>
struct Strided {
  const T* data;
  std::int64_t row_stride, p_stride;

  Strided from(std::int64_t row, std::int64_t p) const {
    return {data + row * row_stride + p * p_stride, row_stride, p_stride};
  }
  T at(std::int64_t row, std::int64_t p) const { return data[row * row_stride + p * p_stride]; }
};

// Tile of R rows and `columns` <= V * L columns: out[r] (+)= sum over p < depth of a(r, p) b[p],
// one chain from p = 0.
template <int R, int V, class T>
inline void outer_tile(std::int64_t depth, const Strided<T>& a, const T* b, std::int64_t width,
                       int last, bool add, T* out) {
  using L = Lanes<T>;
  L sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = L::zero();
  const auto chain = [&](const auto& load_last) {
    for (std::int64_t p = 0; p < depth; ++p) {
      const T* row = b + p * width;
      L column[V];
      for (int v = 0; v < V - 1; ++v) column[v] = L::load(row + v * L::size);
      column[V - 1] = load_last(row + (V - 1) * L::size);
      for (int r = 0; r < R; ++r) {
        const L factor = L::broadcast(a.at(r, p));
        for (int v = 0; v < V; ++v) sum[r][v] = L::fma(factor, column[v], sum[r][v]);
      }
    }
  };
  if (last == L::size)
    chain([](const T* q) { return L::load(q); });
  else
    chain([last](const T* q) { return L::load_part(q, last); });
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) {
      T* at = out + r * width + v * L::size;
      const int n = v == V - 1 ? last : L::size;
      store_some(add ? load_some(at, n) + sum[r][v] : sum[r][v], at, n);
    }
}

template <int R, class T>
inline void outer_rows(std::int64_t depth, const Strided<T>& a, const T* b, std::int64_t width,
                       bool add, T* out) {
  constexpr int size = Lanes<T>::size, wide = kOuterVectors * size;
  std::int64_t j = 0;
  for (; j + wide <= width; j += wide)
    outer_tile<R, kOuterVectors>(depth, a, b + j, width, size, add, out + j);
  each_group<T>(width - j, [&](std::int64_t k, int n) {
    outer_tile<R, 1>(depth, a, b + j + k, width, n, add, out + j + k);
  });
}

// out (rows, width) (+)= sum over p < depth of a(row, p) b[p, :], in blocks of kBlock of p.
// `add` says whether the first block is added to what `out` holds or overwrites it.
template <class T>
inline void outer_product(std::int64_t rows, std::int64_t depth, std::int64_t width,
                          const Strided<T>& a, const T* b, bool add, T* out) {
  if (depth == 0 && !add) std::memset(out, 0, sizeof(T) * rows * width);
  for (std::int64_t p = 0; p < depth; p += kBlock) {
    const std::int64_t block = depth - p < kBlock ? depth - p : kBlock;
    const bool onto = add || p > 0;
    const T* from = b + p * width;
    std::int64_t r = 0;
    for (; r + kOuterRows <= rows; r += kOuterRows)
      outer_rows<kOuterRows>(block, a.from(r, p), from, width, onto, out + r * width);
    for (; r < rows; ++r) outer_rows<1>(block, a.from(r, p), from, width, onto, out + r * width);
  }
}

}  // namespace onecell::ONECELL_ISA
