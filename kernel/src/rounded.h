// Rows of x and h as integers, and their exact products by int8 weights. onecell/frozen.h has the
// rule.
#pragma once

namespace onecell::ONECELL_ISA {

// What integers of one or two digits reach; and columns whose products by int8 fit into 32 bits.
template <int Digits>
inline constexpr int kRoundedMost = Digits == 2 ? 127 * 64 : 127;
template <int Digits>
inline constexpr std::int64_t kRoundedBlock = Digits == 2 ? 2048 : 131072;

// Rounded rows. For each row and group of 16 columns 16 integers, filled up with zeros: of 16 bits,
// or, where `kByDigits`, 16 bytes for every digit, the higher one first. For each row a scale and,
// for each block of columns and digit, -128 times the sum of the digits.
struct Rounded {
  std::byte* integers = nullptr;
  std::int32_t* sums = nullptr;
  float* scales = nullptr;
  std::int64_t width = 0, row_bytes = 0, row_sums = 0;

  Rounded() = default;
  // For `rows` rows, in memory for which `rows_room` was asked.
  Rounded(std::int64_t rows, std::int64_t columns, Scratch& scratch)
      : width(columns), row_bytes(groups() * 32), row_sums(sum_count(columns)) {
    if (rows == 0) return;
    integers = scratch.take<std::byte>(rows * row_bytes);
    sums = scratch.take<std::int32_t>(rows * row_sums);
    scales = scratch.take<float>(rows);
  }
  std::int64_t groups() const { return (width + 15) / 16; }
  Rounded from(std::int64_t row) const {
    Rounded rest = *this;
    rest.integers += row * row_bytes;
    rest.sums += row * row_sums;
    rest.scales += row;
    return rest;
  }
  template <int Digits>
  const std::byte* group(std::int64_t index) const {
    return integers + index * (kByDigits ? 16 * Digits : 32);
  }

 private:
  static std::int64_t sum_count(std::int64_t columns) { return (columns + 2047) / 2048 * 2; }
};

// Round row `x` as row 0 of `to`.
template <int Digits>
inline void round_row(const float* x, const Rounded& to) {
  using V = Lanes<float>;
  constexpr float most = kRoundedMost<Digits>, least = 0x1p-100F, magic = 0x1.8p23F;
  V largest = V::broadcast(least), odd = V::zero();
  each_group<float>(to.width, [&](std::int64_t k, int n) {
    const V some = load_some(x + k, n);
    largest = V::at_least(largest, V::abs(some));
    odd = V::fma(some, V::zero(), odd);  // no number, if one is not finite
  });
  alignas(64) float all[2 * V::size];
  largest.store(all);
  odd.store(all + V::size);
  float size = least, nothing = 0;
  for (int i = 0; i < V::size; ++i) {
    size = all[i] > size ? all[i] : size;
    nothing += all[V::size + i];
  }
  const bool finite = nothing == 0;
  *to.scales = finite ? size / most : nothing;
  const V inverse = V::broadcast(finite ? most / size : 0), shift = V::broadcast(magic);
  std::byte* integers = to.integers;
  std::int32_t* sums = to.sums;
  constexpr std::int64_t block = kRoundedBlock<Digits>;
  for (std::int64_t begin = 0; begin < to.width; begin += block) {
    RoundedWriter<Digits> writer(integers);
    each_group<float>(std::min(block, to.width - begin), [&](std::int64_t k, int n) {
      writer.put(V::fma(finite ? load_some(x + begin + k, n) : V::zero(), inverse, shift));
    });
    integers = writer.end(sums);
    sums += Digits;
  }
}

}  // namespace onecell::ONECELL_ISA
