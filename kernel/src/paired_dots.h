// Products in pairs of columns by the instruction that AVX-512 has for them; see paired.h.
#pragma once

namespace onecell::ONECELL_ISA {

using PairedNumber = std::uint16_t;
inline constexpr int kPairedRows = 6;  // by four gates: 24 sums, weights and factors fill 32

// Whoever lacks these two never comes here (dispatch.cpp), and the compiler must not use them
// elsewhere: they are written out.
//
// sum = a's even half times b's, plus (a's odd half times b's, plus sum), each rounded once.
ONECELL_INLINED inline void add_pair(__m512& sum, __m512i a, __m512i b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}
ONECELL_INLINED inline __m256i to_bfloat16s(__m512 values) {
  __m256i halves;
  asm("vcvtneps2bf16 %1, %0" : "=v"(halves) : "v"(values));
  return halves;
}

inline void pair_row(std::int64_t width, const float* x, PairedNumber* to) {
  const auto put = [](__m512 values, std::uint16_t* place) ONECELL_INLINED {
    // What is no number is kept.
    const __mmask16 kept =
        _mm512_cmp_ps_mask(_mm512_abs_ps(values), _mm512_set1_ps(kLeastPaired), _CMP_NLT_UQ);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(place),
                        to_bfloat16s(_mm512_maskz_mov_ps(kept, values)));
  };
  std::int64_t k = 0;
  for (; k + 16 <= width; k += 16) put(_mm512_loadu_ps(x + k), to + k);
  if (k < width) put(Lanes<float>::load_part(x + k, static_cast<int>(width - k)).v, to + k);
}

// The products of N rows by the 16 units of every gate; those of row n to out + 64 n.
template <int N>
inline void paired_tile(std::int64_t pairs, const std::uint16_t* x, std::int64_t stride,
                        const std::uint16_t* w, float* out) {
  __m512 sum[N][4];
  unrolled<N>([&](auto n) ONECELL_INLINED {
    unrolled<4>([&](auto gate) ONECELL_INLINED { sum[n][gate] = _mm512_setzero_ps(); });
  });
  for (std::int64_t k = 0; k < pairs; ++k, w += 128) {
    __m512i weight[4];
    unrolled<4>([&](auto gate) ONECELL_INLINED {
      weight[gate] = _mm512_loadu_si512(w + 32 * gate);
      // Nothing else waits for memory: ask for what comes 2 KiB later.
      if constexpr (N == 1) __builtin_prefetch(w + 32 * gate + 1024);
    });
    unrolled<N>([&](auto n) ONECELL_INLINED {
      std::int32_t two;
      std::memcpy(&two, x + n * stride + 2 * k, sizeof two);
      const __m512i factors = _mm512_set1_epi32(two);
      unrolled<4>([&](auto gate)
                      ONECELL_INLINED { add_pair(sum[n][gate], weight[gate], factors); });
    });
  }
  unrolled<N>([&](auto n) ONECELL_INLINED {
    unrolled<4>([&](auto gate)
                    ONECELL_INLINED { _mm512_storeu_ps(out + 64 * n + 16 * gate, sum[n][gate]); });
  });
}

}  // namespace onecell::ONECELL_ISA
