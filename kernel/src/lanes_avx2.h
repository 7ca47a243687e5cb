// L lanes of T in a pair of AVX2 registers.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace onecell::ONECELL_ISA {

// Shapes of the register tiles; see dot.h and outer.h.
inline constexpr int kDotRows = 4, kDotBatch = 3, kDotRowsOfOne = 4;
inline constexpr int kOuterRows = 6, kOuterVectors = 1;
inline constexpr bool kDotOverlaps = false;
inline constexpr bool kDotByRegister = false;
inline constexpr bool kDotByHalves = true;
// Units whose gates are computed side by side: as many as leave their numbers in registers.
inline constexpr int kGatesTogether = 1;
// Rows from which on it pays to turn weights of few columns around; see `narrow`.
inline constexpr std::int64_t kNarrowRows = 32;
// Tiles of short chains, where sums have room to wait in registers; 0 where they have not.
inline constexpr int kShortRows = 0, kShortVectors = 1;

// Ones for the first n of 8 (or 4) lanes start at `kMask + 8 - n` (or, for double, + 2 * (4 - n)).
alignas(64) inline constexpr std::int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

// One register of T.
template <class T>
struct Register;

template <>
struct Register<float> {
  using V = __m256;
  static constexpr int size = 8;

  // Keep it in a register: a load repeated in every instruction that uses it costs more.
  static void settle(V& a) { asm("" : "+x"(a)); }
  static V broadcast(float a) { return _mm256_set1_ps(a); }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static V load_part(const float* p, int n) { return _mm256_maskload_ps(p, mask(n)); }
  static void store(float* p, V a) { _mm256_storeu_ps(p, a); }
  static void store_part(float* p, V a, int n) { _mm256_maskstore_ps(p, mask(n), a); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V fnma(V a, V b, V c) { return _mm256_fnmadd_ps(a, b, c); }
  static V larger(V a, V b) { return _mm256_max_ps(a, b); }
  static V smaller(V a, V b) { return _mm256_min_ps(a, b); }
  static V negative(V a) { return _mm256_xor_ps(a, broadcast(-0.0F)); }
  static V abs(V a) { return _mm256_andnot_ps(broadcast(-0.0F), a); }
  static V copy_sign(V magnitude, V from) {
    return _mm256_or_ps(abs(magnitude), _mm256_and_ps(from, broadcast(-0.0F)));
  }
  static V power_of_two(V shifted) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_set1_epi32(0x3F800000)));
  }
  // The sums of the elements of four registers, by the last levels of rule 1's tree: halves, pairs,
  // singles.
  ONECELL_INLINED static void reduce4(V a, V b, V c, V d, float* out) {
    const auto half = [](V v) {
      return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    };
    const __m128 p = half(a), q = half(b), r = half(c), s = half(d);
    const __m128 pq = _mm_add_ps(_mm_movelh_ps(p, q), _mm_movehl_ps(q, p));
    const __m128 rs = _mm_add_ps(_mm_movelh_ps(r, s), _mm_movehl_ps(s, r));
    _mm_storeu_ps(out, _mm_add_ps(_mm_shuffle_ps(pq, rs, 0x88), _mm_shuffle_ps(pq, rs, 0xDD)));
  }
  // Of four registers and four others, those to one place and these to another.
  ONECELL_INLINED static void reduce4of2(const V (&a)[4], const V (&b)[4], float* out,
                                         float* other) {
    const V p = pairs(halves(a[0], b[0]), halves(a[1], b[1]));
    const V q = pairs(halves(a[2], b[2]), halves(a[3], b[3]));
    const V all = _mm256_shuffle_ps(p, q, 0x88) + _mm256_shuffle_ps(p, q, 0xDD);
    _mm_storeu_ps(out, _mm256_castps256_ps128(all));
    _mm_storeu_ps(other, _mm256_extractf128_ps(all, 1));
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(V (&rows)[size]) {
    V a[size], b[size];
    for (int i = 0; i < size; i += 2) {
      a[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
      a[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < size; i += 4)
      for (int j = 0; j < 2; ++j) {
        const __m256d p = _mm256_castps_pd(a[i + j]), q = _mm256_castps_pd(a[i + j + 2]);
        b[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(p, q));
        b[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(p, q));
      }
    for (int j = 0; j < 4; ++j) {
      rows[j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x20);
      rows[4 + j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x31);
    }
  }

 private:
  static __m256i mask(int n) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - n));
  }
  // Fold a into the lower half, b into the upper one. One half of each is in its place.
  static V halves(V a, V b) {
    return _mm256_blend_ps(a, b, 0xF0) + _mm256_permute2f128_ps(a, b, 0x21);
  }
  // Fold each half of a into its first two places, of b into the others.
  static V pairs(V a, V b) {
    const __m256d p = _mm256_castps_pd(a), q = _mm256_castps_pd(b);
    return _mm256_castpd_ps(_mm256_unpacklo_pd(p, q)) + _mm256_castpd_ps(_mm256_unpackhi_pd(p, q));
  }
};

template <>
struct Register<double> {
  using V = __m256d;
  static constexpr int size = 4;

  static void settle(V& a) { asm("" : "+x"(a)); }
  static V broadcast(double a) { return _mm256_set1_pd(a); }
  static V load(const double* p) { return _mm256_loadu_pd(p); }
  static V load_part(const double* p, int n) { return _mm256_maskload_pd(p, mask(n)); }
  static void store(double* p, V a) { _mm256_storeu_pd(p, a); }
  static void store_part(double* p, V a, int n) { _mm256_maskstore_pd(p, mask(n), a); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  static V fnma(V a, V b, V c) { return _mm256_fnmadd_pd(a, b, c); }
  static V larger(V a, V b) { return _mm256_max_pd(a, b); }
  static V smaller(V a, V b) { return _mm256_min_pd(a, b); }
  static V negative(V a) { return _mm256_xor_pd(a, broadcast(-0.0)); }
  static V abs(V a) { return _mm256_andnot_pd(broadcast(-0.0), a); }
  static V copy_sign(V magnitude, V from) {
    return _mm256_or_pd(abs(magnitude), _mm256_and_pd(from, broadcast(-0.0)));
  }
  static V power_of_two(V shifted) {
    const __m256i exponent = _mm256_slli_epi64(_mm256_castpd_si256(shifted), 52);
    const __m256i one = _mm256_set1_epi64x(0x3FF0000000000000);
    return _mm256_castsi256_pd(_mm256_add_epi64(exponent, one));
  }
  ONECELL_INLINED static void reduce4(V a, V b, V c, V d, double* out) {
    const V p = halves(a, c), q = halves(b, d);
    store(out, _mm256_unpacklo_pd(p, q) + _mm256_unpackhi_pd(p, q));
  }
  static void transpose(V (&rows)[size]) {
    const V a = _mm256_unpacklo_pd(rows[0], rows[1]), b = _mm256_unpackhi_pd(rows[0], rows[1]);
    const V c = _mm256_unpacklo_pd(rows[2], rows[3]), d = _mm256_unpackhi_pd(rows[2], rows[3]);
    rows[0] = _mm256_permute2f128_pd(a, c, 0x20);
    rows[1] = _mm256_permute2f128_pd(b, d, 0x20);
    rows[2] = _mm256_permute2f128_pd(a, c, 0x31);
    rows[3] = _mm256_permute2f128_pd(b, d, 0x31);
  }

 private:
  static __m256i mask(int n) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - 2 * n));
  }
  static V halves(V a, V b) {
    return _mm256_blend_pd(a, b, 0xC) + _mm256_permute2f128_pd(a, b, 0x21);
  }
};

template <class T>
struct Lanes {
  using R = Register<T>;
  using V = typename R::V;
  static constexpr int size = 2 * R::size;
  static constexpr bool reduces8 = false;
  V lo, hi;

  void settle() { asm("" : "+x"(lo), "+x"(hi)); }
  static Lanes broadcast(T a) { return {R::broadcast(a), R::broadcast(a)}; }
  static Lanes zero() { return broadcast(T(0)); }
  static Lanes load(const T* p) { return {R::load(p), R::load(p + R::size)}; }
  static Lanes load_part(const T* p, int n) {
    if (n <= R::size) return {R::load_part(p, n), R::broadcast(T(0))};
    return {R::load(p), R::load_part(p + R::size, n - R::size)};
  }
  void store(T* p) const {
    R::store(p, lo);
    R::store(p + R::size, hi);
  }
  void store_part(T* p, int n) const {
    if (n <= R::size) return R::store_part(p, lo, n);
    R::store(p, lo);
    R::store_part(p + R::size, hi, n - R::size);
  }

  friend Lanes operator+(Lanes a, Lanes b) { return {a.lo + b.lo, a.hi + b.hi}; }
  friend Lanes operator-(Lanes a, Lanes b) { return {a.lo - b.lo, a.hi - b.hi}; }
  friend Lanes operator*(Lanes a, Lanes b) { return {a.lo * b.lo, a.hi * b.hi}; }
  friend Lanes operator/(Lanes a, Lanes b) { return {a.lo / b.lo, a.hi / b.hi}; }
  friend Lanes operator-(Lanes a) { return {R::negative(a.lo), R::negative(a.hi)}; }

  static Lanes fma(Lanes a, Lanes b, Lanes c) {
    return {R::fma(a.lo, b.lo, c.lo), R::fma(a.hi, b.hi, c.hi)};
  }
  // c - a b, rounded once.
  static Lanes fnma(Lanes a, Lanes b, Lanes c) {
    return {R::fnma(a.lo, b.lo, c.lo), R::fnma(a.hi, b.hi, c.hi)};
  }
  // A factor for all lanes.
  using Factor = Lanes;
  static Factor factor(T a) { return broadcast(a); }
  static Lanes at_least(Lanes limit, Lanes y) {
    return {R::larger(limit.lo, y.lo), R::larger(limit.hi, y.hi)};
  }
  static Lanes at_most(Lanes limit, Lanes y) {
    return {R::smaller(limit.lo, y.lo), R::smaller(limit.hi, y.hi)};
  }
  static Lanes abs(Lanes a) { return {R::abs(a.lo), R::abs(a.hi)}; }
  static Lanes copy_sign(Lanes magnitude, Lanes from) {
    return {R::copy_sign(magnitude.lo, from.lo), R::copy_sign(magnitude.hi, from.hi)};
  }
  static Lanes power_of_two(Lanes shifted) {
    return {R::power_of_two(shifted.lo), R::power_of_two(shifted.hi)};
  }
  ONECELL_INLINED static void reduce4(Lanes a, Lanes b, Lanes c, Lanes d, T* out) {
    R::reduce4(a.folded(), b.folded(), c.folded(), d.folded(), out);
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(Lanes (&rows)[size]) {
    constexpr int n = R::size;
    V upper[n], lower[n];  // left of what is below, and right of what is above
    const auto turn = [&](int first, bool right, V(&square)[n]) {
      for (int r = 0; r < n; ++r) square[r] = right ? rows[first + r].hi : rows[first + r].lo;
      R::transpose(square);
    };
    V first[n], last[n];
    turn(0, false, first);
    turn(0, true, lower);
    turn(n, false, upper);
    turn(n, true, last);
    for (int r = 0; r < n; ++r) {
      rows[r] = {first[r], upper[r]};
      rows[n + r] = {lower[r], last[r]};
    }
  }

 private:
  // The first level of rule 1's tree.
  ONECELL_INLINED V folded() const { return lo + hi; }
};

// Stored weights, widened; see frozen.h. Of an interleaved pair, even columns are the first row.
inline constexpr int kFrozenRows = 4, kFrozenFewest = 4, kFrozenBatch = 3;

template <int R>
inline void reduce(const Lanes<float>* rows, float* out) {
  static_assert(R == 4);
  Lanes<float>::reduce4(rows[0], rows[1], rows[2], rows[3], out);
}

inline void load_bfloat16_pair(const std::uint16_t* p, __m256& a, __m256& b) {
  const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  a = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  b = _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(-0x10000)));
}
inline void load_bfloat16_pair(const std::uint16_t* p, Lanes<float>& a, Lanes<float>& b) {
  load_bfloat16_pair(p, a.lo, b.lo);
  load_bfloat16_pair(p + 16, a.hi, b.hi);
}
inline void load_stored(const float* p, __m256& a) { a = _mm256_loadu_ps(p); }
inline void load_stored(const std::uint16_t* p, __m256& a) {
  a = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Lanes<float> load_float16(const std::uint16_t* p) {
  Lanes<float> a;
  load_stored(p, a.lo);
  load_stored(p + 8, a.hi);
  return a;
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
