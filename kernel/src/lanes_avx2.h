// L lanes of T in a pair of AVX2 registers.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <utility>

namespace onecell::ONECELL_ISA {

// Shapes of the register tiles; see dot.h and outer.h.
inline constexpr int kDotRows = 4, kDotBatch = 1, kDotRowsOfOne = 4;
inline constexpr int kOuterRows = 6, kOuterVectors = 1;
inline constexpr bool kDotOverlaps = false;
inline constexpr bool kDotByRegister = false;
// Units whose gates are computed side by side: as many as leave their numbers in registers.
inline constexpr int kGatesTogether = 1;
// Rows from which on it pays to turn weights of few columns around; see `narrow`.
inline constexpr std::int64_t kNarrowRows = 32;
// Tiles of short chains, where sums have room to wait in registers; 0 where they have not.
inline constexpr int kShortRows = 0, kShortVectors = 1;

// Ones for the first n of 8 (or 4) lanes start at `kMask + 8 - n` (or, for double, + 2 * (4 - n)).
alignas(64) inline constexpr std::int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  static constexpr int size = 16;
  static constexpr bool reduces8 = false;
  __m256 lo, hi;

  // Keep it in registers: a load repeated in every instruction that uses it costs more.
  void settle() { asm("" : "+x"(lo), "+x"(hi)); }
  static Lanes broadcast(float a) { return {_mm256_set1_ps(a), _mm256_set1_ps(a)}; }
  static Lanes zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static Lanes load_part(const float* p, int n) {
    if (n <= 8) return {_mm256_maskload_ps(p, mask(n)), _mm256_setzero_ps()};
    return {_mm256_loadu_ps(p), _mm256_maskload_ps(p + 8, mask(n - 8))};
  }
  void store(float* p) const {
    _mm256_storeu_ps(p, lo);
    _mm256_storeu_ps(p + 8, hi);
  }
  void store_part(float* p, int n) const {
    if (n <= 8) return _mm256_maskstore_ps(p, mask(n), lo);
    _mm256_storeu_ps(p, lo);
    _mm256_maskstore_ps(p + 8, mask(n - 8), hi);
  }

  friend Lanes operator+(Lanes a, Lanes b) {
    return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
  }
  friend Lanes operator-(Lanes a, Lanes b) {
    return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
  }
  friend Lanes operator*(Lanes a, Lanes b) {
    return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
  }
  friend Lanes operator/(Lanes a, Lanes b) {
    return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
  }
  friend Lanes operator-(Lanes a) {
    return {_mm256_xor_ps(a.lo, sign()), _mm256_xor_ps(a.hi, sign())};
  }

  static Lanes fma(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
  }
  // c - a b, rounded once.
  static Lanes fnma(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
  }
  // A factor for all lanes.
  using Factor = Lanes;
  static Factor factor(float a) { return broadcast(a); }
  static Lanes at_least(Lanes limit, Lanes y) {
    return {_mm256_max_ps(limit.lo, y.lo), _mm256_max_ps(limit.hi, y.hi)};
  }
  static Lanes at_most(Lanes limit, Lanes y) {
    return {_mm256_min_ps(limit.lo, y.lo), _mm256_min_ps(limit.hi, y.hi)};
  }
  static Lanes abs(Lanes a) {
    return {_mm256_andnot_ps(sign(), a.lo), _mm256_andnot_ps(sign(), a.hi)};
  }
  static Lanes copy_sign(Lanes magnitude, Lanes from) {
    const Lanes m = abs(magnitude);
    return {_mm256_or_ps(m.lo, _mm256_and_ps(from.lo, sign())),
            _mm256_or_ps(m.hi, _mm256_and_ps(from.hi, sign()))};
  }
  static Lanes power_of_two(Lanes shifted) {
    return {power_of_two(shifted.lo), power_of_two(shifted.hi)};
  }
  ONECELL_INLINED static void reduce4(Lanes a, Lanes b, Lanes c, Lanes d, float* out) {
    const __m128 p = quarter(a), q = quarter(b), r = quarter(c), s = quarter(d);
    const __m128 pq = _mm_add_ps(_mm_movelh_ps(p, q), _mm_movehl_ps(q, p));
    const __m128 rs = _mm_add_ps(_mm_movelh_ps(r, s), _mm_movehl_ps(s, r));
    _mm_storeu_ps(out, _mm_add_ps(_mm_shuffle_ps(pq, rs, 0x88), _mm_shuffle_ps(pq, rs, 0xDD)));
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(Lanes (&rows)[size]) {
    float square[size][size];
    for (int r = 0; r < size; ++r) rows[r].store(square[r]);
    for (int r = 0; r < size; ++r)
      for (int c = 0; c < r; ++c) std::swap(square[r][c], square[c][r]);
    for (int r = 0; r < size; ++r) rows[r] = load(square[r]);
  }

 private:
  static __m256 sign() { return _mm256_set1_ps(-0.0F); }
  static __m256i mask(int n) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - n));
  }
  static __m256 power_of_two(__m256 shifted) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_set1_epi32(0x3F800000)));
  }
  static __m128 quarter(Lanes a) {
    const __m256 half = _mm256_add_ps(a.lo, a.hi);
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
};

template <>
struct Lanes<double> {
  static constexpr int size = 8;
  static constexpr bool reduces8 = false;
  __m256d lo, hi;

  void settle() { asm("" : "+x"(lo), "+x"(hi)); }
  static Lanes broadcast(double a) { return {_mm256_set1_pd(a), _mm256_set1_pd(a)}; }
  static Lanes zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
  static Lanes load(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
  static Lanes load_part(const double* p, int n) {
    if (n <= 4) return {_mm256_maskload_pd(p, mask(n)), _mm256_setzero_pd()};
    return {_mm256_loadu_pd(p), _mm256_maskload_pd(p + 4, mask(n - 4))};
  }
  void store(double* p) const {
    _mm256_storeu_pd(p, lo);
    _mm256_storeu_pd(p + 4, hi);
  }
  void store_part(double* p, int n) const {
    if (n <= 4) return _mm256_maskstore_pd(p, mask(n), lo);
    _mm256_storeu_pd(p, lo);
    _mm256_maskstore_pd(p + 4, mask(n - 4), hi);
  }

  friend Lanes operator+(Lanes a, Lanes b) {
    return {_mm256_add_pd(a.lo, b.lo), _mm256_add_pd(a.hi, b.hi)};
  }
  friend Lanes operator-(Lanes a, Lanes b) {
    return {_mm256_sub_pd(a.lo, b.lo), _mm256_sub_pd(a.hi, b.hi)};
  }
  friend Lanes operator*(Lanes a, Lanes b) {
    return {_mm256_mul_pd(a.lo, b.lo), _mm256_mul_pd(a.hi, b.hi)};
  }
  friend Lanes operator/(Lanes a, Lanes b) {
    return {_mm256_div_pd(a.lo, b.lo), _mm256_div_pd(a.hi, b.hi)};
  }
  friend Lanes operator-(Lanes a) {
    return {_mm256_xor_pd(a.lo, sign()), _mm256_xor_pd(a.hi, sign())};
  }

  static Lanes fma(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fmadd_pd(a.lo, b.lo, c.lo), _mm256_fmadd_pd(a.hi, b.hi, c.hi)};
  }
  // c - a b, rounded once.
  static Lanes fnma(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fnmadd_pd(a.lo, b.lo, c.lo), _mm256_fnmadd_pd(a.hi, b.hi, c.hi)};
  }
  // A factor for all lanes.
  using Factor = Lanes;
  static Factor factor(double a) { return broadcast(a); }
  static Lanes at_least(Lanes limit, Lanes y) {
    return {_mm256_max_pd(limit.lo, y.lo), _mm256_max_pd(limit.hi, y.hi)};
  }
  static Lanes at_most(Lanes limit, Lanes y) {
    return {_mm256_min_pd(limit.lo, y.lo), _mm256_min_pd(limit.hi, y.hi)};
  }
  static Lanes abs(Lanes a) {
    return {_mm256_andnot_pd(sign(), a.lo), _mm256_andnot_pd(sign(), a.hi)};
  }
  static Lanes copy_sign(Lanes magnitude, Lanes from) {
    const Lanes m = abs(magnitude);
    return {_mm256_or_pd(m.lo, _mm256_and_pd(from.lo, sign())),
            _mm256_or_pd(m.hi, _mm256_and_pd(from.hi, sign()))};
  }
  static Lanes power_of_two(Lanes shifted) {
    return {power_of_two(shifted.lo), power_of_two(shifted.hi)};
  }
  ONECELL_INLINED static void reduce4(Lanes a, Lanes b, Lanes c, Lanes d, double* out) {
    const __m128d p = quarter(a), q = quarter(b), r = quarter(c), s = quarter(d);
    _mm_storeu_pd(out, _mm_add_pd(_mm_unpacklo_pd(p, q), _mm_unpackhi_pd(p, q)));
    _mm_storeu_pd(out + 2, _mm_add_pd(_mm_unpacklo_pd(r, s), _mm_unpackhi_pd(r, s)));
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(Lanes (&rows)[size]) {
    double square[size][size];
    for (int r = 0; r < size; ++r) rows[r].store(square[r]);
    for (int r = 0; r < size; ++r)
      for (int c = 0; c < r; ++c) std::swap(square[r][c], square[c][r]);
    for (int r = 0; r < size; ++r) rows[r] = load(square[r]);
  }

 private:
  static __m256d sign() { return _mm256_set1_pd(-0.0); }
  static __m256i mask(int n) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - 2 * n));
  }
  static __m256d power_of_two(__m256d shifted) {
    const __m256i exponent = _mm256_slli_epi64(_mm256_castpd_si256(shifted), 52);
    const __m256i one = _mm256_set1_epi64x(0x3FF0000000000000);
    return _mm256_castsi256_pd(_mm256_add_epi64(exponent, one));
  }
  static __m128d quarter(Lanes a) {
    const __m256d half = _mm256_add_pd(a.lo, a.hi);
    return _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
  }
};

// Stored weights, widened; see frozen.h. Of an interleaved pair, even columns are the first row.
inline constexpr int kFrozenRows = 4, kFrozenFewest = 4, kFrozenBatch = 1;

template <int R>
inline void reduce(const Lanes<float>* rows, float* out) {
  static_assert(R == 4);
  Lanes<float>::reduce4(rows[0], rows[1], rows[2], rows[3], out);
}

inline void load_bfloat16_pair(const std::uint16_t* p, Lanes<float>& a, Lanes<float>& b) {
  const auto half = [p](int k) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + k));
  };
  const auto even = [](__m256i both) { return _mm256_castsi256_ps(_mm256_slli_epi32(both, 16)); };
  const auto odd = [](__m256i both) {
    return _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(-0x10000)));
  };
  const __m256i lo = half(0), hi = half(16);
  a = {even(lo), even(hi)};
  b = {odd(lo), odd(hi)};
}
inline Lanes<float> load_float16(const std::uint16_t* p) {
  const auto half = [p](int k) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + k)));
  };
  return {half(0), half(8)};
}

}  // namespace onecell::ONECELL_ISA

#include "paired_floats.h"
#include "rounded_words.h"

namespace onecell::ONECELL_ISA {

// Products of integers; see rounded.h.
template <int Digits>
inline constexpr int kIntegerRows = 2;

inline Lanes<float> to_floats(const std::int32_t* p) {
  const auto half = [p](int k) {
    return _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + k)));
  };
  return {half(0), half(8)};
}

template <int Digits, int N>
inline void integer_tile(std::int64_t groups, const std::byte* x, std::int64_t row_bytes,
                         const std::int32_t*, std::int64_t, const std::int8_t* w,
                         std::int32_t (&out)[N][16]) {
  for (int unit = 0; unit < 16; unit += 4) {
    __m256i sum[N][4];
    unrolled<N>([&](auto n) ONECELL_INLINED {
      unrolled<4>([&](auto u) ONECELL_INLINED { sum[n][u] = _mm256_setzero_si256(); });
    });
    for (std::int64_t g = 0; g < groups; ++g) {
      __m256i columns[N];
      unrolled<N>([&](auto n) ONECELL_INLINED {
        columns[n] =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + n * row_bytes + 32 * g));
      });
      unrolled<4>([&](auto u) ONECELL_INLINED {
        const __m256i weight = _mm256_cvtepi8_epi16(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 256 * g + 16 * (unit + u))));
        unrolled<N>([&](auto n) ONECELL_INLINED {
          sum[n][u] = _mm256_add_epi32(sum[n][u], _mm256_madd_epi16(columns[n], weight));
        });
      });
    }
    unrolled<N>([&](auto n) ONECELL_INLINED {
      const __m256i both = _mm256_hadd_epi32(_mm256_hadd_epi32(sum[n][0], sum[n][1]),
                                             _mm256_hadd_epi32(sum[n][2], sum[n][3]));
      _mm_storeu_si128(
          reinterpret_cast<__m128i*>(out[n] + unit),
          _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)));
    });
  }
}

}  // namespace onecell::ONECELL_ISA
