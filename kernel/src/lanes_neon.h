// L lanes of T in four NEON registers of 128 bits.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace onecell::ONECELL_ISA {

// Shapes of the register tiles, counted and not measured; see dot.h, outer.h, chain.h. A core has
// 32 registers of 128 bits and issues, a cycle: Neoverse N1 and Huawei's TSV110 two multiply-adds
// and two loads, Neoverse V1 and Apple's Firestorm four and three; a multiply-add takes four cycles
// (five to seven on TSV110). Lanes are four registers, so that a tile keeps 24 for its sums at most
// and has 8 for factors; 16 chains keep four units busy for four cycles.
//
//               sums  loads  multiply-adds  of the rate that the loads allow, N1 / V1
//   dot 4 by 1    16     20             16   80% / 60%
//   dot 2 by 3    24     20             24  100% / 90%
//   outer 6 by 1  24     10             24  100% / 100%, a factor being one element of a register
//
// One row of x is bound by fetching weights: 4 by 1 shares it among four chains of each register.
// Source: the schedules of LLVM (AArch64SchedNeoverseN1.td, AArch64SchedNeoverseV1.td,
// AArch64SchedTSV110.td), of which the first two follow Arm's optimization guides; for Firestorm,
// AnandTech's "Apple Silicon M1: A14 deep dive" (2020) and dougallj.github.io/applecpu.
inline constexpr int kDotRows = 2, kDotBatch = 3, kDotRowsOfOne = 4;
inline constexpr int kOuterRows = 6, kOuterVectors = 1;
inline constexpr bool kDotOverlaps = false;
inline constexpr bool kDotByHalves = false;
inline constexpr bool kDotByRegister = true;
// Units whose gates are computed side by side: as many as leave their numbers in registers.
inline constexpr int kGatesTogether = 1;
// Rows from which on it pays to turn weights of few columns around; see `narrow`.
inline constexpr std::int64_t kNarrowRows = 32;
// Tiles of short chains, where sums have room to wait in registers; 0 where they have not.
inline constexpr int kShortRows = 0, kShortVectors = 1;

// One register of T.
template <class T>
struct Register;

template <>
struct Register<float> {
  using V = float32x4_t;
  static constexpr int size = 4;

  ONECELL_INLINED static V broadcast(float a) { return vdupq_n_f32(a); }
  ONECELL_INLINED static V load(const float* p) { return vld1q_f32(p); }
  ONECELL_INLINED static V load_part(const float* p, int n) {  // 0 < n < size
    if (n == 1) return vld1q_lane_f32(p, vdupq_n_f32(0), 0);
    const V two = vcombine_f32(vld1_f32(p), vdup_n_f32(0));
    return n == 2 ? two : vld1q_lane_f32(p + 2, two, 2);
  }
  ONECELL_INLINED static void store(float* p, V a) { vst1q_f32(p, a); }
  ONECELL_INLINED static void store_part(float* p, V a, int n) {
    if (n == 1) return vst1q_lane_f32(p, a, 0);
    vst1_f32(p, vget_low_f32(a));
    if (n == 3) vst1q_lane_f32(p + 2, a, 2);
  }
  ONECELL_INLINED static V fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
  ONECELL_INLINED static V fma(float a, V b, V c) { return vfmaq_n_f32(c, b, a); }
  ONECELL_INLINED static V larger(V a, V b) { return vmaxq_f32(a, b); }
  ONECELL_INLINED static V smaller(V a, V b) { return vminq_f32(a, b); }
  ONECELL_INLINED static V abs(V a) { return vabsq_f32(a); }
  ONECELL_INLINED static V copy_sign(V magnitude, V from) {
    return vbslq_f32(vdupq_n_u32(0x80000000U), from, magnitude);
  }
  ONECELL_INLINED static V power_of_two(V shifted) {
    const int32x4_t exponent = vshlq_n_s32(vreinterpretq_s32_f32(shifted), 23);
    return vreinterpretq_f32_s32(vaddq_s32(exponent, vdupq_n_s32(0x3F800000)));
  }
  // The sums of the elements of two registers or four: the last two levels of rule 1's tree.
  ONECELL_INLINED static void reduce2(V p, V q, float* out) {
    const V both = pairs(p, q);
    vst1_f32(out, vpadd_f32(vget_low_f32(both), vget_high_f32(both)));
  }
  ONECELL_INLINED static void reduce4(V p, V q, V r, V s, float* out) {
    vst1q_f32(out, vpaddq_f32(pairs(p, q), pairs(r, s)));
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(V (&square)[size]) {
    const float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(square[0], square[1]));
    const float64x2_t b = vreinterpretq_f64_f32(vtrn2q_f32(square[0], square[1]));
    const float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(square[2], square[3]));
    const float64x2_t d = vreinterpretq_f64_f32(vtrn2q_f32(square[2], square[3]));
    square[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
    square[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
    square[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
    square[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
  }

 private:
  ONECELL_INLINED static V pairs(V p, V q) {
    const float64x2_t a = vreinterpretq_f64_f32(p), b = vreinterpretq_f64_f32(q);
    return vreinterpretq_f32_f64(vzip1q_f64(a, b)) + vreinterpretq_f32_f64(vzip2q_f64(a, b));
  }
};

template <>
struct Register<double> {
  using V = float64x2_t;
  static constexpr int size = 2;

  ONECELL_INLINED static V broadcast(double a) { return vdupq_n_f64(a); }
  ONECELL_INLINED static V load(const double* p) { return vld1q_f64(p); }
  ONECELL_INLINED static V load_part(const double* p, int) {
    return vcombine_f64(vld1_f64(p), vdup_n_f64(0));
  }
  ONECELL_INLINED static void store(double* p, V a) { vst1q_f64(p, a); }
  ONECELL_INLINED static void store_part(double* p, V a, int) { vst1_f64(p, vget_low_f64(a)); }
  ONECELL_INLINED static V fma(V a, V b, V c) { return vfmaq_f64(c, a, b); }
  ONECELL_INLINED static V fma(double a, V b, V c) { return vfmaq_n_f64(c, b, a); }
  ONECELL_INLINED static V larger(V a, V b) { return vmaxq_f64(a, b); }
  ONECELL_INLINED static V smaller(V a, V b) { return vminq_f64(a, b); }
  ONECELL_INLINED static V abs(V a) { return vabsq_f64(a); }
  ONECELL_INLINED static V copy_sign(V magnitude, V from) {
    return vbslq_f64(vdupq_n_u64(0x8000000000000000U), from, magnitude);
  }
  ONECELL_INLINED static V power_of_two(V shifted) {
    const int64x2_t exponent = vshlq_n_s64(vreinterpretq_s64_f64(shifted), 52);
    return vreinterpretq_f64_s64(vaddq_s64(exponent, vdupq_n_s64(0x3FF0000000000000)));
  }
  ONECELL_INLINED static void reduce2(V p, V q, double* out) { vst1q_f64(out, vpaddq_f64(p, q)); }
  ONECELL_INLINED static void reduce4(V p, V q, V r, V s, double* out) {
    reduce2(p, q, out);
    reduce2(r, s, out + 2);
  }
  static void transpose(V (&square)[size]) {
    const V first = vtrn1q_f64(square[0], square[1]);
    square[1] = vtrn2q_f64(square[0], square[1]);
    square[0] = first;
  }
};

template <class T>
struct Lanes {
  using R = Register<T>;
  using V = typename R::V;
  static constexpr int size = 4 * R::size;
  static constexpr bool reduces8 = false;
  V a, b, c, d;  // not an array: GCC would keep tiles of those in memory

  void settle() {}  // no instruction but a load takes an operand from memory
  ONECELL_INLINED static Lanes broadcast(T value) {
    const V one = R::broadcast(value);
    return {one, one, one, one};
  }
  ONECELL_INLINED static Lanes zero() { return broadcast(T(0)); }
  ONECELL_INLINED static Lanes load(const T* p) {
    return {R::load(p), R::load(p + R::size), R::load(p + 2 * R::size), R::load(p + 3 * R::size)};
  }
  ONECELL_INLINED static Lanes load_part(const T* p, int n) {
    const auto quarter = [=](int from) ONECELL_INLINED {
      if (n >= from + R::size) return R::load(p + from);
      return n > from ? R::load_part(p + from, n - from) : R::broadcast(0);
    };
    return {quarter(0), quarter(R::size), quarter(2 * R::size), quarter(3 * R::size)};
  }
  ONECELL_INLINED void store(T* p) const {
    R::store(p, a);
    R::store(p + R::size, b);
    R::store(p + 2 * R::size, c);
    R::store(p + 3 * R::size, d);
  }
  ONECELL_INLINED void store_part(T* p, int n) const {
    const auto quarter = [=](int from, V value) ONECELL_INLINED {
      if (n >= from + R::size) return R::store(p + from, value);
      if (n > from) R::store_part(p + from, value, n - from);
    };
    quarter(0, a);
    quarter(R::size, b);
    quarter(2 * R::size, c);
    quarter(3 * R::size, d);
  }

  ONECELL_INLINED friend Lanes operator+(Lanes x, Lanes y) {
    return {x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d};
  }
  ONECELL_INLINED friend Lanes operator-(Lanes x, Lanes y) {
    return {x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d};
  }
  ONECELL_INLINED friend Lanes operator*(Lanes x, Lanes y) {
    return {x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d};
  }
  ONECELL_INLINED friend Lanes operator/(Lanes x, Lanes y) {
    return {x.a / y.a, x.b / y.b, x.c / y.c, x.d / y.d};
  }
  ONECELL_INLINED friend Lanes operator-(Lanes x) { return {-x.a, -x.b, -x.c, -x.d}; }

  ONECELL_INLINED static Lanes fma(Lanes x, Lanes y, Lanes z) {
    return {R::fma(x.a, y.a, z.a), R::fma(x.b, y.b, z.b), R::fma(x.c, y.c, z.c),
            R::fma(x.d, y.d, z.d)};
  }
  // z - x y, rounded once.
  ONECELL_INLINED static Lanes fnma(Lanes x, Lanes y, Lanes z) { return fma(-x, y, z); }
  // A factor for all lanes: an instruction takes it from one element of a register.
  using Factor = T;
  ONECELL_INLINED static Factor factor(T value) { return value; }
  ONECELL_INLINED static Lanes fma(Factor x, Lanes y, Lanes z) {
    return {R::fma(x, y.a, z.a), R::fma(x, y.b, z.b), R::fma(x, y.c, z.c), R::fma(x, y.d, z.d)};
  }
  // sum[n][r] += x[n] * w[r] for rows that lie `width` apart. Register by register, since whole
  // lanes of all rows would not find room beside the sums.
  template <int N, int Rows>
  ONECELL_INLINED static void add_products(std::int64_t width, const T* x, const T* w,
                                           Lanes (&sum)[N][Rows]) {
    const auto quarter = [&](auto part, int at) ONECELL_INLINED {
      V row[N];
      unrolled<N>([&](auto n) ONECELL_INLINED { row[n] = R::load(x + n * width + at); });
      unrolled<Rows>([&](auto r) ONECELL_INLINED {
        const V weight = R::load(w + r * width + at);
        unrolled<N>([&](auto n) ONECELL_INLINED {
          V& one = sum[n][r].*part;
          one = R::fma(row[n], weight, one);
        });
      });
    };
    quarter(&Lanes::a, 0);
    quarter(&Lanes::b, R::size);
    quarter(&Lanes::c, 2 * R::size);
    quarter(&Lanes::d, 3 * R::size);
  }
  ONECELL_INLINED static Lanes at_least(Lanes limit, Lanes y) {
    return {R::larger(limit.a, y.a), R::larger(limit.b, y.b), R::larger(limit.c, y.c),
            R::larger(limit.d, y.d)};
  }
  ONECELL_INLINED static Lanes at_most(Lanes limit, Lanes y) {
    return {R::smaller(limit.a, y.a), R::smaller(limit.b, y.b), R::smaller(limit.c, y.c),
            R::smaller(limit.d, y.d)};
  }
  ONECELL_INLINED static Lanes abs(Lanes x) {
    return {R::abs(x.a), R::abs(x.b), R::abs(x.c), R::abs(x.d)};
  }
  ONECELL_INLINED static Lanes copy_sign(Lanes magnitude, Lanes from) {
    return {R::copy_sign(magnitude.a, from.a), R::copy_sign(magnitude.b, from.b),
            R::copy_sign(magnitude.c, from.c), R::copy_sign(magnitude.d, from.d)};
  }
  ONECELL_INLINED static Lanes power_of_two(Lanes shifted) {
    return {R::power_of_two(shifted.a), R::power_of_two(shifted.b), R::power_of_two(shifted.c),
            R::power_of_two(shifted.d)};
  }
  ONECELL_INLINED static void reduce2(Lanes x, Lanes y, T* out) {
    R::reduce2(x.folded(), y.folded(), out);
  }
  ONECELL_INLINED static void reduce4(Lanes x, Lanes y, Lanes z, Lanes w, T* out) {
    R::reduce4(x.folded(), y.folded(), z.folded(), w.folded(), out);
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(Lanes (&rows)[size]) {
    constexpr V Lanes::* quarters[] = {&Lanes::a, &Lanes::b, &Lanes::c, &Lanes::d};
    Lanes turned[size];
    for (int down = 0; down < 4; ++down)
      for (int across = 0; across < 4; ++across) {
        V square[R::size];
        for (int i = 0; i < R::size; ++i) square[i] = rows[R::size * down + i].*quarters[across];
        R::transpose(square);
        for (int i = 0; i < R::size; ++i) turned[R::size * across + i].*quarters[down] = square[i];
      }
    for (int i = 0; i < size; ++i) rows[i] = turned[i];
  }

 private:
  // The first levels of rule 1's tree.
  ONECELL_INLINED V folded() const { return (a + c) + (b + d); }
};

// Stored weights, widened; see frozen.h. Of an interleaved pair, even columns are the first row.
// Two rows by three of x, as in dot.h, so that three share what widening costs.
inline constexpr int kFrozenRows = 4, kFrozenFewest = 2, kFrozenBatch = 3;

template <int R>
ONECELL_INLINED inline void reduce(const Lanes<float>* rows, float* out) {
  static_assert(R == 2 || R == 4);
  if constexpr (R == 2)
    Lanes<float>::reduce2(rows[0], rows[1], out);
  else
    Lanes<float>::reduce4(rows[0], rows[1], rows[2], rows[3], out);
}

ONECELL_INLINED inline void load_bfloat16_pair(const std::uint16_t* p, Lanes<float>& a,
                                               Lanes<float>& b) {
  const auto quarter = [p](int k) { return vreinterpretq_u32_u16(vld1q_u16(p + k)); };
  const auto even = [](uint32x4_t both) { return vreinterpretq_f32_u32(vshlq_n_u32(both, 16)); };
  const auto odd = [](uint32x4_t both) {
    return vreinterpretq_f32_u32(vandq_u32(both, vdupq_n_u32(0xFFFF0000U)));
  };
  const uint32x4_t p0 = quarter(0), p1 = quarter(8), p2 = quarter(16), p3 = quarter(24);
  a = {even(p0), even(p1), even(p2), even(p3)};
  b = {odd(p0), odd(p1), odd(p2), odd(p3)};
}
ONECELL_INLINED inline Lanes<float> load_float16(const std::uint16_t* p) {
  const auto quarter = [p](int k) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + k))); };
  return {quarter(0), quarter(4), quarter(8), quarter(12)};
}

}  // namespace onecell::ONECELL_ISA

#include "paired_floats.h"
#include "rounded_words.h"

namespace onecell::ONECELL_ISA {

// Products of integers; see rounded.h.
template <int Digits>
inline constexpr int kIntegerRows = 4;

ONECELL_INLINED inline Lanes<float> to_floats(const std::int32_t* p) {
  const auto quarter = [p](int k) { return vcvtq_f32_s32(vld1q_s32(p + k)); };
  return {quarter(0), quarter(4), quarter(8), quarter(12)};
}

template <int Digits, int N>
inline void integer_tile(std::int64_t groups, const std::byte* x, std::int64_t row_bytes,
                         const std::int32_t*, std::int64_t, const std::int8_t* w,
                         std::int32_t (&out)[N][16]) {
  for (int unit = 0; unit < 16; unit += 4) {
    int32x4_t sum[N][4];
    unrolled<N>([&](auto n) ONECELL_INLINED {
      unrolled<4>([&](auto u) ONECELL_INLINED { sum[n][u] = vdupq_n_s32(0); });
    });
    for (std::int64_t g = 0; g < groups; ++g) {
      int16x8_t low[N], high[N];
      unrolled<N>([&](auto n) ONECELL_INLINED {
        const auto* const row = reinterpret_cast<const std::int16_t*>(x + n * row_bytes + 32 * g);
        low[n] = vld1q_s16(row);
        high[n] = vld1q_s16(row + 8);
      });
      unrolled<4>([&](auto u) ONECELL_INLINED {
        const int8x16_t bytes = vld1q_s8(w + 256 * g + 16 * (unit + u));
        const int16x8_t near = vmovl_s8(vget_low_s8(bytes)), far = vmovl_high_s8(bytes);
        unrolled<N>([&](auto n) ONECELL_INLINED {
          int32x4_t& total = sum[n][u];
          total = vmlal_s16(total, vget_low_s16(low[n]), vget_low_s16(near));
          total = vmlal_high_s16(total, low[n], near);
          total = vmlal_s16(total, vget_low_s16(high[n]), vget_low_s16(far));
          total = vmlal_high_s16(total, high[n], far);
        });
      });
    }
    unrolled<N>([&](auto n) ONECELL_INLINED {
      vst1q_s32(out[n] + unit,
                vpaddq_s32(vpaddq_s32(sum[n][0], sum[n][1]), vpaddq_s32(sum[n][2], sum[n][3])));
    });
  }
}

}  // namespace onecell::ONECELL_ISA
