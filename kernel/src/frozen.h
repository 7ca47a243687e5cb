// Forward through time with packed weights. onecell/frozen.h says how they lie.
#pragma once

#include "onecell/frozen.h"

namespace onecell::ONECELL_ISA {

// Rows of x or h as a product by floats takes them.
struct FloatRows {
  const float* data;
  std::int64_t width;

  FloatRows from(std::int64_t row) const { return {data + row * width, width}; }
};

inline void load_stored(const float* p, Lanes<float>& a) { a = Lanes<float>::load(p); }
inline void load_stored(const std::uint16_t* p, Lanes<float>& a) { a = load_float16(p); }

// How a storage is read: `load2` widens 16 columns of two neighbouring rows, or as many as a
// register V has, and kHalf elements on lie those of the upper half (halves.h). `kRounds` says that
// rows of x and h are rounded first, by `round`.
struct StoredFloat32 {
  using Element = float;
  using Rows = FloatRows;
  static constexpr bool kRounds = false;
  static constexpr int kHalf = 8;
  template <class V>
  static void load2(const float* p, V& a, V& b) {
    load_stored(p, a);
    load_stored(p + 16, b);
  }
};
struct StoredBfloat16 {
  using Element = std::uint16_t;
  using Rows = FloatRows;
  static constexpr bool kRounds = false;
  static constexpr int kHalf = 16;
  template <class V>
  static void load2(const std::uint16_t* p, V& a, V& b) {
    load_bfloat16_pair(p, a, b);
  }
};
struct StoredFloat16 {
  using Element = std::uint16_t;
  using Rows = FloatRows;
  static constexpr bool kRounds = false;
  static constexpr int kHalf = 8;
  template <class V>
  static void load2(const std::uint16_t* p, V& a, V& b) {
    load_stored(p, a);
    load_stored(p + 16, b);
  }
};
template <int Digits>
struct StoredIntegers {
  using Element = std::int8_t;
  using Rows = Rounded;
  static constexpr bool kRounds = true;
  static constexpr int kDigits = Digits;
  static void round(const float* x, const Rounded& to) { round_row<Digits>(x, to); }
};
struct StoredPaired {
  using Element = std::uint16_t;
  using Rows = Paired;
  static constexpr bool kRounds = true;
  static void round(const float* x, const Paired& to) { pair_row(to.width, x, to.numbers); }
};

inline constexpr std::int64_t kBlockRows = FrozenWeights::kBlockRows;
inline constexpr std::int64_t kUnits = FrozenWeights::kUnits;
inline constexpr std::int64_t kTileGroup = kUnits * FrozenWeights::kColumns;

// Rows times blocks whose products are computed before their gates: enough
// gates at a time to hide one another's latency, few enough to stay in the
// nearest cache.
inline constexpr std::int64_t kGatesAhead = 64;

inline constexpr int kPrefetchAhead = 2048;  // bytes

// Numbers of x and h that the calling thread rounds alone.
inline constexpr std::int64_t kRoundedHere = 8192;

// One register of every output's pair, as `sum_halves`.
template <class S, int R, int N, bool Upper, class T>
ONECELL_INLINED inline void sum_frozen_halves(std::int64_t width, const T* x,
                                              const typename S::Element* w, Halves<R, N, T>& sum) {
  using Half = typename Lanes<T>::R;
  unrolled<N>([&](auto n) ONECELL_INLINED {
    unrolled<R>([&](auto r) ONECELL_INLINED { sum[n][r] = Half::broadcast(T(0)); });
  });
  each_half<Upper, T>(width, [&](const auto& load, std::int64_t k) ONECELL_INLINED {
    typename Half::V row[N];
    unrolled<N>([&](auto n) ONECELL_INLINED { row[n] = load(x + n * width + k); });
    const typename S::Element* const group = w + k / Lanes<T>::size * kTileGroup + Upper * S::kHalf;
    unrolled<R / 2>([&](auto pair) ONECELL_INLINED {
      constexpr int r = 2 * pair;
      typename Half::V even, odd;
      S::load2(group + r * Lanes<T>::size, even, odd);
      Half::settle(even);
      unrolled<N>([&](auto n) ONECELL_INLINED { sum[n][r] = Half::fma(row[n], even, sum[n][r]); });
      Half::settle(odd);
      unrolled<N>([&](auto n)
                      ONECELL_INLINED { sum[n][r + 1] = Half::fma(row[n], odd, sum[n][r + 1]); });
    });
  });
}
template <class S, int R, int N, class T>
__attribute__((noinline)) void lower_frozen(std::int64_t width, const T* x,
                                            const typename S::Element* w, T* sums) {
  Halves<R, N, T> sum;
  sum_frozen_halves<S, R, N, false>(width, x, w, sum);
  store_halves<R, N>(sum, sums);
}
template <class S, int R, int N, class T>
__attribute__((noinline)) void upper_frozen(std::int64_t width, const T* x,
                                            const typename S::Element* w, const T* lower, T* out) {
  Halves<R, N, T> sum;
  sum_frozen_halves<S, R, N, true>(width, x, w, sum);
  fold_halves<R, N>(lower, sum, out, kBlockRows);
}

template <class S, int R, int N, class T>
inline void frozen_halves_tile(std::int64_t width, const T* x, const typename S::Element* w,
                               T* out) {
  alignas(64) T lower[N * R * Lanes<T>::R::size];
  lower_frozen<S, R, N>(width, x, w, lower);
  upper_frozen<S, R, N>(width, x, w, lower, out);
}

// R rows of a tile, from `w` on, against N rows of x: out[n][unit].
template <class S, int R, int N>
inline void frozen_tile(std::int64_t width, const float* x, const typename S::Element* w,
                        float* out) {
  if constexpr (kDotByHalves && N > 1) return frozen_halves_tile<S, R, N>(width, x, w, out);
  using V = Lanes<float>;
  V sum[N][R];
  unrolled<N>([&](auto n) ONECELL_INLINED {
    unrolled<R>([&](auto r) ONECELL_INLINED { sum[n][r] = V::zero(); });
  });
  const auto add = [&](const auto& load, std::int64_t k) ONECELL_INLINED {
    V row[N];
    unrolled<N>([&](auto n) ONECELL_INLINED { row[n] = load(x + n * width + k); });
    const typename S::Element* const group = w + k / V::size * kTileGroup;
    if constexpr (N == 1)  // Nothing else waits for memory: ask for what comes 2 KiB later.
      for (int at = 0; at < static_cast<int>(R * V::size * sizeof *w); at += 64)
        __builtin_prefetch(reinterpret_cast<const std::byte*>(group) + kPrefetchAhead + at);
    unrolled<R / 2>([&](auto pair) ONECELL_INLINED {
      constexpr int r = 2 * pair;
      V even, odd;
      S::load2(group + r * V::size, even, odd);
      unrolled<N>([&](auto n) ONECELL_INLINED {
        sum[n][r] = V::fma(row[n], even, sum[n][r]);
        sum[n][r + 1] = V::fma(row[n], odd, sum[n][r + 1]);
      });
    });
  };
  std::int64_t k = 0;
  for (; k + V::size <= width; k += V::size) add([](const float* p) { return V::load(p); }, k);
  if (const int rest = static_cast<int>(width - k); rest > 0)
    add([rest](const float* p) { return V::load_part(p, rest); }, k);
  unrolled<N>([&](auto n) ONECELL_INLINED { reduce<R>(sum[n], out + n * kBlockRows); });
}

// All 16 rows of a tile against N rows of x, as many at a time as there are
// registers for.
template <class S, int N>
inline void frozen_rows(std::int64_t width, const float* x, const typename S::Element* w,
                        float* out) {
  constexpr int some = std::max(kFrozenFewest, kFrozenRows / N / 4 * 4);
  for (int r = 0; r < kUnits; r += some)
    frozen_tile<S, some, N>(width, x, w + r * Lanes<float>::size, out + r);
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
                           const FloatRows& x, float* out) {
  const std::int64_t tile_size = m.groups() * kTileGroup;
  const auto* w = reinterpret_cast<const typename S::Element*>(m.rows) + block * 4 * tile_size;
  for (int gate = 0; gate < 4; ++gate, w += tile_size)
    for (std::int64_t n = 0, some; n < rows; n += some) {
      const std::int64_t left = rows - n;
      // Two tiles of about the same height rather than a high one and a low one.
      some = left <= kFrozenBatch ? left : left >= 2 * kFrozenBatch ? kFrozenBatch : (left + 1) / 2;
      frozen_rows<S, kFrozenBatch>(some, m.width, x.from(n).data, w,
                                   out + n * kBlockRows + gate * kUnits);
    }
}

// The same by integers.
template <class S>
inline void frozen_product(const FrozenWeights::Matrix& m, std::int64_t block, std::int64_t rows,
                           const Rounded& x, float* out) {
  using V = Lanes<float>;
  constexpr std::int64_t part = kRoundedBlock<S::kDigits> / FrozenWeights::kColumns;
  const std::int64_t groups = m.groups(), tile_size = groups * kTileGroup;
  const auto* w = reinterpret_cast<const std::int8_t*>(m.rows) + block * 4 * tile_size;
  for (int gate = 0; gate < 4; ++gate, w += tile_size) {
    const V scale = V::load(m.scales + block * kBlockRows + gate * kUnits);
    even_tiles<kIntegerRows<S::kDigits>>(rows, [&](auto count, std::int64_t n) {
      const Rounded from = x.from(n);
      alignas(64) std::int32_t whole[count][kUnits];
      V total[count];
      unrolled<count>([&](auto i) ONECELL_INLINED { total[i] = V::zero(); });
      for (std::int64_t g = 0; g < groups; g += part) {
        integer_tile<S::kDigits, count>(std::min(part, groups - g), from.group<S::kDigits>(g),
                                        from.row_bytes, from.sums + g / part * S::kDigits,
                                        from.row_sums, w + g * kTileGroup, whole);
        unrolled<count>([&](auto i) ONECELL_INLINED { total[i] = total[i] + to_floats(whole[i]); });
      }
      float* const to = out + n * kBlockRows + gate * kUnits;
      unrolled<count>([&](auto i) ONECELL_INLINED {
        ((total[i] * V::broadcast(from.scales[i])) * scale).store(to + i * kBlockRows);
      });
    });
  }
}

// The same by pairs of columns.
template <class S>
inline void frozen_product(const FrozenWeights::Matrix& m, std::int64_t block, std::int64_t rows,
                           const Paired& x, float* out) {
  paired_product(m, block, rows, x, out);
}

// The gates of one block, for `rows` rows whose state begins at c, h_next and
// c_next.
inline void frozen_gates(const FrozenWeights& w, std::int64_t block, std::int64_t rows,
                         const float* from_x, const float* from_h, const float* c, float* h_next,
                         float* c_next) {
  const std::int64_t hidden = w.hidden_size(), first = block * kUnits;
  const int units = static_cast<int>(std::min(kUnits, hidden - first));
  const auto bias = [block](const float* all) {
    return Gates<const float>{all == nullptr ? nullptr : all + block * kBlockRows, kUnits};
  };
  close_gates<float>({{from_x, kUnits},
                      {from_h, kUnits},
                      bias(w.bias_ih()),
                      bias(w.bias_hh()),
                      c + first,
                      h_next + first,
                      c_next + first,
                      {nullptr, 0},
                      kBlockRows,
                      kBlockRows,
                      0,
                      hidden,
                      0},
                     rows, units);
}

// One step, and where its input products wait if they were computed ahead.
template <class S>
struct FrozenStep {
  std::int64_t batch;
  typename S::Rows x;    // (N, I)
  const float* hoisted;  // for block b, row n: hoisted + b * hoisted_stride + n
                         // * kBlockRows; or null
  std::int64_t hoisted_stride;
  typename S::Rows h;
  const float* c;
  float *h_next, *c_next;
};

// The input products of blocks [begin, end), for `rows` rows of x, each block
// `stride` from the last. Different ranges of blocks may run on different
// threads.
template <class S>
inline void frozen_hoist(const FrozenWeights& w, std::int64_t begin, std::int64_t end,
                         std::int64_t rows, const typename S::Rows& x, std::int64_t stride,
                         float* out) {
  for (std::int64_t block = begin; block < end; ++block)
    frozen_product<S>(w.from_x(), block, rows, x, out + block * stride);
}

// The units of blocks [begin, end) of one step. Different ranges may run on
// different threads, each with a `room` of its own: 2 * kGatesAhead *
// kBlockRows floats.
template <class S>
inline void frozen_step(const FrozenWeights& w, const FrozenStep<S>& s, std::int64_t begin,
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
          frozen_product<S>(w.from_x(), block, rows, s.x.from(n), near_x + place(block));
        frozen_product<S>(w.from_h(), block, rows, s.h.from(n), near_h + place(block));
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
  const std::int64_t N = a.batch, I = w.input_size(), H = w.hidden_size(), state = N * H;
  if (a.steps == 0 || N == 0) return copy_or_zero(state, a.c, a.c_last);
  const std::int64_t chunk = std::min(a.steps, kHoistedRows / N);  // 0: a step at a time is enough
  const bool hoisted = chunk > 1, from_zero = a.h == nullptr || a.c == nullptr;
  const std::int64_t stride = chunk * N * kBlockRows;

  const auto room = [](std::int64_t count) { return Scratch::padded(count * sizeof(float)); };
  const std::int64_t x_rows = S::kRounds ? (hoisted ? chunk : 1) * N : 0;
  const std::int64_t h_rows = S::kRounds ? N : 0;
  const bool lent = a.room != nullptr && a.steps == 1 && !from_zero;
  Scratch scratch((from_zero ? room(state) : 0) + (hoisted ? room(w.blocks() * stride) : 0) +
                      rows_room(w.storage(), x_rows, I) + rows_room(w.storage(), h_rows, H),
                  lent ? a.room : nullptr);
  float* const zeros = from_zero ? scratch.take<float>(state) : nullptr;
  float* const waiting = hoisted ? scratch.take<float>(w.blocks() * stride) : nullptr;
  using Held = std::conditional_t<S::kRounds, typename S::Rows, Rounded>;
  [[maybe_unused]] const Held rounded_x(x_rows, I, scratch), rounded_h(h_rows, H, scratch);
  if (from_zero) std::memset(zeros, 0, state * sizeof(float));

  // As cell.h's products cost, but for the bytes that a weight takes.
  const std::int64_t width = hoisted ? H : I + H;
  const double weights = static_cast<double>(4 * H) * static_cast<double>(width);
  const double step_ns = weights * (static_cast<double>(N) / (S::kRounds ? 200 : 80) +
                                    sizeof(typename S::Element) / 100.0 + 0.01) +
                         gates_ns<float>(N, H);
  Turn turn(a.alone ? 0 : step_ns, a.steps);
  const std::int64_t parts = parts_each(turn, w.blocks(), step_ns);
  const std::int64_t count = parts * turn.members();

  const auto h_of = [&](std::int64_t t) {
    return t > 0 ? a.h_all + (t - 1) * state : a.h != nullptr ? a.h : zeros;
  };
  // Part `part` of `of` of the rows of x, and of h as it is before step t, of which there are so
  // many to be rounded.
  const auto round = [&](const float* x, std::int64_t x_count, std::int64_t t, std::int64_t h_count,
                         std::int64_t part, std::int64_t of) {
    if constexpr (S::kRounds) {
      const Range mine = share(x_count + h_count, 1, part, of);
      for (std::int64_t row = mine.first; row < mine.last; ++row)
        if (row < x_count)
          S::round(x + row * I, rounded_x.from(row));
        else
          S::round(h_of(t) + (row - x_count) * H, rounded_h.from(row - x_count));
    }
  };
  // For a small step, waiting for one another would take longer than rounding.
  const bool rounded = S::kRounds && a.steps == 1 && N * (I + H) <= kRoundedHere;
  if (rounded) {
    const FloatEnvironment environment;
    round(a.x, N, 0, N, 0, 1);
  }
  const std::int64_t apart = S::kRounds && !rounded ? 2 : 1;
  // Phases: for every chunk of steps its input product, if hoisted, and then the steps; each after
  // one that rounds what it takes, if it is still to be rounded.
  auto body = [&](std::int64_t phase, std::int64_t part) {
    const bool rounds = apart == 2 && phase % 2 == 0;
    phase /= apart;
    const std::int64_t ahead = hoisted ? phase % (chunk + 1) - 1 : 0;
    const std::int64_t t = hoisted ? phase / (chunk + 1) * chunk + ahead : phase;
    const std::int64_t from = ahead < 0 ? t + 1 : t;
    const std::int64_t x_count = ahead < 0 ? std::min(chunk, a.steps - from) * N : hoisted ? 0 : N;
    const float* const x = a.x + from * N * I;
    if (rounds) return round(x, x_count, t, ahead < 0 ? 0 : N, part, count);
    typename S::Rows x_now, h_now;
    if constexpr (S::kRounds) {
      x_now = rounded_x;
      h_now = rounded_h;
    } else {
      x_now = {x, I};
      h_now = {ahead < 0 ? nullptr : h_of(t), H};
    }
    const Range mine = share(w.blocks(), 1, part, count);
    if (ahead < 0)
      return frozen_hoist<S>(w, mine.first, mine.last, x_count, x_now, stride, waiting);
    alignas(64) float near[2 * kGatesAhead * kBlockRows];
    const float* const c = t > 0 ? a.c_last : a.c != nullptr ? a.c : zeros;
    frozen_step<S>(w,
                   {N, x_now, hoisted ? waiting + ahead * N * kBlockRows : nullptr, stride, h_now,
                    c, a.h_all + t * state, a.c_last},
                   mine.first, mine.last, near);
  };
  const std::int64_t chunks = hoisted ? (a.steps + chunk - 1) / chunk : 0;
  perform(turn, (chunks + a.steps) * apart, parts, body);
}

inline void frozen_unroll(const FrozenForward& a) {
  switch (a.weights->storage()) {
    case Storage::kFloat32:
      return frozen_unroll_as<StoredFloat32>(a);
    case Storage::kBfloat16:
      return frozen_unroll_as<StoredBfloat16>(a);
    case Storage::kFloat16:
      return frozen_unroll_as<StoredFloat16>(a);
    case Storage::kInt8:
      return frozen_unroll_as<StoredIntegers<2>>(a);
    case Storage::kInt8Int8:
      return frozen_unroll_as<StoredIntegers<1>>(a);
    case Storage::kBfloat16Bfloat16:
      return frozen_unroll_as<StoredPaired>(a);
  }
}

}  // namespace onecell::ONECELL_ISA
