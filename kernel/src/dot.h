// Forward products in register tiles: every output is a dot product, added up by rule 1 of cell.h.
#pragma once

namespace onecell::ONECELL_ISA {

// The numbers that `batch` rows laid beside each other take: whole registers, the last filled up.
template <class T>
constexpr std::int64_t beside_size(std::int64_t batch, std::int64_t width) {
  return batch * ((width + Lanes<T>::size - 1) / Lanes<T>::size * Lanes<T>::size);
}

// Tile of R rows of w against N rows of x: out[n][r] = x[n] . w[r]. R is 1, 2 or a multiple of 4.
// Rows of x are `width` apart, or `Beside` each other: see beside.h. Meanwhile the row at `ahead`
// is fetched.
template <int R, int N, Fetch To, bool Beside = false, class T>
ONECELL_INLINED inline void inlined_dot_tile(std::int64_t width, const T* x, const T* w,
                                             const T* ahead, T* out, std::int64_t out_stride) {
  using V = Lanes<T>;
  V sum[N][R];
  unrolled<N>([&](auto n) ONECELL_INLINED {
    unrolled<R>([&](auto r) ONECELL_INLINED { sum[n][r] = V::zero(); });
  });
  const auto add = [&](const auto& load, std::int64_t k) ONECELL_INLINED {
    V row[N];
    unrolled<N>([&](auto n) ONECELL_INLINED {
      row[n] = Beside ? V::load(x + k * N + n * V::size) : load(x + n * width + k);
    });
    unrolled<R>([&](auto r) ONECELL_INLINED {
      V weight = load(w + r * width + k);
      if constexpr (N > 1) weight.settle();
      unrolled<N>([&](auto n) ONECELL_INLINED { sum[n][r] = V::fma(row[n], weight, sum[n][r]); });
    });
  };
  std::int64_t k = 0;
  for (; k + V::size <= width; k += V::size) {
    fetch_ahead<To, R>(ahead, width, k);
    if constexpr (kDotByRegister && N > 1)
      V::add_products(width, x + k, w + k, sum);
    else
      add([](const T* p) { return V::load(p); }, k);
  }
  if (const int rest = static_cast<int>(width - k); rest > 0)
    add([rest](const T* p) { return V::load_part(p, rest); }, k);
  if constexpr (R == 4 && N > 1 && V::reduces8) {
    unrolled<N / 2>([&](auto pair) ONECELL_INLINED {
      constexpr int n = 2 * pair;
      T* const to = out + n * out_stride;
      V::reduce4of2(sum[n], sum[n + 1], to, to + out_stride);
    });
    if constexpr (N % 2 == 1) {
      const V(&last)[R] = sum[N - 1];
      V::reduce4(last[0], last[1], last[2], last[3], out + (N - 1) * out_stride);
    }
    return;
  }
  unrolled<N>([&](auto n) ONECELL_INLINED {
    T* const to = out + n * out_stride;
    if constexpr (R == 1) {
      T four[4];
      V::reduce4(sum[n][0], V::zero(), V::zero(), V::zero(), four);
      to[0] = four[0];
    } else if constexpr (R == 2) {
      V::reduce2(sum[n][0], sum[n][1], to);
    } else if constexpr (R % 8 == 0 && V::reduces8) {
      unrolled<R / 8>([&](auto eight) ONECELL_INLINED {
        constexpr int r = 8 * eight;
        V::reduce8(sum[n][r], sum[n][r + 1], sum[n][r + 2], sum[n][r + 3], sum[n][r + 4],
                   sum[n][r + 5], sum[n][r + 6], sum[n][r + 7], to + r);
      });
    } else {
      unrolled<R / 4>([&](auto four) ONECELL_INLINED {
        constexpr int r = 4 * four;
        V::reduce4(sum[n][r], sum[n][r + 1], sum[n][r + 2], sum[n][r + 3], to + r);
      });
    }
  });
}

template <int R, int N, Fetch To, bool Beside = false, class T>
inline void dot_tile(std::int64_t width, const T* x, const T* w, const T* ahead, T* out,
                     std::int64_t out_stride) {
  if constexpr (kDotByHalves && N > 1)
    halves_tile<R, N, To, Beside>(width, x, w, ahead, out, out_stride);
  else
    inlined_dot_tile<R, N, To, Beside>(width, x, w, ahead, out, out_stride);
}

// Weights whose rows take so many bytes come from beyond the second cache. For one row of x few of
// them at a time, so that the hardware looks ahead by itself. (Fetched by hand they took 1.02 to
// 1.3 times as long.)
constexpr std::int64_t kFarRow = 2048;

// All of x that stays in the nearest cache while such weights pass; and a page of memory, beyond
// whose end the hardware does not look ahead.
constexpr std::int64_t kNearRows = 32 << 10, kPage = 4096;

// How rows of x are cut into tiles.
enum class Cut : std::uint8_t { kEven, kPairs };

// R rows of w against all of x: as even tiles of at most N rows of x as there can be, or as pairs,
// three together where their number is odd. Meanwhile the R rows from `ahead` on are fetched: by
// the first tiles from afar, and where the rows are far and the tiles many, so that x passes
// through the nearest cache and would push them out, by the last ones into that one. (Zen 5, 64
// rows of 512: 0.95 to 0.98 of the time; nearer ones 1.03.) Where there are two tiles and rows fill
// a page, each fetches half. (Eight rows of 1024: 0.84 to 0.97.)
template <int R, int N, Cut How = Cut::kEven, bool Beside = false, class T>
inline void dot_rows(std::int64_t batch, std::int64_t width, const T* x, const T* w, const T* ahead,
                     T* out, std::int64_t out_stride) {
  const std::int64_t tiles = How == Cut::kPairs ? batch / 2 : (batch + N - 1) / N;
  const bool far = width * static_cast<std::int64_t>(sizeof(T)) >= kFarRow;
  const std::int64_t last = far && tiles >= 2 * R ? tiles - R : tiles;
  [[maybe_unused]] const bool halves =
      tiles == 2 && width * static_cast<std::int64_t>(sizeof(T)) >= kPage;
  const std::int64_t stride = Beside ? beside_size<T>(1, width) : width;
  std::int64_t tile = 0;
  const auto run_tile = [&](auto rows, std::int64_t n) ONECELL_INLINED {
    const auto run = [&](auto to, std::int64_t row) ONECELL_INLINED {
      dot_tile<R, rows, (rows > 1 ? to() : Fetch::kNowhere), Beside>(
          width, x + n * stride, w, ahead + row * width, out + n * out_stride, out_stride);
    };
    using std::integral_constant;
    if constexpr (R == 4 && kDotOverlaps) {
      if (halves) {
        run(integral_constant<Fetch, Fetch::kHalfOfRows>(), tile * R / 2);
        ++tile;
        return;
      }
    }
    if (tile >= last)
      run(integral_constant<Fetch, Fetch::kNearest>(), tile - last);
    else if (tile < R)
      run(integral_constant<Fetch, Fetch::kSecondCache>(), tile);
    else
      run(integral_constant<Fetch, Fetch::kNowhere>(), 0);
    ++tile;
  };
  if constexpr (How == Cut::kPairs) {
    const std::int64_t odd = batch % 2 == 0 ? 0 : 3;
    if (odd > 0) run_tile(std::integral_constant<int, 3>(), 0);
    for (std::int64_t n = odd; n < batch; n += 2) run_tile(std::integral_constant<int, 2>(), n);
  } else {
    even_tiles<N>(batch, run_tile);
  }
}

// out[n][r] = x[n] . w[r] for x (batch, width) and `rows` rows of w (., width). Rows from `ahead`
// on are those that will be needed next.
template <class T>
inline void dot_product(std::int64_t batch, std::int64_t width, std::int64_t rows, const T* x,
                        const T* w, const T* ahead, T* out, std::int64_t out_stride) {
  // Weights outside, x inside: each weight is fetched once, x stays in the nearest caches.
  std::int64_t r = 0;
  const auto next = [&](int tile) { return r + tile < rows ? w + (r + tile) * width : ahead; };
  constexpr int far = std::max(kDotRows, 4);
  if (batch == 1 && width * static_cast<std::int64_t>(sizeof(T)) >= kFarRow)
    for (; r + far <= rows; r += far)
      dot_tile<far, 1, Fetch::kNowhere>(width, x, w + r * width, ahead, out + r, out_stride);
  else if (batch == 1)
    for (; r + kDotRowsOfOne <= rows; r += kDotRowsOfOne)
      dot_tile<kDotRowsOfOne, 1, Fetch::kNowhere>(width, x, w + r * width, ahead, out + r,
                                                  out_stride);
  if constexpr (kDotOverlaps) {
    // A tile of fewer sums leaves the machine more room to begin the next while these are folded,
    // so long as its more frequent loads do not cross lines. Few rows pass by weights from afar
    // once, as a single tile. (Zen 5, pairs instead of threes, 16 and 64 rows: 0.94 of the time at
    // a width of 128, 0.93 to 0.97 at 256, 1.2 where they cross; three to six rows at once instead
    // of in two tiles: 0.73 to 0.99 at 512 and 1024.)
    const auto at = [](const T* p) { return reinterpret_cast<std::uintptr_t>(p); };
    const std::int64_t bytes = width * static_cast<std::int64_t>(sizeof(T));
    constexpr int few = 6;
    if (batch >= 3 && batch <= few && bytes >= kFarRow)
      for (; r + 4 <= rows; r += 4)
        even_tiles<few>(batch, [&](auto all, std::int64_t) {
          if (bytes >= kPage)
            dot_tile<4, all, Fetch::kAllRows>(width, x, w + r * width, next(4), out + r,
                                              out_stride);
          else
            dot_tile<4, all, Fetch::kNowhere>(width, x, w + r * width, ahead, out + r, out_stride);
        });
    else if (batch >= 4 && bytes >= kFarRow && batch * bytes <= kNearRows)
      for (; r + 4 <= rows; r += 4)
        dot_rows<4, 4>(batch, width, x, w + r * width, next(4), out + r, out_stride);
    else if (batch > 1 && bytes >= 256 &&
             (at(x) | at(w) | static_cast<std::uintptr_t>(bytes)) % 64 == 0)
      for (; r + kDotRows <= rows; r += kDotRows)
        dot_rows<kDotRows, 2, Cut::kPairs>(batch, width, x, w + r * width, next(kDotRows), out + r,
                                           out_stride);
  }
  if constexpr (kDotByHalves)
    if (width * static_cast<std::int64_t>(sizeof(T)) < kHalvesWidth) {
      const auto run = [&](auto tile_rows) ONECELL_INLINED {
        for (std::int64_t n = 0; n < batch; ++n)
          inlined_dot_tile<tile_rows, 1, Fetch::kNowhere>(
              width, x + n * width, w + r * width, ahead, out + n * out_stride + r, out_stride);
      };
      for (; r + kDotRows <= rows; r += kDotRows) run(std::integral_constant<int, kDotRows>());
      for (; r < rows; ++r) run(std::integral_constant<int, 1>());
    }
  for (; r + kDotRows <= rows; r += kDotRows)
    dot_rows<kDotRows, kDotBatch>(batch, width, x, w + r * width, next(kDotRows), out + r,
                                  out_stride);
  if constexpr (kDotRows > 4)
    for (; r + 4 <= rows; r += 4)
      dot_rows<4, kDotBatch>(batch, width, x, w + r * width, next(4), out + r, out_stride);
  for (; r < rows; ++r)
    dot_rows<1, kDotBatch>(batch, width, x, w + r * width, next(1), out + r, out_stride);
}

}  // namespace onecell::ONECELL_ISA
