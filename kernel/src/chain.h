// Forward products of many rows: the same sums as in dot.h, by weights laid out for them once.
//
// A dot product has L partial sums, which a register of one output's holds side by side and has to
// fold at the end. Laid out across outputs instead, the k-th weights of L outputs side by side, a
// partial sum is a chain of whole registers and the tree that adds them up shuffles nothing.
#pragma once

namespace onecell::ONECELL_ISA {

// The values that `lay_out` writes for one group of L units: their four gates, K wide.
template <class T>
constexpr std::int64_t laid_out_size(std::int64_t width) {
  return 4 * Lanes<T>::size * width;
}

// The order in which partial sums are computed, so that the tree needs few of them at a time:
// bits reversed, 0 8 4 12 2 10 6 14 1 9 ... of 16.
template <class T>
constexpr int tree_order(int index) {
  int reversed = 0;
  for (int bit = 1; bit < Lanes<T>::size; bit *= 2) {
    reversed = 2 * reversed + index % 2;
    index /= 2;
  }
  return reversed;
}

// How many k belong to a partial sum.
template <class T>
inline std::int64_t chain_length(std::int64_t width, int index) {
  return (width - tree_order<T>(index) + Lanes<T>::size - 1) / Lanes<T>::size;
}

// Partial sums that a single row computes at a time: one alone would not keep the arithmetic busy.
inline constexpr int kTogether = 4;

// Lay out the weights (G, width) of `units` <= L units from w on, the gates `hidden` rows apart:
// tiles of V registers, in each the partial sums in the tree's order, `together` of them at a time,
// in each such round the k in rising order. Whoever reads a tile reads straight on. A gate takes
// `slots` lanes.
template <int V = kOuterVectors, class T>
void lay_out(std::int64_t width, std::int64_t hidden, std::int64_t units, int together, const T* w,
             T* to, int slots = Lanes<T>::size) {
  using L = Lanes<T>;
  constexpr std::int64_t group = V * L::size;
  const int rest = static_cast<int>(width % L::size);
  // Where the first k of a partial sum goes, and the last where not every sum has one.
  std::int64_t begin[L::size], end[L::size], base = 0;
  for (int index = 0; index < L::size; index += together)
    for (int c = 0, fewer = 0; c < together; ++c) {
      const int chain = tree_order<T>(index + c);
      begin[chain] = base + c;
      end[chain] = base + fewer + width / L::size * together;
      fewer += chain < rest;
      if (c == together - 1) base += width / L::size * together + fewer;
    }
  for (int first = 0, vector = 0; first < 4 * slots; first += L::size, ++vector) {
    T* const tile = to + vector / V * group * width + vector % V * L::size;
    const T* from[L::size];
    for (int lane = 0, gate = first / slots, u = 0; lane < L::size; ++lane) {
      from[lane] = u < units ? w + (gate * hidden + u) * width : nullptr;
      if (++u == slots) u = 0, ++gate;
    }
    L block[L::size];
    std::int64_t k = 0;
    for (; k + L::size <= width; k += L::size) {
      unrolled<L::size>([&](auto lane) ONECELL_INLINED {
        block[lane] = from[lane] != nullptr ? L::load(from[lane] + k) : L::zero();
      });
      L::transpose(block);
      unrolled<L::size>([&](auto lane) ONECELL_INLINED {
        block[lane].store(tile + (begin[lane] + k / L::size * together) * group);
      });
    }
    if (rest == 0) continue;
    unrolled<L::size>([&](auto lane) ONECELL_INLINED {
      block[lane] = from[lane] != nullptr ? L::load_part(from[lane] + k, rest) : L::zero();
    });
    L::transpose(block);
    unrolled<L::size>([&](auto lane) ONECELL_INLINED {
      if (lane < rest) block[lane].store(tile + end[lane] * group);
    });
  }
}

// Tile of R rows of x against V registers of weights, `laid_out` from `panel` on, such as a gate of
// L units each: the product of row n and gate v goes to out + n * row_stride + v * gate_stride.
// Meanwhile up to width / 2 lines of memory from `ahead` on are fetched, which somebody will need
// next.
template <int R, int V, class T>
inline void chain_tile(std::int64_t width, const T* x, const T* panel, const T* ahead, int units,
                       T* out, std::int64_t row_stride, std::int64_t gate_stride) {
  using L = Lanes<T>;
  constexpr int levels = L::size == 16 ? 4 : 3;
  alignas(64) T waiting[levels][R * V * L::size];
  for (int index = 0; index < L::size; ++index) {
    L sum[R][V];
    unrolled<R>([&](auto r) ONECELL_INLINED {
      unrolled<V>([&](auto v) ONECELL_INLINED { sum[r][v] = L::zero(); });
    });
    const T* row = x + tree_order<T>(index);
    const auto add = [&](int k) ONECELL_INLINED {
      L column[V];
      unrolled<V>([&](auto v) ONECELL_INLINED {
        column[v] = L::load(panel + (k * V + v) * L::size);
        column[v].settle();
      });
      unrolled<R>([&](auto r) ONECELL_INLINED {
        const typename L::Factor factor = L::factor(row[r * width + k * L::size]);
        unrolled<V>([&](auto v)
                        ONECELL_INLINED { sum[r][v] = L::fma(factor, column[v], sum[r][v]); });
      });
    };
    // Two at a time: what counts and moves pointers takes its turns from the arithmetic.
    std::int64_t left = chain_length<T>(width, index);
    for (; left >= 2; left -= 2) {
      fetch(ahead);
      add(0);
      add(1);
      row += 2 * L::size;
      panel += 2 * V * L::size;
      ahead += L::size;
    }
    if (left == 1) {
      add(0);
      panel += V * L::size;
    }
    // A finished sum joins those that wait for it, as in a binary counter.
    int level = 0;
    for (; (index >> level) % 2 == 1; ++level)
      unrolled<R>([&](auto r) ONECELL_INLINED {
        unrolled<V>([&](auto v) ONECELL_INLINED {
          sum[r][v] = L::load(waiting[level] + (r * V + v) * L::size) + sum[r][v];
        });
      });
    if (level < levels)
      unrolled<R>([&](auto r) ONECELL_INLINED {
        unrolled<V>([&](auto v) ONECELL_INLINED {
          sum[r][v].store(waiting[level] + (r * V + v) * L::size);
        });
      });
    else
      unrolled<R>([&](auto r) ONECELL_INLINED {
        unrolled<V>([&](auto v) ONECELL_INLINED {
          store_some(sum[r][v], out + r * row_stride + v * gate_stride, units);
        });
      });
  }
}

// The same for any number of rows, as even tiles. The first of them fetch the panel after this one.
template <int V = kOuterVectors, class T>
inline void chain_rows(std::int64_t rows, std::int64_t width, const T* x, const T* panel,
                       const T* ahead, int units, T* out, std::int64_t row_stride,
                       std::int64_t gate_stride) {
  constexpr std::int64_t size = Lanes<T>::size;
  const T* const end = panel + 2 * V * size * width;
  even_tiles<kOuterRows>(rows, [&](auto count, std::int64_t n) {
    chain_tile<count, V>(width, x + n * width, panel, ahead < end ? ahead : panel, units,
                         out + n * row_stride, row_stride, gate_stride);
    ahead += size * width / 2;
  });
}

// `chain_tile` of short chains, whose sums wait in registers for each other.
template <int R, int V, class T>
struct ShortChains {
  using L = Lanes<T>;
  using Sums = Several<T, R * V>;
  std::int64_t width;
  const T* x;
  const T* panel;

  // The sum of Count chains from the one at Index of the tree's order on.
  template <int Index, int Count>
  ONECELL_INLINED Sums sum() {
    if constexpr (Count > 1) {
      const Sums left = sum<Index, Count / 2>();
      return left + sum<Index + Count / 2, Count / 2>();
    } else {
      constexpr int chain = tree_order<T>(Index);
      Sums sums = Sums::zero();
      for (std::int64_t k = chain; k < width; k += L::size) {
        unrolled<V>([&](auto v) ONECELL_INLINED {
          L column = L::load(panel + v * L::size);
          column.settle();
          unrolled<R>([&](auto r) ONECELL_INLINED {
            L& to = sums.each[r * V + v];
            to = L::fma(L::factor(x[r * width + k]), column, to);
          });
        });
        panel += V * L::size;
      }
      return sums;
    }
  }
};

// Rows of x against V registers of weights by short chains; of a row, register v goes to
// out + n * row_stride + v * L.
template <int V, class T>
void short_chains(std::int64_t rows, std::int64_t width, const T* x, const T* panel, T* out,
                  std::int64_t row_stride) {
  even_tiles<kShortRows>(rows, [&](auto count, std::int64_t n) {
    ShortChains<count, V, T> chains{width, x + n * width, panel};
    const auto sums = chains.template sum<0, Lanes<T>::size>();
    unrolled<count * V>([&](auto i) ONECELL_INLINED {
      sums.each[i].store(out + (n + i / V) * row_stride + i % V * Lanes<T>::size);
    });
  });
}

// The tile of a single row, by weights laid out kTogether at a time.
template <class T>
inline void chain_single(std::int64_t width, const T* x, const T* panel, int units, T* out,
                         std::int64_t gate_stride) {
  using L = Lanes<T>;
  constexpr int V = kOuterVectors, C = kTogether, rounds = L::size / C;
  L total[rounds][V];
  unrolled<rounds>([&](auto round) ONECELL_INLINED {
    L sum[C][V];
    unrolled<C>([&](auto c) ONECELL_INLINED {
      unrolled<V>([&](auto v) ONECELL_INLINED { sum[c][v] = L::zero(); });
    });
    const T* row = x;
    const auto add = [&](auto c) ONECELL_INLINED {
      constexpr int chain = tree_order<T>(round * C + c);
      const typename L::Factor factor = L::factor(row[chain]);
      unrolled<V>([&](auto v) ONECELL_INLINED {
        sum[c][v] = L::fma(factor, L::load(panel + v * L::size), sum[c][v]);
      });
      panel += V * L::size;
    };
    for (const T* const end = x + width / L::size * L::size; row < end; row += L::size)
      unrolled<C>([&](auto c) ONECELL_INLINED { add(c); });
    unrolled<C>([&](auto c) ONECELL_INLINED {
      if (tree_order<T>(round * C + c) < width % L::size) add(c);
    });
    unrolled<V>([&](auto v) ONECELL_INLINED {
      total[round][v] = (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
    });
  });
  unrolled<V>([&](auto v) ONECELL_INLINED {
    L sum = total[0][v] + total[1][v];
    if constexpr (rounds == 4) sum = sum + (total[2][v] + total[3][v]);
    store_some(sum, out + v * gate_stride, units);
  });
}

// The products of x (rows, width) and all four gates of `units` <= L units, as `chain_tile`; a
// `single` row's by weights that were laid out for one.
template <class T>
inline void chain_product(std::int64_t rows, bool single, std::int64_t width, const T* x,
                          const T* laid_out, int units, T* out, std::int64_t row_stride,
                          std::int64_t gate_stride) {
  const std::int64_t panel = kOuterVectors * Lanes<T>::size * width;
  for (int gate = 0; gate < 4; gate += kOuterVectors, laid_out += panel)
    if (single)
      chain_single(width, x, laid_out, units, out + gate * gate_stride, gate_stride);
    else
      chain_rows(rows, width, x, laid_out, laid_out + panel, units, out + gate * gate_stride,
                 row_stride, gate_stride);
}

}  // namespace onecell::ONECELL_ISA
