// Forward through time with packed weights. onecell/frozen.h says how they lie.
#pragma once

#include "onecell/frozen.h"

namespace onecell::ONECELL_ISA {

// How a storage is read: `load2` widens 16 columns of two neighbouring rows.
struct StoredFloat32 {
  using Element = float;
  static void load2(const float* p, Lanes<float>& a, Lanes<float>& b) {
    a = Lanes<float>::load(p);
    b = Lanes<float>::load(p + 16);
  }
};
struct StoredBfloat16 {
  using Element = std::uint16_t;
  static void load2(const std::uint16_t* p, Lanes<float>& a, Lanes<float>& b) {
    load_bfloat16_pair(p, a, b);
  }
};
struct StoredFloat16 {
  using Element = std::uint16_t;
  static void load2(const std::uint16_t* p, Lanes<float>& a, Lanes<float>& b) {
    a = load_float16(p);
    b = load_float16(p + 16);
  }
};
struct StoredInt8 {
  using Element = std::int8_t;
  static void load2(const std::int8_t* p, Lanes<float>& a, Lanes<float>& b) {
    a = load_int8(p);
    b = load_int8(p + 16);
  }
};

inline constexpr std::int64_t kBlockRows = FrozenWeights::kBlockRows;
inline constexpr std::int64_t kUnits = FrozenWeights::kUnits;
inline constexpr std::int64_t kTileGroup = kUnits * FrozenWeights::kColumns;

// Rows times blocks whose products are computed before their gates: enough gates at a time to hide
// one another's latency, few enough to stay in the nearest cache.
inline constexpr std::int64_t kGatesAhead = 64;

inline constexpr int kPrefetchAhead = 2048;

// `Quads` times 4 rows of a tile, from `w` on, against N rows of x: out[n][unit].
template <class S, int Quads, int N>
inline void frozen_tile(std::int64_t width, const float* x, const typename S::Element* w,
                        float* out) {
  using V = Lanes<float>;
  V sum[N][Quads * 4];
  for (int n = 0; n < N; ++n)
    for (int r = 0; r < Quads * 4; ++r) sum[n][r] = V::zero();
  const auto add = [&](const auto& load, std::int64_t k) {
    V row[N];
    for (int n = 0; n < N; ++n) row[n] = load(x + n * width + k);
    const typename S::Element* const group = w + k / V::size * kTileGroup;
    if constexpr (N == 1)  // Nothing else waits for memory: ask for what comes 2 KiB later.
      for (int at = 0; at < static_cast<int>(Quads * 4 * V::size * sizeof *w); at += 64)
        __builtin_prefetch(reinterpret_cast<const std::byte*>(group) + kPrefetchAhead + at);
    for (int r = 0; r < Quads * 4; r += 2) {
      V even, odd;
      S::load2(group + r * V::size, even, odd);
      for (int n = 0; n < N; ++n) {
        sum[n][r] = V::fma(row[n], even, sum[n][r]);
        sum[n][r + 1] = V::fma(row[n], odd, sum[n][r + 1]);
      }
    }
  };
  std::int64_t k = 0;
  for (; k + V::size <= width; k += V::size) add([](const float* p) { return V::load(p); }, k);
  if (const int rest = static_cast<int>(width - k); rest > 0)
    add([rest](const float* p) { return V::load_part(p, rest); }, k);
  for (int n = 0; n < N; ++n) reduce<Quads * 4>(sum[n], out + n * kBlockRows);
}

// All 16 rows of a tile against N rows of x, as many at a time as there are registers for.
template <class S, int N>
inline void frozen_rows(std::int64_t width, const float* x, const typename S::Element* w,
                        float* out) {
  constexpr int quads = kFrozenQuads / N > 1 ? kFrozenQuads / N : 1;
  for (int q = 0; q < 4; q += quads)
    frozen_tile<S, quads, N>(width, x, w + q * 4 * Lanes<float>::size, out + q * 4);
}

template <class S, int N>
inline void frozen_rows(std::int64_t rows, std::int64_t width, const float* x,
                        const typename S::Element* w, float* out) {
  if constexpr (N > 1) {
    if (rows != N) return frozen_rows<S, N - 1>(rows, width, x, w, out);
  }
  frozen_rows<S, N>(width, x, w, out);
}

// out (rows, kBlockRows) = x (rows, width) . (block `block` of m)^T, by rule 1 of cell.h.
template <class S>
inline void frozen_product(const FrozenWeights::Matrix& m, std::int64_t block, std::int64_t rows,
                           const float* x, float* out) {
  const std::int64_t tile_size = m.groups() * kTileGroup;
  const auto* w = reinterpret_cast<const typename S::Element*>(m.rows) + block * 4 * tile_size;
  for (int gate = 0; gate < 4; ++gate, w += tile_size)
    for (std::int64_t n = 0, some; n < rows; n += some) {
      const std::int64_t left = rows - n;
      // Two tiles of about the same height rather than a high one and a low one.
      some = left <= kFrozenBatch ? left : left >= 2 * kFrozenBatch ? kFrozenBatch : (left + 1) / 2;
      frozen_rows<S, kFrozenBatch>(some, m.width, x + n * m.width, w,
                                   out + n * kBlockRows + gate * kUnits);
    }
  if (m.scales == nullptr) return;
  using V = Lanes<float>;
  const float* const scale = m.scales + block * kBlockRows;
  for (std::int64_t k = 0; k < rows * kBlockRows; k += V::size)
    (V::load(out + k) * V::load(scale + k % kBlockRows)).store(out + k);
}

// The gates of one block, for `rows` rows whose state begins at c, h_next and c_next.
inline void frozen_gates(const FrozenWeights& w, std::int64_t block, std::int64_t rows,
                         const float* from_x, const float* from_h, const float* c, float* h_next,
                         float* c_next) {
  const std::int64_t hidden = w.hidden_size(), first = block * kUnits;
  const std::int64_t units = std::min(kUnits, hidden - first);
  const float* const ih = w.bias_ih() == nullptr ? nullptr : w.bias_ih() + block * kBlockRows;
  const float* const hh = w.bias_hh() == nullptr ? nullptr : w.bias_hh() + block * kBlockRows;
  for (std::int64_t n = 0; n < rows; ++n, from_x += kBlockRows, from_h += kBlockRows) {
    const std::int64_t at = n * hidden + first;
    if (units == kUnits) {
      gate_row(kUnits, from_x, from_h, ih, hh, c + at, h_next + at, c_next + at,
               static_cast<float*>(nullptr));
      continue;
    }
    float padded_c[kUnits] = {}, padded_h[kUnits];
    std::memcpy(padded_c, c + at, units * sizeof(float));
    gate_row(kUnits, from_x, from_h, ih, hh, padded_c, padded_h, padded_c,
             static_cast<float*>(nullptr));
    std::memcpy(c_next + at, padded_c, units * sizeof(float));
    std::memcpy(h_next + at, padded_h, units * sizeof(float));
  }
}

// One step, and where its input products wait if they were computed ahead.
struct FrozenStep {
  std::int64_t batch;
  const float* x;  // (N, I)
  const float*
      hoisted;  // for block b, row n: hoisted + b * hoisted_stride + n * kBlockRows; or null
  std::int64_t hoisted_stride;
  const float *h, *c;
  float *h_next, *c_next;
};

// The input products of blocks [begin, end), for `rows` rows of x, each block `stride` from the
// last. Different ranges of blocks may run on different threads.
template <class S>
inline void frozen_hoist(const FrozenWeights& w, std::int64_t begin, std::int64_t end,
                         std::int64_t rows, const float* x, std::int64_t stride, float* out) {
  for (std::int64_t block = begin; block < end; ++block)
    frozen_product<S>(w.from_x(), block, rows, x, out + block * stride);
}

// The units of blocks [begin, end) of one step. Different ranges may run on different threads, each
// with a `room` of its own: 2 * kGatesAhead * kBlockRows floats.
template <class S>
inline void frozen_step(const FrozenWeights& w, const FrozenStep& s, std::int64_t begin,
                        std::int64_t end, float* room) {
  const std::int64_t high = std::min(s.batch, kGatesAhead);
  const std::int64_t together = high > 0 ? kGatesAhead / high : 1;
  float *const near_x = room, *const near_h = room + kGatesAhead * kBlockRows;
  for (std::int64_t first = begin; first < end; first += together) {
    const std::int64_t last = std::min(end, first + together);
    for (std::int64_t n = 0; n < s.batch; n += high) {
      const std::int64_t rows = std::min(high, s.batch - n);
      const auto place = [&](std::int64_t block) { return (block - first) * high * kBlockRows; };
      for (std::int64_t block = first; block < last; ++block) {
        if (s.hoisted == nullptr)
          frozen_product<S>(w.from_x(), block, rows, s.x + n * w.input_size(),
                            near_x + place(block));
        frozen_product<S>(w.from_h(), block, rows, s.h + n * w.hidden_size(),
                          near_h + place(block));
      }
      for (std::int64_t block = first; block < last; ++block) {
        const float* const from_x = s.hoisted == nullptr
                                        ? near_x + place(block)
                                        : s.hoisted + block * s.hoisted_stride + n * kBlockRows;
        const std::int64_t state = n * w.hidden_size();
        frozen_gates(w, block, rows, from_x, near_h + place(block), s.c + state, s.h_next + state,
                     s.c_next + state);
      }
    }
  }
}

template <class S>
inline void frozen_unroll_as(const FrozenForward& a) {
  const FrozenWeights& w = *a.weights;
  const std::int64_t state = a.batch * w.hidden_size();
  const std::int64_t fitting = a.batch > 0 ? kHoistedRows / a.batch : 1;
  const std::int64_t chunk = std::max<std::int64_t>(1, std::min(a.steps, fitting));
  const std::int64_t stride = chunk * a.batch * kBlockRows;
  const bool ahead = chunk > 1, blank = a.h == nullptr || a.c == nullptr;

  const auto room = [](std::int64_t count) { return Scratch::padded(count * sizeof(float)); };
  const std::int64_t near = 2 * kGatesAhead * kBlockRows;
  Scratch scratch(room(near) + (blank ? room(state) : 0) + (ahead ? room(w.blocks() * stride) : 0));
  float* const near_room = scratch.take<float>(near);
  float* const zeros = blank ? scratch.take<float>(state) : nullptr;
  float* const hoisted = ahead ? scratch.take<float>(w.blocks() * stride) : nullptr;

  if (blank) std::memset(zeros, 0, state * sizeof(float));
  const float* h = a.h != nullptr ? a.h : zeros;
  const float* c = a.c != nullptr ? a.c : zeros;
  for (std::int64_t t = 0; t < a.steps; ++t) {
    const float* const x = a.x + t * a.batch * w.input_size();
    if (ahead && t % chunk == 0)
      frozen_hoist<S>(w, 0, w.blocks(), std::min(chunk, a.steps - t) * a.batch, x, stride, hoisted);
    const float* const waiting = ahead ? hoisted + t % chunk * a.batch * kBlockRows : nullptr;
    float* const h_next = a.h_all + t * state;
    frozen_step<S>(w, {a.batch, x, waiting, stride, h, c, h_next, a.c_last}, 0, w.blocks(),
                   near_room);
    h = h_next;
    c = a.c_last;
  }
  if (a.steps == 0 && state > 0) std::memcpy(a.c_last, c, state * sizeof(float));
}

inline void frozen_unroll(const FrozenForward& a) {
  const FloatEnvironment environment;
  switch (a.weights->storage()) {
    case Storage::kFloat32:
      return frozen_unroll_as<StoredFloat32>(a);
    case Storage::kBfloat16:
      return frozen_unroll_as<StoredBfloat16>(a);
    case Storage::kFloat16:
      return frozen_unroll_as<StoredFloat16>(a);
    case Storage::kInt8:
      return frozen_unroll_as<StoredInt8>(a);
  }
}

}  // namespace onecell::ONECELL_ISA
