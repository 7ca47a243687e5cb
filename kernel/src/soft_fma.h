// a * b + c rounded once, on machines that have no instruction for it.
//
// For float: the product is exact in double, so only the sum needs care. It is rounded to odd
// (the inexact sum's neighbour with an odd last bit), after which rounding to float cannot go
// wrong: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
// rounding to odd", IEEE Transactions on Computers 57(4), 2008. For double, the C library's.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace onecell::ONECELL_ISA::soft {

#if defined(__FP_FAST_FMAF) || defined(__ARM_FEATURE_FMA)

inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

#else

inline float fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double addend = c;
  double sum = product + addend;
  // Knuth's two-sum: what the rounding of `sum` lost, exactly.
  const double part = sum - product;
  const double lost = (product - (sum - part)) + (addend - part);
  std::int64_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  const std::int64_t inexact = (lost > 0) | (lost < 0);  // false for NaN, after an infinite sum
  const std::int64_t even = ~bits & 1;
  const std::int64_t outwards = (lost > 0) == (sum > 0) ? 1 : -1;
  bits += (inexact & even) * outwards;
  std::memcpy(&sum, &bits, sizeof sum);
  return static_cast<float>(sum);
}

#endif

inline double fma(double a, double b, double c) { return std::fma(a, b, c); }

}  // namespace onecell::ONECELL_ISA::soft
