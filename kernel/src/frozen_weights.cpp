// Rounding and packing the weights of a frozen cell. frozen.h says how they lie.
#include <cfloat>
#include <cmath>
#include <cstring>
#include <new>
#include <stdexcept>

#include "float_environment.h"
#include "half.h"
#include "kernels.h"
#include "onecell/frozen.h"
#include "scratch.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace onecell {
namespace {

using Size = std::int64_t;

constexpr Size kUnits = FrozenWeights::kUnits, kColumns = FrozenWeights::kColumns;
constexpr Size kTileGroup = kUnits * kColumns;
constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;

std::size_t element_bytes(Storage storage) {
  switch (storage) {
    case Storage::kFloat32:
      return 4;
    case Storage::kBfloat16:
    case Storage::kFloat16:
    case Storage::kBfloat16Bfloat16:
      return 2;
    case Storage::kInt8:
    case Storage::kInt8Int8:
      return 1;
  }
  throw std::invalid_argument("unknown storage");
}

bool has_scales(Storage storage) { return element_bytes(storage) == 1; }

// Call f(row, tile, unit of the block) for every row of a matrix (4H, width); tiles are counted
// through all blocks.
template <class F>
void each_row(Size hidden, F&& f) {
  for (Size gate = 0; gate < 4; ++gate)
    for (Size unit = 0; unit < hidden; ++unit)
      f(gate * hidden + unit, unit / kUnits * 4 + gate, unit % kUnits);
}

// Index of a row's column among the elements of a matrix.
Size place(Storage storage, Size groups, Size tile, Size unit, Size column) {
  if (storage == Storage::kBfloat16Bfloat16) {
    const Size pair = tile / 4 * groups * (kColumns / 2) + column / 2;
    return ((pair * 4 + tile % 4) * kUnits + unit) * 2 + column % 2;
  }
  const Size start = (tile * groups + column / kColumns) * kTileGroup, lane = column % kColumns;
  if (storage == Storage::kBfloat16) return start + unit / 2 * 2 * kColumns + lane * 2 + unit % 2;
  return start + unit * kColumns + lane;
}

// Index of a row among the scales and biases.
Size place(Size tile, Size unit) { return tile * kUnits + unit; }

float scale_of(const float* row, Size width) {
  float largest = 0;
  for (Size k = 0; k < width; ++k) {
    if (!std::isfinite(row[k])) throw std::invalid_argument("a weight is not finite");
    largest = std::fmax(largest, std::fabs(row[k]));
  }
  const float even = std::fmax(largest / 127, FLT_MIN);
  std::uint32_t bits;
  std::memcpy(&bits, &even, sizeof bits);
  bits = (bits + 0xFF) & ~std::uint32_t{0xFF};
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  if (!std::isfinite(127 * scale)) throw std::invalid_argument("a weight is too large");
  return scale;
}

void pack(Storage storage, const FrozenWeights::Matrix& matrix, Size hidden, const float* weight) {
  std::byte* const rows = const_cast<std::byte*>(matrix.rows);
  float* const scales = const_cast<float*>(matrix.scales);
  each_row(hidden, [&](Size source, Size tile, Size unit) {
    const float* const from = weight + source * matrix.width;
    float scale = 1;
    if (has_scales(storage)) scales[place(tile, unit)] = scale = scale_of(from, matrix.width);
    for (Size k = 0; k < matrix.width; ++k) {
      const Size at = place(storage, matrix.groups(), tile, unit, k);
      const auto put = [&](auto value) {
        std::memcpy(rows + at * sizeof value, &value, sizeof value);
      };
      switch (storage) {
        case Storage::kFloat32:
          put(from[k]);
          break;
        case Storage::kBfloat16:
          put(to_bfloat16(from[k]));
          break;
        case Storage::kBfloat16Bfloat16:
          put(to_bfloat16_or_zero(from[k]));
          break;
        case Storage::kFloat16:
          put(to_float16(from[k]));
          break;
        case Storage::kInt8:
        case Storage::kInt8Int8:
          put(static_cast<std::int8_t>(std::nearbyint(from[k] / scale)));
          break;
      }
    }
  });
}

void unpack(Storage storage, const FrozenWeights::Matrix& matrix, Size hidden, float* weight) {
  each_row(hidden, [&](Size source, Size tile, Size unit) {
    for (Size k = 0; k < matrix.width; ++k) {
      const Size at = place(storage, matrix.groups(), tile, unit, k);
      const auto get = [&](auto value) {
        std::memcpy(&value, matrix.rows + at * sizeof value, sizeof value);
        return value;
      };
      float& value = weight[source * matrix.width + k];
      switch (storage) {
        case Storage::kFloat32:
          value = get(float{});
          break;
        case Storage::kBfloat16:
        case Storage::kBfloat16Bfloat16:
          value = from_bfloat16(get(std::uint16_t{}));
          break;
        case Storage::kFloat16:
          value = from_float16(get(std::uint16_t{}));
          break;
        case Storage::kInt8:
        case Storage::kInt8Int8:
          value = static_cast<float>(get(std::int8_t{})) * matrix.scales[place(tile, unit)];
          break;
      }
    }
  });
}

}  // namespace

void FrozenWeights::Free::operator()(std::byte* memory) const {
  ::operator delete(memory, std::align_val_t{alignment});
}

std::size_t FrozenWeights::rows_bytes(const Matrix& matrix) const {
  return blocks() * 4 * matrix.groups() * kTileGroup * element_bytes(storage_);
}

std::size_t FrozenWeights::bytes(bool biased) const {
  const std::size_t columns = (has_scales(storage_) ? 2 : 0) + (biased ? 2 : 0);
  return rows_bytes(from_x_) + rows_bytes(from_h_) + columns * column_bytes();
}

std::size_t rows_room(Storage storage, Size rows, Size columns) {
  const Size groups = (columns + kColumns - 1) / kColumns, sums = (columns + 2047) / 2048 * 2;
  if (storage == Storage::kBfloat16Bfloat16)  // at most: as floats
    return Scratch::padded(rows * groups * kColumns * sizeof(float));
  if (!has_scales(storage)) return 0;
  return Scratch::padded(rows * groups * kColumns * sizeof(std::int16_t)) +
         Scratch::padded(rows * sums * sizeof(std::int32_t)) +
         Scratch::padded(rows * sizeof(float));
}

std::size_t FrozenWeights::step_room(Size batch) const {
  return rows_room(storage_, batch, input_size_) + rows_room(storage_, batch, hidden_size_);
}

void FrozenWeights::make_room(bool biased) {
  // A step reads all of it: with huge pages, looking up addresses does not hold it back.
  const std::size_t size = bytes(biased), alignment = size >= kHugePage ? kHugePage : kLine;
  memory_ = {static_cast<std::byte*>(::operator new(size, std::align_val_t{alignment})),
             Free{alignment}};
#ifdef __linux__
  if (alignment == kHugePage) madvise(memory_.get(), size, MADV_HUGEPAGE);  // advice alone
#endif
  std::memset(memory_.get(), 0, size);

  // Every piece fills whole lines of a cache, so that the next one begins at one.
  std::byte* next = memory_.get();
  const auto take = [&](std::size_t bytes) {
    std::byte* const taken = next;
    next += bytes;
    return taken;
  };
  const auto column = [&] { return reinterpret_cast<const float*>(take(column_bytes())); };
  from_x_.rows = take(rows_bytes(from_x_));
  from_h_.rows = take(rows_bytes(from_h_));
  if (has_scales(storage_)) {
    from_x_.scales = column();
    from_h_.scales = column();
  }
  if (biased) {
    bias_ih_ = column();
    bias_hh_ = column();
  }
}

FrozenWeights::FrozenWeights(Storage storage, Size input_size, Size hidden_size,
                             const float* weight_ih, const float* weight_hh, const float* bias_ih,
                             const float* bias_hh)
    : storage_(storage),
      input_size_(input_size),
      hidden_size_(hidden_size),
      from_x_{input_size, nullptr, nullptr},
      from_h_{hidden_size, nullptr, nullptr} {
  const FloatEnvironment environment;
  make_room(bias_ih != nullptr);
  pack(storage, from_x_, hidden_size, weight_ih);
  pack(storage, from_h_, hidden_size, weight_hh);
  if (bias_ih == nullptr) return;
  each_row(hidden_size, [&](Size source, Size tile, Size unit) {
    const_cast<float*>(bias_ih_)[place(tile, unit)] = bias_ih[source];
    const_cast<float*>(bias_hh_)[place(tile, unit)] = bias_hh[source];
  });
}

FrozenWeights::FrozenWeights(Storage storage, Size input_size, Size hidden_size, const Parts& parts,
                             bool copied)
    : storage_(storage),
      input_size_(input_size),
      hidden_size_(hidden_size),
      from_x_{input_size, parts.rows_ih, parts.scales_ih},
      from_h_{hidden_size, parts.rows_hh, parts.scales_hh},
      bias_ih_(parts.bias_ih),
      bias_hh_(parts.bias_hh) {
  if (!copied) return;
  make_room(parts.bias_ih != nullptr);
  const auto copy = [](const void* to, const void* from, std::size_t bytes) {
    if (from != nullptr) std::memcpy(const_cast<void*>(to), from, bytes);
  };
  copy(from_x_.rows, parts.rows_ih, rows_bytes(from_x_));
  copy(from_h_.rows, parts.rows_hh, rows_bytes(from_h_));
  copy(from_x_.scales, parts.scales_ih, column_bytes());
  copy(from_h_.scales, parts.scales_hh, column_bytes());
  copy(bias_ih_, parts.bias_ih, column_bytes());
  copy(bias_hh_, parts.bias_hh, column_bytes());
}

void FrozenWeights::unpack(float* weight_ih, float* weight_hh) const {
  const FloatEnvironment environment;
  onecell::unpack(storage_, from_x_, hidden_size_, weight_ih);
  onecell::unpack(storage_, from_h_, hidden_size_, weight_hh);
}

}  // namespace onecell
