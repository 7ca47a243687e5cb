// Products in pairs of columns by multiply-adds, for instruction sets without one for pairs; see
// paired.h. A number that a register holds is a float: a factor for all lanes is read as it is.
#pragma once

#include "half.h"

namespace onecell::ONECELL_ISA {

using PairedNumber = float;
inline constexpr int kPairedRows = 4;

inline void pair_row(std::int64_t width, const float* x, PairedNumber* to) {
  for (std::int64_t k = 0; k < width; ++k) to[k] = from_bfloat16(to_bfloat16_or_zero(x[k]));
  for (std::int64_t k = width; k % 16 != 0; ++k) to[k] = 0;
}

// The products of N rows by the 16 units of every gate; those of row n to out + 64 n.
template <int N>
inline void paired_tile(std::int64_t pairs, const float* x, std::int64_t stride,
                        const std::uint16_t* w, float* out) {
  using V = Lanes<float>;
  // So many gates at a time that about four sums wait for one another.
  constexpr int G = N >= 3 ? 1 : 4 / N;
  for (int gate = 0; gate < 4; gate += G) {
    V sum[N][G];
    unrolled<N>([&](auto n) ONECELL_INLINED {
      unrolled<G>([&](auto g) ONECELL_INLINED { sum[n][g] = V::zero(); });
    });
    for (std::int64_t k = 0; k < pairs; ++k)
      unrolled<G>([&](auto g) ONECELL_INLINED {
        V even, odd;
        load_bfloat16_pair(w + 128 * k + 32 * (gate + g), even, odd);
        unrolled<N>([&](auto n) ONECELL_INLINED {
          const float* const two = x + n * stride + 2 * k;
          sum[n][g] = V::fma(V::factor(two[1]), odd, sum[n][g]);
          sum[n][g] = V::fma(V::factor(two[0]), even, sum[n][g]);
        });
      });
    unrolled<N>([&](auto n) ONECELL_INLINED {
      unrolled<G>([&](auto g) ONECELL_INLINED { sum[n][g].store(out + 64 * n + 16 * (gate + g)); });
    });
  }
}

}  // namespace onecell::ONECELL_ISA
