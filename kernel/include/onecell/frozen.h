// The LSTM cell with its weights packed once, for the forward way alone.
//
// Packing copies: what is written into the live weights later does not reach a frozen cell. The
// equations, shapes, aliasing and threading are those of cell.h, and so is the order of additions,
// in float, but for the products by integers and those of kBfloat16Bfloat16:
//
//  kFloat32   as they are. The bits are the live cell's.
//  kBfloat16  rounded to nearest, ties to even. The bits are those of a live float cell that holds
//  kFloat16   the rounded weights: a stored weight is widened in a register and no sum is changed.
//  kInt8      w = q * scale with an integer |q| <= 127 and a scale for every row of both matrices:
//  kInt8Int8  max |w| / 127, at least FLT_MIN, rounded up to 16 significant bits, so that every
//             q * scale is a float too; q is w / scale rounded to nearest, ties to even.
//
//  kBfloat16Bfloat16  as kBfloat16, but that a weight smaller than kLeastPaired counts as zero.
//
// The product of a row of x or h in kBfloat16Bfloat16. Every number x of the row is rounded to
// bfloat16 too, to nearest, ties to even, and counts as zero where it is smaller than kLeastPaired.
// Then, from +0 on and for k = 0, 2, 4, ...:
//
//     sum = x[k + 1] * w[k + 1] + sum;  sum = x[k] * w[k] + sum
//
// each a float, rounded once, a column that is not there being zero. No product or sum is subnormal
// (half.h), so that it is the same to whoever flushes them.
//
// The product of a row of x or h by integers. Let m = 8128 in kInt8, 127 in kInt8Int8, and a the
// largest |x| of the row, at least 2^-100. Then r = x * (m / a) rounded once, to nearest, ties to
// even, is an integer that stands for x. Columns go by blocks of 2048 in kInt8, 131072 in
// kInt8Int8, in rising order: the sum of r * q over a block is exact in 32 bits; as a float it is
// added to that of the blocks before, from +0 on. The result is (sum * (a / m)) * scale. Every
// operation is a float's, rounded once. Where a number of the row is not finite, the result is no
// number.
//
// Biases are kept in float, both apart, as the order of additions wants them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace onecell {

enum class Storage : std::int32_t {
  kFloat32,
  kBfloat16,
  kFloat16,
  kInt8,
  kInt8Int8,
  kBfloat16Bfloat16
};

// The smallest number in size that counts in products of kBfloat16Bfloat16, and its bfloat16.
inline constexpr float kLeastPaired = 0x1p-56F;
inline constexpr std::uint16_t kLeastPairedBits = (127 - 56) << 7;

// Packed weights. Immutable, so any number of threads may compute with them at once.
//
// Layout. Hidden units go by blocks of 16, filled up with units of zero weights; a block has a tile
// for each gate, with a row for each unit. Columns go by groups of 16, filled up with zeros. For
// each block, tile and group: 16 rows of 16 columns, so that a tile is one unbroken stream. In
// kBfloat16 two neighbouring rows are interleaved column by column: one shift or one mask widens 16
// columns of a row. In kBfloat16Bfloat16 there is, for each block and pair of columns, the pair
// of each of 4 gates by 16 units, so that a block is one stream. Scales and biases: for each block,
// 4 gates by 16 units.
class FrozenWeights {
 public:
  static constexpr std::int64_t kUnits = 16, kColumns = 16, kBlockRows = 4 * kUnits;

  // Weights as in cell.h; biases null together. Throws std::bad_alloc, and std::invalid_argument
  // for the last two where a weight is not finite or too large for its scale.
  FrozenWeights(Storage storage, std::int64_t input_size, std::int64_t hidden_size,
                const float* weight_ih, const float* weight_hh, const float* bias_ih,
                const float* bias_hh);

  // The pieces of packed weights, on every little-endian machine and instruction set the same
  // bytes.
  struct Parts {
    const std::byte *rows_ih, *rows_hh;  // blocks() * 4 * groups() * 256 elements each
    const float *scales_ih, *scales_hh;  // blocks() * kBlockRows each; null but for integers
    const float *bias_ih, *bias_hh;      // the same; null together
  };

  // Weights that were packed before, copied or used where they lie, which must then be aligned to
  // 64 bytes, stay as they are and outlive this. Throws std::bad_alloc where it copies.
  FrozenWeights(Storage storage, std::int64_t input_size, std::int64_t hidden_size,
                const Parts& parts, bool copied);

  // Write what is stored as float, exactly: weight_ih (G, I) and weight_hh (G, H).
  void unpack(float* weight_ih, float* weight_hh) const;

  Storage storage() const { return storage_; }
  std::int64_t input_size() const { return input_size_; }
  std::int64_t hidden_size() const { return hidden_size_; }
  std::int64_t blocks() const { return (hidden_size_ + kUnits - 1) / kUnits; }
  // Bytes that a step of `batch` rows works in; 0 where x and h are taken as they are.
  std::size_t step_room(std::int64_t batch) const;
  // Of all pieces, padding included.
  std::size_t bytes() const { return bytes(bias_ih_ != nullptr); }

  // One of the two matrices, with its scales or null.
  struct Matrix {
    std::int64_t width;
    const std::byte* rows;
    const float* scales;

    std::int64_t groups() const { return (width + kColumns - 1) / kColumns; }
  };
  const Matrix& from_x() const { return from_x_; }
  const Matrix& from_h() const { return from_h_; }
  const float* bias_ih() const { return bias_ih_; }  // null without biases
  const float* bias_hh() const { return bias_hh_; }
  Parts parts() const {
    return {from_x_.rows, from_h_.rows, from_x_.scales, from_h_.scales, bias_ih_, bias_hh_};
  }

 private:
  // Take memory for all pieces, all zero.
  void make_room(bool biased);
  std::size_t bytes(bool biased) const;
  std::size_t rows_bytes(const Matrix&) const;
  std::size_t column_bytes() const { return blocks() * kBlockRows * sizeof(float); }

  struct Free {
    std::size_t alignment;
    void operator()(std::byte* memory) const;
  };

  Storage storage_;
  std::int64_t input_size_, hidden_size_;
  Matrix from_x_, from_h_;
  const float *bias_ih_ = nullptr, *bias_hh_ = nullptr;
  std::unique_ptr<std::byte, Free> memory_;  // null where the pieces are used where they lie
};

struct FrozenForward {
  const FrozenWeights* weights;
  std::int64_t steps, batch;
  const float* x;  // (T, N, I)
  const float* h;  // (N, H), or null for zeros
  const float* c;  // (N, H), or null for zeros
  float* h_all;    // out (T, N, H): h after every step
  float* c_last;   // out (N, H): the last c; may be `c` where T = 1
  // By the calling thread alone; then a step from a given state takes no memory but `room`.
  bool alone = false;
  std::byte* room = nullptr;  // weights->step_room(batch) bytes, 64-byte aligned, for such a step
};

// Run T steps, each from the state the one before left. Throws std::bad_alloc.
void unroll(const FrozenForward&);

}  // namespace onecell
