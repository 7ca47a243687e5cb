// The sums of a tile of dot.h where lanes are a pair of registers of which there are few: first the
// lower register of every output's pair, then the upper one. So the sums of twice as many outputs
// have room, and each load serves several. (Zen 3: seven loads for 12 multiply-adds instead of
// ten for eight.)
#pragma once

namespace onecell::ONECELL_ISA {

// Where a tile brings the row that is ahead; or all rows that are, or half of them, into the second
// cache.
enum class Fetch : std::uint8_t { kNowhere, kSecondCache, kNearest, kAllRows, kHalfOfRows };

// Bring what a tile of R rows of weights fetches while it is at column k.
template <Fetch To, int R, class T>
ONECELL_INLINED inline void fetch_ahead(const T* ahead, std::int64_t width, std::int64_t k) {
  if constexpr (To == Fetch::kAllRows || To == Fetch::kHalfOfRows)
    unrolled<To == Fetch::kAllRows ? R : R / 2>(
        [&](auto r) ONECELL_INLINED { fetch(ahead + r * width + k); });
  else if constexpr (To != Fetch::kNowhere)
    fetch<To == Fetch::kNearest>(ahead + k);
}

// Bytes of the narrowest rows that two passes are worth it for. (Zen 3: 1.1 to 1.4 times the time
// at 256, 0.9 at 1024 and 2048.)
inline constexpr std::int64_t kHalvesWidth = 768;

template <int R, int N, class T>
using Halves = typename Lanes<T>::V[N][R];

// Call add(load, k) for every lower or upper register of a row, k being its first column. Where the
// last group of columns has some of it only, or none, the others are loaded as zeros.
template <bool Upper, class T, class F>
ONECELL_INLINED inline void each_half(std::int64_t width, const F& add) {
  using Half = typename Lanes<T>::R;
  constexpr std::int64_t begin = Upper * Half::size;
  std::int64_t k = begin;
  for (; k + Half::size <= width; k += Lanes<T>::size)
    add([](const T* p) ONECELL_INLINED { return Half::load(p); }, k);
  if (k - begin >= width) return;
  const int some = static_cast<int>(std::max<std::int64_t>(0, width - k));
  add([some](const T* p) ONECELL_INLINED { return Half::load_part(p, some); }, k);
}

// The lower or upper register of every output's pair. Rows of x lie as those of w do, or `Beside`
// each other.
template <int R, int N, Fetch To, bool Beside, bool Upper, class T>
ONECELL_INLINED inline void sum_halves(std::int64_t width, const T* x, const T* w, const T* ahead,
                                       Halves<R, N, T>& sum) {
  using Half = typename Lanes<T>::R;
  unrolled<N>([&](auto n) ONECELL_INLINED {
    unrolled<R>([&](auto r) ONECELL_INLINED { sum[n][r] = Half::broadcast(T(0)); });
  });
  each_half<Upper, T>(width, [&](const auto& load, std::int64_t k) ONECELL_INLINED {
    fetch_ahead<To, R>(ahead, width, k);
    typename Half::V row[N];
    unrolled<N>([&](auto n) ONECELL_INLINED {
      constexpr std::int64_t step = Lanes<T>::size, begin = Upper * Half::size;
      row[n] = load(Beside ? x + (k - begin) * N + n * step + begin : x + n * width + k);
    });
    unrolled<R>([&](auto r) ONECELL_INLINED {
      auto weight = load(w + r * width + k);
      Half::settle(weight);
      unrolled<N>([&](auto n)
                      ONECELL_INLINED { sum[n][r] = Half::fma(row[n], weight, sum[n][r]); });
    });
  });
}

// Add up the lower and the upper sums, the first level of rule 1's tree, and then the others.
template <int R, int N, class T>
ONECELL_INLINED inline void fold_halves(const T* lower, Halves<R, N, T>& sum, T* out,
                                        std::int64_t out_stride) {
  using Half = typename Lanes<T>::R;
  unrolled<N * R>([&](auto i) ONECELL_INLINED {
    sum[i / R][i % R] = Half::load(lower + i * Half::size) + sum[i / R][i % R];
  });
  unrolled<N>([&](auto n) ONECELL_INLINED {
    T* const to = out + n * out_stride;
    if constexpr (R == 1) {
      const auto zero = Half::broadcast(T(0));
      T four[4];
      Half::reduce4(sum[n][0], zero, zero, zero, four);
      to[0] = four[0];
    } else if constexpr (Half::size < 8) {
      Half::reduce4(sum[n][0], sum[n][1], sum[n][2], sum[n][3], to);
    } else if constexpr (n % 2 == 1) {
      Half::reduce4of2(sum[n - 1], sum[n], to - out_stride, to);
    } else if constexpr (n == N - 1) {
      Half::reduce4(sum[n][0], sum[n][1], sum[n][2], sum[n][3], to);
    }
  });
}

template <int R, int N, class T>
ONECELL_INLINED inline void store_halves(const Halves<R, N, T>& sum, T* to) {
  using Half = typename Lanes<T>::R;
  unrolled<N * R>([&](auto i)
                      ONECELL_INLINED { Half::store(to + i * Half::size, sum[i / R][i % R]); });
}

// The two passes are functions apart: together, GCC would keep some of their sums in memory.
template <int R, int N, Fetch To, bool Beside, class T>
__attribute__((noinline)) void lower_halves(std::int64_t width, const T* x, const T* w,
                                            const T* ahead, T* sums) {
  Halves<R, N, T> sum;
  sum_halves<R, N, To, Beside, false>(width, x, w, ahead, sum);
  store_halves<R, N>(sum, sums);
}
template <int R, int N, bool Beside, class T>
__attribute__((noinline)) void upper_halves(std::int64_t width, const T* x, const T* w,
                                            const T* lower, T* out, std::int64_t out_stride) {
  Halves<R, N, T> sum;
  sum_halves<R, N, Fetch::kNowhere, Beside, true>(width, x, w, w, sum);
  fold_halves<R, N>(lower, sum, out, out_stride);
}

// Tile of R rows of w, 1 or 4, against N rows of x: out[n][r] = x[n] . w[r]. Meanwhile the row at
// `ahead` is fetched.
template <int R, int N, Fetch To, bool Beside, class T>
inline void halves_tile(std::int64_t width, const T* x, const T* w, const T* ahead, T* out,
                        std::int64_t out_stride) {
  alignas(64) T lower[N * R * Lanes<T>::R::size];
  lower_halves<R, N, To, Beside>(width, x, w, ahead, lower);
  upper_halves<R, N, Beside>(width, x, w, lower, out, out_stride);
}

}  // namespace onecell::ONECELL_ISA
