// Forward products by weights from afar of rows of x that are laid beside each other before: the
// same sums as in dot.h. A page apart, as they often lie, rows of x and of weights push each other
// out of the nearest cache; and where a row does not begin at a line, each of its loads crosses
// one.
#pragma once

namespace onecell::ONECELL_ISA {

// How rows of x lie: as they came; in tall tiles, two rows of weights against as many rows of x as
// stay in the nearest cache; or, of many, in pairs or threes, which stream by.
enum class Laid : std::uint8_t { kApart, kTall, kAlong };

// (Zen 5, the products: 0.75 to 0.85 of the time for seven to 16 rows of 768 and 1024, 0.9 to 0.97
// for 24, in tall tiles; for more than 32 rows 0.91 to 0.95 at 1024 and 0.95 to 1 at 512.)
constexpr std::int64_t kTallFewest = 7, kTallMost = 32, kTallBytes = 36 << 10;

// Whoever computes rows that are laid along begins at a multiple of so many of them.
inline constexpr std::int64_t kAlong = 6;

// How `batch` rows of x are to be laid, for weights of `hidden` units.
template <class T>
constexpr Laid how_laid(std::int64_t batch, std::int64_t width, std::int64_t hidden) {
  const std::int64_t bytes = width * static_cast<std::int64_t>(sizeof(T));
  if constexpr (kDotByHalves)
    return batch >= kAlong && bytes >= kPage && batch <= hidden && hidden % kDotRows == 0
               ? Laid::kAlong
               : Laid::kApart;
  if (!kDotOverlaps || batch < kTallFewest || bytes < kFarRow) return Laid::kApart;
  if (batch <= kTallMost) return bytes <= kTallBytes / 9 ? Laid::kTall : Laid::kApart;
  // Few units are shared among threads by rows, cut elsewhere.
  return batch <= hidden && hidden % kDotRows == 0 ? Laid::kAlong : Laid::kApart;
}

// Call f(rows, first) for every tile of such rows, `rows` a constant.
template <class T, class F>
inline void each_tall(std::int64_t batch, std::int64_t width, const F& f) {
  constexpr std::int64_t bytes = sizeof(T);
  const auto some = [&](auto rows, std::int64_t n) ONECELL_INLINED {
    if constexpr (rows >= 4) f(rows, n);  // with fewer left over, there would be one tile less
  };
  if (12 * width * bytes <= kTallBytes)
    even_tiles<12>(batch, some);
  else
    even_tiles<9>(batch, some);
}

// Whether rows that are laid along are so in threes: beyond that, pairs read x too often; nearer,
// the sums of threes take longer to fold than they save.
template <class T>
constexpr bool in_threes(std::int64_t width) {
  return width * static_cast<std::int64_t>(sizeof(T)) >= kPage;
}

// Lay rows [first, last) of `batch` of x beside the others of their tile, a register a row in turn.
template <class T>
inline void lay_beside(Laid how, std::int64_t batch, std::int64_t width, std::int64_t first,
                       std::int64_t last, const T* x, T* to) {
  constexpr std::int64_t size = Lanes<T>::size;
  const auto lay = [&](auto rows, std::int64_t n) {
    for (std::int64_t row = std::max(first, n); row < std::min<std::int64_t>(last, n + rows);
         ++row) {
      T* at = to + beside_size<T>(n, width) + (row - n) * size;
      each_group<T>(width, [&](std::int64_t k, int some) {
        load_some(x + row * width + k, some).store(at);
        at += rows * size;
      });
    }
  };
  if (how == Laid::kTall)
    each_tall<T>(batch, width, lay);
  else if (in_threes<T>(width))
    even_tiles<3>(batch, lay);
  else
    even_tiles<2>(batch, lay);
}

// Tile of two rows of w against N rows of x beside each other: each is loaded once for both, so
// that no register is lost to it. Meanwhile the two rows from `ahead` on are fetched.
template <int N, class T>
inline void tall_tile(std::int64_t width, const T* x, const T* w, const T* other, const T* ahead,
                      T* out, std::int64_t out_stride) {
  using V = Lanes<T>;
  constexpr int fours = (N + 3) / 4;
  V sum[8 * fours];
  unrolled<8 * fours>([&](auto i) ONECELL_INLINED { sum[i] = V::zero(); });
  const auto add = [&](V weight, V another) ONECELL_INLINED {
    weight.settle();
    another.settle();
    unrolled<N>([&](auto n) ONECELL_INLINED {
      V row = V::load(x + n * V::size);
      row.settle();
      sum[2 * n] = V::fma(row, weight, sum[2 * n]);
      sum[2 * n + 1] = V::fma(row, another, sum[2 * n + 1]);
    });
    x += N * V::size;
  };
  std::int64_t k = 0;
  for (; k + V::size <= width; k += V::size) {
    fetch<true>(ahead + k);
    fetch<true>(ahead + width + k);
    add(V::load(w + k), V::load(other + k));
  }
  if (const int rest = static_cast<int>(width - k); rest > 0)
    add(V::load_part(w + k, rest), V::load_part(other + k, rest));
  unrolled<fours>([&](auto four) ONECELL_INLINED {
    const V* const s = sum + 8 * four;
    T folded[8];
    V::reduce8(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], folded);
    unrolled<std::min(4, N - 4 * four)>([&](auto n) ONECELL_INLINED {
      std::memcpy(out + (4 * four + n) * out_stride, folded + 2 * n, 2 * sizeof(T));
    });
  });
}

// The products of rows of x laid beside each other and all four gates of `units` units from w on,
// the gates `hidden` rows apart: that of row n and gate q goes to out + n * row_stride + q *
// gate_stride, with a number more where `units` is odd. A tile's rows pass by all gates before
// those of the next one come to the nearest cache. (Zen 5, 16 rows of 1024: 0.9 of the time.)
template <class T>
inline void tall_product(std::int64_t batch, std::int64_t width, std::int64_t hidden,
                         std::int64_t units, const T* x, const T* w, T* out,
                         std::int64_t row_stride, std::int64_t gate_stride) {
  each_tall<T>(batch, width, [&](auto count, std::int64_t n) {
    const T* const tile = x + beside_size<T>(n, width);
    const T* const then = n + count < batch ? w : w + units * width;
    for (int gate = 0; gate < 4; ++gate)
      for (std::int64_t r = 0; r < units; r += 2) {
        const T* const row = w + (gate * hidden + r) * width;
        const T* const ahead = r + 2 < units ? row + 2 * width
                               : gate < 3    ? w + (gate + 1) * hidden * width
                                             : then;
        tall_tile<count>(width, tile, row, r + 1 < units ? row + width : row, ahead,
                         out + n * row_stride + gate * gate_stride + r, row_stride);
      }
  });
}

// The same of rows laid along, from a multiple of kAlong to another one or the last of them.
template <class T>
inline void along_product(std::int64_t rows, std::int64_t width, std::int64_t hidden,
                          std::int64_t units, const T* x, const T* w, T* out,
                          std::int64_t row_stride, std::int64_t gate_stride) {
  const auto run = [&](auto most) {
    const T* const group = w;
    for (int gate = 0; gate < 4; ++gate, w += hidden * width)
      for (std::int64_t r = 0; r < units; r += kDotRows) {
        const T* const ahead = r + kDotRows < units ? w + (r + kDotRows) * width
                               : gate < 3           ? w + hidden * width
                                                    : group + units * width;
        dot_rows<kDotRows, most, Cut::kEven, true>(rows, width, x, w + r * width, ahead,
                                                   out + gate * gate_stride + r, row_stride);
      }
  };
  using std::integral_constant;
  in_threes<T>(width) ? run(integral_constant<int, 3>()) : run(integral_constant<int, 2>());
}

}  // namespace onecell::ONECELL_ISA
