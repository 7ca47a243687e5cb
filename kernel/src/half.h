// 16-bit floats in software: rounded to nearest, ties to even; widened exactly.
#pragma once

#include <cstdint>
#include <cstring>

#include "onecell/frozen.h"

namespace onecell {
namespace {

// In an unnamed namespace: an inline function shared by several instruction sets' units could carry
// the instructions of one into another.

inline std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

[[maybe_unused]] inline std::uint16_t to_bfloat16(float value) {
  const std::uint32_t bits = bits_of(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// +0 for what is smaller than kLeastPaired, 2^-56. The products of what is left are multiples of
// 2^-126, and so are their sums: none is subnormal, and no machine's way with those is asked for.
[[maybe_unused]] inline std::uint16_t to_bfloat16_or_zero(float value) {
  const std::uint32_t size = bits_of(value) & 0x7FFFFFFFU;
  return size < bits_of(kLeastPaired) ? std::uint16_t{0} : to_bfloat16(value);
}

[[maybe_unused]] inline float from_bfloat16(std::uint16_t half) {
  return float_of(static_cast<std::uint32_t>(half) << 16);
}

[[maybe_unused]] inline std::uint16_t to_float16(float value) {
  const std::uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000U, size = bits & 0x7FFFFFFFU;
  std::uint32_t half;
  if (size > 0x7F800000U)
    half = 0x7E00 | (size >> 13 & 0x3FF);  // a quiet NaN
  else if (size >= 0x477FF000U)
    half = 0x7C00;  // 65520 and more round to infinity
  else if (size >= 0x38800000U)
    half = (size - 0x38000000U + 0xFFF + (size >> 13 & 1)) >> 13;
  else  // A subnormal half counts in steps of 2^-24, and so do the floats from 0.5 to 1.
    half = bits_of(float_of(size) + 0.5F) - 0x3F000000U;
  return static_cast<std::uint16_t>(sign | half);
}

[[maybe_unused]] inline float from_float16(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t size = half & 0x7FFFU;
  if (size >= 0x7C00U) return float_of(sign | 0x7F800000U | size << 13);
  // As a float's bits the number is 2^112 too small: one multiplication, which is exact.
  return float_of(sign | bits_of(float_of(size << 13) * 0x1p112F));
}

}  // namespace
}  // namespace onecell
