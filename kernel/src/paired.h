// Rows of x and h in bfloat16, and their products by weights that lie in pairs of columns.
// onecell/frozen.h has the rule.
#pragma once

namespace onecell::ONECELL_ISA {

// Rounded rows, each filled up with zeros to whole groups of 16 columns. A number is a bfloat16, or
// a float that is one: what this instruction set multiplies.
struct Paired {
  PairedNumber* numbers = nullptr;
  std::int64_t width = 0;

  Paired() = default;
  // For `rows` rows, in memory for which `rows_room` was asked.
  Paired(std::int64_t rows, std::int64_t columns, Scratch& scratch) : width(columns) {
    if (rows > 0) numbers = scratch.take<PairedNumber>(rows * stride());
  }
  std::int64_t stride() const { return (width + 15) / 16 * 16; }
  Paired from(std::int64_t row) const {
    Paired rest = *this;
    rest.numbers += row * stride();
    return rest;
  }
};

// out (rows, kBlockRows) = x (rows, width) . (block `block` of m)^T.
inline void paired_product(const FrozenWeights::Matrix& m, std::int64_t block, std::int64_t rows,
                           const Paired& x, float* out) {
  const std::int64_t size = m.groups() * FrozenWeights::kBlockRows * FrozenWeights::kColumns;
  const auto* const w = reinterpret_cast<const std::uint16_t*>(m.rows) + block * size;
  even_tiles<kPairedRows>(rows, [&](auto count, std::int64_t n) {
    paired_tile<count>((m.width + 1) / 2, x.from(n).numbers, x.stride(), w,
                       out + n * FrozenWeights::kBlockRows);
  });
}

}  // namespace onecell::ONECELL_ISA
