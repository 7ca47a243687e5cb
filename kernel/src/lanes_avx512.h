// L lanes of T in one AVX-512 register.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace onecell::ONECELL_ISA {

// Shapes of the register tiles; see dot.h and outer.h.
inline constexpr int kDotRows = 8, kDotBatch = 3, kDotRowsOfOne = 16;
inline constexpr int kOuterRows = 6, kOuterVectors = 4;
inline constexpr bool kDotOverlaps = true;
inline constexpr bool kDotByHalves = false;
inline constexpr bool kDotByRegister = false;
// Units whose gates are computed side by side: as many as leave their numbers in registers.
inline constexpr int kGatesTogether = 2;
// Rows from which on it pays to turn weights of few columns around; see `narrow`.
inline constexpr std::int64_t kNarrowRows = 2;
// Tiles of short chains, where sums have room to wait in registers; 0 where they have not.
inline constexpr int kShortRows = 3, kShortVectors = 2;

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  static constexpr int size = 16;
  static constexpr bool reduces8 = true;
  __m512 v;

  // Keep it in a register: a load repeated in every instruction that uses it costs more.
  void settle() { asm("" : "+v"(v)); }
  static Lanes broadcast(float a) { return {_mm512_set1_ps(a)}; }
  static Lanes zero() { return {_mm512_setzero_ps()}; }
  static Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Lanes load_part(const float* p, int n) { return {_mm512_maskz_loadu_ps(mask(n), p)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store_part(float* p, int n) const { _mm512_mask_storeu_ps(p, mask(n), v); }

  friend Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Lanes operator-(Lanes a, Lanes b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Lanes operator/(Lanes a, Lanes b) { return {_mm512_div_ps(a.v, b.v)}; }
  friend Lanes operator-(Lanes a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0F))}; }

  static Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  // c - a b, rounded once.
  static Lanes fnma(Lanes a, Lanes b, Lanes c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
  // A factor for all lanes.
  using Factor = Lanes;
  static Factor factor(float a) { return broadcast(a); }
  static Lanes at_least(Lanes limit, Lanes y) { return {_mm512_max_ps(limit.v, y.v)}; }
  static Lanes at_most(Lanes limit, Lanes y) { return {_mm512_min_ps(limit.v, y.v)}; }
  static Lanes abs(Lanes a) { return {_mm512_andnot_ps(_mm512_set1_ps(-0.0F), a.v)}; }
  static Lanes copy_sign(Lanes magnitude, Lanes sign) {
    return {_mm512_or_ps(abs(magnitude).v, _mm512_and_ps(sign.v, _mm512_set1_ps(-0.0F)))};
  }
  static Lanes power_of_two(Lanes shifted) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted.v), 23);
    return {_mm512_castsi512_ps(_mm512_add_epi32(exponent, _mm512_set1_epi32(0x3F800000)))};
  }
  ONECELL_INLINED static void reduce4(Lanes a, Lanes b, Lanes c, Lanes d, float* out) {
    const __m128 p = quarter(a.v), q = quarter(b.v), r = quarter(c.v), s = quarter(d.v);
    const __m128 pq = _mm_add_ps(_mm_movelh_ps(p, q), _mm_movehl_ps(q, p));
    const __m128 rs = _mm_add_ps(_mm_movelh_ps(r, s), _mm_movehl_ps(s, r));
    _mm_storeu_ps(out, _mm_add_ps(_mm_shuffle_ps(pq, rs, 0x88), _mm_shuffle_ps(pq, rs, 0xDD)));
  }
  ONECELL_INLINED static void reduce8(Lanes a, Lanes b, Lanes c, Lanes d, Lanes e, Lanes f, Lanes g,
                                      Lanes h, float* out) {
    _mm256_storeu_ps(out, eight(a, b, c, d, e, f, g, h));
  }
  // Four sums to one place and four to another.
  ONECELL_INLINED static void reduce4of2(const Lanes (&a)[4], const Lanes (&b)[4], float* out,
                                         float* other) {
    const __m256 all = eight(a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]);
    _mm_storeu_ps(out, _mm256_castps256_ps128(all));
    _mm_storeu_ps(other, _mm256_extractf128_ps(all, 1));
  }
  ONECELL_INLINED static __m256 eight(Lanes a, Lanes b, Lanes c, Lanes d, Lanes e, Lanes f, Lanes g,
                                      Lanes h) {
    // Halves, quarters, pairs, singles: each level folds two registers into one.
    const __m512 even = quarters(halves(a.v, c.v), halves(e.v, g.v));
    const __m512 odd = quarters(halves(b.v, d.v), halves(f.v, h.v));
    const __m512 two =
        _mm512_add_ps(_mm512_mask_blend_ps(0xCCCC, even, odd), _mm512_shuffle_ps(even, odd, 0x4E));
    const __m512 one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xB1));
    const __m512i order = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0);
    return _mm512_castps512_ps256(_mm512_permutexvar_ps(order, one));
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(Lanes (&rows)[16]) {
    __m512 a[16], b[16];
    for (int i = 0; i < 16; i += 2) {
      a[i] = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
      a[i + 1] = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
    }
    const auto low = [](__m512 p, __m512 q) {
      return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(p), _mm512_castps_pd(q)));
    };
    const auto high = [](__m512 p, __m512 q) {
      return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(p), _mm512_castps_pd(q)));
    };
    for (int i = 0; i < 16; i += 4) {
      b[i] = low(a[i], a[i + 2]);
      b[i + 1] = high(a[i], a[i + 2]);
      b[i + 2] = low(a[i + 1], a[i + 3]);
      b[i + 3] = high(a[i + 1], a[i + 3]);
    }
    // Quarter l of b[4 i + j] is column 4 l + j of rows 4 i to 4 i + 3.
    for (int j = 0; j < 4; ++j) {
      const __m512 p = _mm512_shuffle_f32x4(b[j], b[4 + j], 0x88);
      const __m512 q = _mm512_shuffle_f32x4(b[j], b[4 + j], 0xDD);
      const __m512 r = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0x88);
      const __m512 s = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0xDD);
      rows[j].v = _mm512_shuffle_f32x4(p, r, 0x88);
      rows[4 + j].v = _mm512_shuffle_f32x4(q, s, 0x88);
      rows[8 + j].v = _mm512_shuffle_f32x4(p, r, 0xDD);
      rows[12 + j].v = _mm512_shuffle_f32x4(q, s, 0xDD);
    }
  }

 private:
  // Fold a into the lower half and b into the upper one. Where one half of each is in its place, a
  // blend does, which takes no turn from the multiply-adds' unit as a shuffle may.
  static __m512 halves(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_mask_blend_ps(0xFF00, a, b), _mm512_shuffle_f32x4(a, b, 0x4E));
  }
  static __m512 quarters(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
  }
  static __mmask16 mask(int n) { return static_cast<__mmask16>((1U << n) - 1U); }
  static __m128 quarter(__m512 a) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
};

template <>
struct Lanes<double> {
  static constexpr int size = 8;
  static constexpr bool reduces8 = true;
  __m512d v;

  void settle() { asm("" : "+v"(v)); }
  static Lanes broadcast(double a) { return {_mm512_set1_pd(a)}; }
  static Lanes zero() { return {_mm512_setzero_pd()}; }
  static Lanes load(const double* p) { return {_mm512_loadu_pd(p)}; }
  static Lanes load_part(const double* p, int n) { return {_mm512_maskz_loadu_pd(mask(n), p)}; }
  void store(double* p) const { _mm512_storeu_pd(p, v); }
  void store_part(double* p, int n) const { _mm512_mask_storeu_pd(p, mask(n), v); }

  friend Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_pd(a.v, b.v)}; }
  friend Lanes operator-(Lanes a, Lanes b) { return {_mm512_sub_pd(a.v, b.v)}; }
  friend Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_pd(a.v, b.v)}; }
  friend Lanes operator/(Lanes a, Lanes b) { return {_mm512_div_pd(a.v, b.v)}; }
  friend Lanes operator-(Lanes a) { return {_mm512_xor_pd(a.v, _mm512_set1_pd(-0.0))}; }

  static Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
  // c - a b, rounded once.
  static Lanes fnma(Lanes a, Lanes b, Lanes c) { return {_mm512_fnmadd_pd(a.v, b.v, c.v)}; }
  // A factor for all lanes.
  using Factor = Lanes;
  static Factor factor(double a) { return broadcast(a); }
  static Lanes at_least(Lanes limit, Lanes y) { return {_mm512_max_pd(limit.v, y.v)}; }
  static Lanes at_most(Lanes limit, Lanes y) { return {_mm512_min_pd(limit.v, y.v)}; }
  static Lanes abs(Lanes a) { return {_mm512_andnot_pd(_mm512_set1_pd(-0.0), a.v)}; }
  static Lanes copy_sign(Lanes magnitude, Lanes sign) {
    return {_mm512_or_pd(abs(magnitude).v, _mm512_and_pd(sign.v, _mm512_set1_pd(-0.0)))};
  }
  static Lanes power_of_two(Lanes shifted) {
    const __m512i exponent = _mm512_slli_epi64(_mm512_castpd_si512(shifted.v), 52);
    const __m512i one = _mm512_set1_epi64(0x3FF0000000000000);
    return {_mm512_castsi512_pd(_mm512_add_epi64(exponent, one))};
  }
  ONECELL_INLINED static void reduce4(Lanes a, Lanes b, Lanes c, Lanes d, double* out) {
    const __m128d p = quarter(a.v), q = quarter(b.v), r = quarter(c.v), s = quarter(d.v);
    _mm_storeu_pd(out, _mm_add_pd(_mm_unpacklo_pd(p, q), _mm_unpackhi_pd(p, q)));
    _mm_storeu_pd(out + 2, _mm_add_pd(_mm_unpacklo_pd(r, s), _mm_unpackhi_pd(r, s)));
  }
  ONECELL_INLINED static void reduce8(Lanes a, Lanes b, Lanes c, Lanes d, Lanes e, Lanes f, Lanes g,
                                      Lanes h, double* out) {
    _mm512_storeu_pd(out, eight(a, b, c, d, e, f, g, h));
  }
  ONECELL_INLINED static void reduce4of2(const Lanes (&a)[4], const Lanes (&b)[4], double* out,
                                         double* other) {
    const __m512d all = eight(a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]);
    _mm256_storeu_pd(out, _mm512_castpd512_pd256(all));
    _mm256_storeu_pd(other, _mm512_extractf64x4_pd(all, 1));
  }
  ONECELL_INLINED static __m512d eight(Lanes a, Lanes b, Lanes c, Lanes d, Lanes e, Lanes f,
                                       Lanes g, Lanes h) {
    const __m512d even = quarters(halves(a.v, c.v), halves(e.v, g.v));
    const __m512d odd = quarters(halves(b.v, d.v), halves(f.v, h.v));
    return _mm512_add_pd(_mm512_mask_blend_pd(0xAA, even, odd), _mm512_shuffle_pd(even, odd, 0x55));
  }
  static void transpose(Lanes (&rows)[8]) {
    __m512d a[8];
    for (int i = 0; i < 8; i += 2) {
      a[i] = _mm512_unpacklo_pd(rows[i].v, rows[i + 1].v);
      a[i + 1] = _mm512_unpackhi_pd(rows[i].v, rows[i + 1].v);
    }
    for (int j = 0; j < 2; ++j) {
      const __m512d p = _mm512_shuffle_f64x2(a[j], a[2 + j], 0x88);
      const __m512d q = _mm512_shuffle_f64x2(a[j], a[2 + j], 0xDD);
      const __m512d r = _mm512_shuffle_f64x2(a[4 + j], a[6 + j], 0x88);
      const __m512d s = _mm512_shuffle_f64x2(a[4 + j], a[6 + j], 0xDD);
      rows[j].v = _mm512_shuffle_f64x2(p, r, 0x88);
      rows[2 + j].v = _mm512_shuffle_f64x2(q, s, 0x88);
      rows[4 + j].v = _mm512_shuffle_f64x2(p, r, 0xDD);
      rows[6 + j].v = _mm512_shuffle_f64x2(q, s, 0xDD);
    }
  }

 private:
  static __m512d halves(__m512d a, __m512d b) {
    return _mm512_add_pd(_mm512_mask_blend_pd(0xF0, a, b), _mm512_shuffle_f64x2(a, b, 0x4E));
  }
  static __m512d quarters(__m512d a, __m512d b) {
    return _mm512_add_pd(_mm512_shuffle_f64x2(a, b, 0x88), _mm512_shuffle_f64x2(a, b, 0xDD));
  }
  static __mmask8 mask(int n) { return static_cast<__mmask8>((1U << n) - 1U); }
  static __m128d quarter(__m512d a) {
    const __m256d half = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    return _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
  }
};

// Stored weights, widened; see frozen.h. Of an interleaved pair, even columns are the first row.
inline constexpr int kFrozenRows = 16, kFrozenFewest = 4, kFrozenBatch = 6;

// The sums of R rows, by the tree of rule 1 in cell.h. Sixteen are added up together, each step
// halving the number of registers: about half the work of four at a time.
template <int R>
inline void reduce(const Lanes<float>* rows, float* out) {
  if constexpr (R == 16) {
    const auto halves = [](__m512 a, __m512 b) {
      return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    };
    const auto quarters = [](__m512 a, __m512 b) {
      return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
    };
    const auto every_fourth = [&](int r) {
      return quarters(halves(rows[r].v, rows[r + 4].v), halves(rows[r + 8].v, rows[r + 12].v));
    };
    const auto pairs = [](__m512 a, __m512 b) {
      const __m512d p = _mm512_castps_pd(a), q = _mm512_castps_pd(b);
      return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(p, q)),
                           _mm512_castpd_ps(_mm512_unpackhi_pd(p, q)));
    };
    const __m512 even = pairs(every_fourth(0), every_fourth(1));
    const __m512 odd = pairs(every_fourth(2), every_fourth(3));
    _mm512_storeu_ps(
        out, _mm512_add_ps(_mm512_shuffle_ps(even, odd, 0x88), _mm512_shuffle_ps(even, odd, 0xDD)));
  } else {
    for (int r = 0; r < R; r += 4)
      Lanes<float>::reduce4(rows[r], rows[r + 1], rows[r + 2], rows[r + 3], out + r);
  }
}

inline void load_bfloat16_pair(const std::uint16_t* p, Lanes<float>& a, Lanes<float>& b) {
  const __m512i both = _mm512_loadu_si512(p);
  a = {_mm512_castsi512_ps(_mm512_slli_epi32(both, 16))};
  b = {_mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(-0x10000)))};
}
inline Lanes<float> load_float16(const std::uint16_t* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}

// Products of integers; see rounded.h. Four units by 16 columns fill a register.
inline constexpr bool kByDigits = true;
inline constexpr int kDigitBits = 6;  // of the lower of two
template <int Digits>
inline constexpr int kIntegerRows = 6 / Digits;

inline Lanes<float> to_floats(const std::int32_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_loadu_si512(p))};
}

template <int Digits>
class RoundedWriter {
 public:
  explicit RoundedWriter(std::byte* to) : to_(to) {
    for (__m512i& sum : sums_) sum = _mm512_setzero_si512();
  }

  void put(Lanes<float> shifted) {
    const __m512i whole =
        _mm512_sub_epi32(_mm512_castps_si512(shifted.v), _mm512_set1_epi32(0x4B400000));
    if constexpr (Digits == 1) return put(whole, 0);
    const __m512i half = _mm512_set1_epi32(1 << (kDigitBits - 1));
    const __m512i high = _mm512_srai_epi32(_mm512_add_epi32(whole, half), kDigitBits);
    put(high, 0);
    put(_mm512_sub_epi32(whole, _mm512_slli_epi32(high, kDigitBits)), Digits - 1);
  }
  std::byte* end(std::int32_t* sums) const {
    for (int digit = 0; digit < Digits; ++digit)
      sums[digit] = -128 * _mm512_reduce_add_epi32(sums_[digit]);
    return to_;
  }

 private:
  void put(__m512i digits, int which) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to_), _mm512_cvtepi32_epi8(digits));
    to_ += 16;
    sums_[which] = _mm512_add_epi32(sums_[which], digits);
  }

  std::byte* to_;
  __m512i sums_[Digits];
};

// sum += a . b, four bytes a lane, a's without a sign. Written out: whoever has no VNNI never comes
// here (dispatch.cpp), and the compiler must not use it elsewhere.
ONECELL_INLINED inline void add_dot(__m512i& sum, __m512i a, __m512i b) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}

template <int Digits, int N>
inline void integer_tile(std::int64_t groups, const std::byte* x, std::int64_t row_bytes,
                         const std::int32_t* sums, std::int64_t row_sums, const std::int8_t* w,
                         std::int32_t (&out)[N][16]) {
  __m512i sum[N][Digits][4];
  // By weights that are 128 too large, which `sums` make up for.
  unrolled<N>([&](auto n) ONECELL_INLINED {
    unrolled<Digits>([&](auto digit) ONECELL_INLINED {
      unrolled<4>([&](auto j) ONECELL_INLINED {
        sum[n][digit][j] = _mm512_maskz_set1_epi32(0x1111, sums[n * row_sums + digit]);
      });
    });
  });
  const __m512i flip = _mm512_set1_epi32(static_cast<int>(0x80808080U));
  for (; groups > 0; --groups, w += 256, x += 16 * Digits) {
    __m512i weight[4];
    unrolled<4>([&](auto j) ONECELL_INLINED {
      weight[j] = _mm512_xor_si512(_mm512_loadu_si512(w + 64 * j), flip);
    });
    unrolled<N>([&](auto n) ONECELL_INLINED {
      unrolled<Digits>([&](auto digit) ONECELL_INLINED {
        const __m512i columns = _mm512_broadcast_i32x4(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + n * row_bytes + 16 * digit)));
        unrolled<4>([&](auto j) ONECELL_INLINED { add_dot(sum[n][digit][j], weight[j], columns); });
      });
    });
  }
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  unrolled<N>([&](auto n) ONECELL_INLINED {
    __m512i all[4];
    unrolled<4>([&](auto j) ONECELL_INLINED {
      all[j] = sum[n][0][j];
      if constexpr (Digits == 2)
        all[j] = _mm512_add_epi32(_mm512_slli_epi32(all[j], kDigitBits), sum[n][1][j]);
    });
    const auto pairs = [](__m512i a, __m512i b) {
      return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    };
    const __m512i a = pairs(all[0], all[1]), b = pairs(all[2], all[3]);
    const __m512i units =
        _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    _mm512_storeu_si512(out[n], _mm512_permutexvar_epi32(order, units));
  });
}

}  // namespace onecell::ONECELL_ISA

#include "paired_dots.h"
