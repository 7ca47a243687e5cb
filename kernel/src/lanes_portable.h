// L lanes of T in plain C++, 64 bytes together; `fma` is exact on machines that have none.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "half.h"
#include "soft_fma.h"

namespace onecell::ONECELL_ISA {

// Shapes of the register tiles; see dot.h and outer.h.
inline constexpr int kDotRows = 4, kDotBatch = 1, kDotRowsOfOne = 4;
inline constexpr int kOuterRows = 2, kOuterVectors = 1;
inline constexpr bool kDotOverlaps = false;
inline constexpr bool kDotByHalves = false;
inline constexpr bool kDotByRegister = false;
// Units whose gates are computed side by side: as many as leave their numbers in registers.
inline constexpr int kGatesTogether = 1;
// Rows from which on it pays to turn weights of few columns around; see `narrow`.
inline constexpr std::int64_t kNarrowRows = 32;
// Tiles of short chains, where sums have room to wait in registers; 0 where they have not.
inline constexpr int kShortRows = 0, kShortVectors = 1;

template <class T>
struct Bits;
template <>
struct Bits<float> {
  using type = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr type one = 0x3F800000U, sign = 0x80000000U;
};
template <>
struct Bits<double> {
  using type = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr type one = 0x3FF0000000000000U, sign = 0x8000000000000000U;
};

template <class T>
struct Lanes {
  using Word = typename Bits<T>::type;
  static constexpr int size = 64 / sizeof(T);
  static constexpr bool reduces8 = false;
  T v[size];

  void settle() {}
  static Lanes broadcast(T a) {
    return make([=](int) { return a; });
  }
  static Lanes zero() { return broadcast(T(0)); }
  static Lanes load(const T* p) {
    Lanes r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
  }
  static Lanes load_part(const T* p, int n) {
    Lanes r = zero();
    std::memcpy(r.v, p, n * sizeof(T));
    return r;
  }
  void store(T* p) const { std::memcpy(p, v, sizeof v); }
  void store_part(T* p, int n) const { std::memcpy(p, v, n * sizeof(T)); }

  friend Lanes operator+(const Lanes& a, const Lanes& b) {
    return make([&](int i) { return a.v[i] + b.v[i]; });
  }
  friend Lanes operator-(const Lanes& a, const Lanes& b) {
    return make([&](int i) { return a.v[i] - b.v[i]; });
  }
  friend Lanes operator*(const Lanes& a, const Lanes& b) {
    return make([&](int i) { return a.v[i] * b.v[i]; });
  }
  friend Lanes operator/(const Lanes& a, const Lanes& b) {
    return make([&](int i) { return a.v[i] / b.v[i]; });
  }
  friend Lanes operator-(const Lanes& a) {
    return make([&](int i) { return -a.v[i]; });
  }

  // a * b + c, rounded once.
  static Lanes fma(const Lanes& a, const Lanes& b, const Lanes& c) {
    return make([&](int i) { return soft::fma(a.v[i], b.v[i], c.v[i]); });
  }
  // c - a b, rounded once.
  static Lanes fnma(const Lanes& a, const Lanes& b, const Lanes& c) { return fma(-a, b, c); }
  // A factor for all lanes.
  using Factor = Lanes;
  static Factor factor(T a) { return broadcast(a); }
  // The larger of the two; a NaN in y goes through.
  static Lanes at_least(const Lanes& limit, const Lanes& y) {
    return make([&](int i) { return limit.v[i] > y.v[i] ? limit.v[i] : y.v[i]; });
  }
  static Lanes at_most(const Lanes& limit, const Lanes& y) {
    return make([&](int i) { return limit.v[i] < y.v[i] ? limit.v[i] : y.v[i]; });
  }
  static Lanes abs(const Lanes& a) {
    return make([&](int i) { return from_word(word(a.v[i]) & ~Bits<T>::sign); });
  }
  static Lanes copy_sign(const Lanes& magnitude, const Lanes& sign) {
    return make([&](int i) {
      return from_word((word(magnitude.v[i]) & ~Bits<T>::sign) | (word(sign.v[i]) & Bits<T>::sign));
    });
  }
  // 2^k, where the low bits of `shifted`, as an integer, are k.
  static Lanes power_of_two(const Lanes& shifted) {
    return make(
        [&](int i) { return from_word((word(shifted.v[i]) << Bits<T>::mantissa) + Bits<T>::one); });
  }
  // Row r, column c of the square becomes row c, column r.
  static void transpose(Lanes (&rows)[size]) {
    T square[size][size];
    for (int r = 0; r < size; ++r) rows[r].store(square[r]);
    for (int r = 0; r < size; ++r)
      for (int c = 0; c < r; ++c) std::swap(square[r][c], square[c][r]);
    for (int r = 0; r < size; ++r) rows[r] = load(square[r]);
  }
  // The sums of four lane vectors, by the tree of rule 1 in cell.h, to out[0..3].
  static void reduce4(const Lanes& a, const Lanes& b, const Lanes& c, const Lanes& d, T* out) {
    out[0] = a.sum();
    out[1] = b.sum();
    out[2] = c.sum();
    out[3] = d.sum();
  }

 private:
  template <class F>
  static Lanes make(F&& f) {
    Lanes r;
    for (int i = 0; i < size; ++i) r.v[i] = f(i);
    return r;
  }
  T sum() const {
    T s[size];
    std::memcpy(s, v, sizeof s);
    for (int m = size / 2; m > 0; m /= 2)
      for (int i = 0; i < m; ++i) s[i] += s[i + m];
    return s[0];
  }
  static Word word(T a) {
    Word w;
    std::memcpy(&w, &a, sizeof w);
    return w;
  }
  static T from_word(Word w) {
    T a;
    std::memcpy(&a, &w, sizeof a);
    return a;
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
  for (int i = 0; i < Lanes<float>::size; ++i) {
    a.v[i] = from_bfloat16(p[2 * i]);
    b.v[i] = from_bfloat16(p[2 * i + 1]);
  }
}
inline Lanes<float> load_float16(const std::uint16_t* p) {
  Lanes<float> r;
  for (int i = 0; i < Lanes<float>::size; ++i) r.v[i] = from_float16(p[i]);
  return r;
}

}  // namespace onecell::ONECELL_ISA

#include "paired_floats.h"
#include "rounded_words.h"

namespace onecell::ONECELL_ISA {

// Products of integers; see rounded.h.
template <int Digits>
inline constexpr int kIntegerRows = 1;

inline Lanes<float> to_floats(const std::int32_t* p) {
  Lanes<float> r;
  for (int i = 0; i < Lanes<float>::size; ++i) r.v[i] = static_cast<float>(p[i]);
  return r;
}

template <int Digits, int N>
inline void integer_tile(std::int64_t groups, const std::byte* x, std::int64_t, const std::int32_t*,
                         std::int64_t, const std::int8_t* w, std::int32_t (&out)[N][16]) {
  static_assert(N == 1);
  std::memset(out, 0, sizeof out);
  for (std::int64_t g = 0; g < groups; ++g) {
    std::int16_t columns[16];
    std::memcpy(columns, x + g * 32, sizeof columns);
    for (int unit = 0; unit < 16; ++unit)
      for (int k = 0; k < 16; ++k) out[0][unit] += columns[k] * w[256 * g + 16 * unit + k];
  }
}

}  // namespace onecell::ONECELL_ISA
