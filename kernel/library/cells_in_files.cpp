#include "cells_in_files.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "header.h"

namespace onecell {
namespace {

using Size = std::int64_t;
using Shape = std::vector<Size>;

constexpr std::uint64_t kLargestHeader = 100'000'000;  // as the format's own library has it
constexpr Size kUnits = FrozenWeights::kUnits, kColumns = FrozenWeights::kColumns;
constexpr Size kLargestSize = Size{1} << 24;  // of an input or a cell: nothing overflows

Size blocks_of(Size hidden) { return (hidden + kUnits - 1) / kUnits; }
Size groups_of(Size width) { return (width + kColumns - 1) / kColumns; }

// A file whose header is known.
class Tensors {
 public:
  explicit Tensors(const std::string& path) {
    std::error_code error;
    const std::filesystem::path place(path);
    if (!std::filesystem::is_regular_file(place, error))
      throw NoFile(error || !std::filesystem::exists(place, error) ? "there is no such file."
                                                                   : "it is not a file.");
    const std::uint64_t size = std::filesystem::file_size(place, error);
    file_.open(place, std::ios::binary);
    if (error || !file_) throw NoFile("it cannot be opened.");
    std::array<unsigned char, 8> length{};
    if (size < length.size()) throw BadFile("it is too short for a header.");
    read(0, length.data(), length.size());
    std::uint64_t header_bytes = 0;
    for (std::size_t i = length.size(); i > 0; --i)
      header_bytes = header_bytes << 8 | length[i - 1];
    if (header_bytes > kLargestHeader || header_bytes > size - length.size())
      throw BadFile("its header claims more bytes than there can be.");
    data_ = length.size() + header_bytes;
    std::string text(header_bytes, '\0');
    read(length.size(), text.data(), text.size());
    header_ = read_header(text, size - data_);
  }

  const Header& header() const { return header_; }
  const Entry* find(const std::string& name) const {
    const auto at = header_.tensors.find(name);
    return at == header_.tensors.end() ? nullptr : &at->second;
  }
  const Entry& need(const std::string& name, const char* dtype, const Shape& shape) const {
    const Entry* const found = find(name);
    if (found == nullptr) throw BadFile("it has no `" + name + "`.");
    if (found->dtype != dtype)
      throw BadFile("`" + name + "` must hold " + dtype + ", got " + found->dtype + ".");
    if (found->shape != shape) throw BadFile("`" + name + "` has not the shape of such a cell's.");
    return *found;
  }

  // The bytes of a tensor that was needed, into `to`.
  void read(const Entry& entry, void* to) {
    read(data_ + entry.begin, to, entry.end - entry.begin);
  }

 private:
  void read(std::uint64_t at, void* to, std::uint64_t bytes) {
    file_.seekg(static_cast<std::streamoff>(at));
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    if (!file_) throw NoFile("it cannot be read.");
  }

  std::ifstream file_;
  std::uint64_t data_ = 0;
  Header header_;
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// What stands before the names of the only cell's tensors.
std::string only_cell(const Tensors& file) {
  std::optional<std::string> found;
  for (const auto& [name, entry] : file.header().tensors)
    for (const std::string_view last : {"packed_weight_ih", "weight_ih"}) {
      if (!ends_with(name, last)) continue;
      std::string before = name.substr(0, name.size() - last.size());
      if (!before.empty() && before.back() != '.') continue;
      if (found) throw BadFile("it has several cells: name one.");
      found = std::move(before);
      break;
    }
  if (!found) throw BadFile("it holds no cell: no tensor is called weight_ih.");
  return *found;
}

Size whole(const Entry& entry, std::size_t axis) { return entry.shape.at(axis); }

std::unique_ptr<const FrozenWeights> load_live(Tensors& file, const std::string& before,
                                               Storage storage) {
  const Entry* const first = file.find(before + "weight_ih");
  const Entry* const second = file.find(before + "weight_hh");
  if (first == nullptr || second == nullptr || first->shape.size() != 2 ||
      second->shape.size() != 2)
    throw BadFile("it holds no cell of this name: weight_ih (4H, I) and weight_hh (4H, H).");
  const Size input_size = whole(*first, 1), hidden_size = whole(*second, 1);
  if (input_size < 1 || hidden_size < 1 || input_size > kLargestSize || hidden_size > kLargestSize)
    throw BadFile("its cell has a size that cannot be.");
  const bool biased = file.find(before + "bias_ih") || file.find(before + "bias_hh");
  const auto floats = [&](const char* name, const Shape& shape) {
    const Entry& entry = file.need(before + name, "F32", shape);
    std::vector<float> values((entry.end - entry.begin) / sizeof(float));
    file.read(entry, values.data());
    return values;
  };
  const Size gates = 4 * hidden_size;
  const std::vector<float> weight_ih = floats("weight_ih", {gates, input_size});
  const std::vector<float> weight_hh = floats("weight_hh", {gates, hidden_size});
  std::vector<float> bias_ih, bias_hh;
  if (biased) {
    bias_ih = floats("bias_ih", {gates});
    bias_hh = floats("bias_hh", {gates});
  }
  return std::make_unique<const FrozenWeights>(storage, input_size, hidden_size, weight_ih.data(),
                                               weight_hh.data(), biased ? bias_ih.data() : nullptr,
                                               biased ? bias_hh.data() : nullptr);
}

struct Stored {
  Storage storage;
  const char *name, *dtype;
  std::size_t bytes;  // of an element
};
constexpr std::array<Stored, 6> kStored = {
    {{Storage::kFloat32, "float32", "F32", 4},
     {Storage::kBfloat16, "bfloat16", "BF16", 2},
     {Storage::kFloat16, "float16", "F16", 2},
     {Storage::kInt8, "int8", "I8", 1},
     {Storage::kInt8Int8, "int8_int8", "I8", 1},
     {Storage::kBfloat16Bfloat16, "bfloat16_bfloat16", "BF16", 2}}};

bool is_scaled(const Stored& stored) { return stored.dtype[0] == 'I'; }

class Piece {
 public:
  Piece(Tensors& file, const Entry& entry)
      : bytes_((entry.end - entry.begin + sizeof(Line) - 1) / sizeof(Line)) {
    file.read(entry, bytes_.data());
  }
  const std::byte* bytes() const { return bytes_.data()->bytes; }
  const float* floats() const { return reinterpret_cast<const float*>(bytes()); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> bytes_;
};

// Raise unless weights are zero where units and columns were filled up, int8 is not -128, and a
// bfloat16 that is multiplied as one is no smaller than kLeastPaired.
void check_rows(const Piece& piece, const Stored& stored, Size hidden, Size width) {
  const Size blocks = blocks_of(hidden), groups = groups_of(width);
  const std::byte* at = piece.bytes();
  for (Size tile = 0; tile < 4 * blocks; ++tile)
    for (Size group = 0; group < groups; ++group)
      for (Size place = 0; place < kUnits * kColumns; ++place, at += stored.bytes) {
        // Of a row of 16 columns; or the other way about, by neighbours.
        Size unit = place / kColumns, column = place % kColumns;
        const bool by_columns = stored.storage == Storage::kBfloat16Bfloat16;
        if (stored.storage == Storage::kBfloat16) {
          unit = place / (2 * kColumns) * 2 + place % 2;
          column = place / 2 % kColumns;
        } else if (by_columns) {  // through all tiles of the block
          const Size all = (tile % 4 * groups + group) * kUnits * kColumns + place;
          unit = all / 2 % kUnits;
          column = all / (8 * kUnits) * 2 + all % 2 - group * kColumns;
        }
        bool fits = !is_scaled(stored) || *at != std::byte{0x80};
        if (by_columns) {
          std::uint16_t bits;
          std::memcpy(&bits, at, sizeof bits);
          bits &= 0x7FFF;
          fits = bits == 0 || bits >= kLeastPairedBits;
        }
        if (tile / 4 * kUnits + unit >= hidden || group * kColumns + column >= width)
          for (std::size_t byte = 0; byte < stored.bytes; ++byte)
            fits = fits && at[byte] == std::byte{0};
        if (!fits) throw BadFile("its packed weights are not as packing makes them.");
      }
}

std::unique_ptr<const FrozenWeights> load_frozen(Tensors& file, std::optional<Storage> wanted) {
  const auto told = [&](const char* key) {
    const auto at = file.header().metadata.find(std::string("onecell.") + key);
    return at == file.header().metadata.end() ? std::string() : at->second;
  };
  if (told("cell") != "frozen" || told("version") != "1")
    throw BadFile("it is no frozen cell of a version that is known here.");
  const auto number = [&](const char* key) {
    const std::string text = told(key);
    Size value = 0;
    for (const char digit : text) {
      if (digit < '0' || digit > '9' || value > kLargestSize) value = kLargestSize;
      value = 10 * value + (digit - '0');
    }
    if (value < 1 || value > kLargestSize)
      throw BadFile(std::string("its metadata has no ") + key + " that can be.");
    return value;
  };
  const Size input_size = number("input_size"), hidden_size = number("hidden_size");
  const Stored* stored = nullptr;
  for (const Stored& each : kStored)
    if (told("weight_dtype") == each.name) stored = &each;
  if (stored == nullptr) throw BadFile("its metadata has no weight_dtype that is known here.");
  if (wanted && *wanted != stored->storage)
    throw std::invalid_argument(std::string("it is frozen as ") + stored->name +
                                ", and what was rounded cannot be stored otherwise.");

  const bool biased = file.find("packed_bias_ih") != nullptr || file.find("packed_bias_hh");
  const bool scaled = is_scaled(*stored);
  const Size blocks = blocks_of(hidden_size);
  const auto rows = [&](const char* name, Size width) {
    Shape shape = {blocks, 4, groups_of(width), kUnits, kColumns};
    if (stored->storage == Storage::kBfloat16Bfloat16)
      shape = {blocks, groups_of(width) * (kColumns / 2), 4, kUnits, 2};
    if (stored->storage == Storage::kBfloat16)
      shape = {blocks, 4, groups_of(width), kUnits / 2, kColumns, 2};
    const Piece piece(file, file.need(name, stored->dtype, shape));
    check_rows(piece, *stored, hidden_size, width);
    return piece;
  };
  const auto column = [&](const char* name) {
    return Piece(file, file.need(name, "F32", {blocks, 4, kUnits}));
  };
  const Piece ih = rows("packed_weight_ih", input_size), hh = rows("packed_weight_hh", hidden_size);
  std::vector<Piece> scales, biases;
  if (scaled) scales = {column("packed_scale_ih"), column("packed_scale_hh")};
  if (biased) biases = {column("packed_bias_ih"), column("packed_bias_hh")};
  const std::size_t known = 2 + scales.size() + biases.size();
  if (file.header().tensors.size() != known) throw BadFile("it holds more than a frozen cell.");
  return std::make_unique<const FrozenWeights>(
      stored->storage, input_size, hidden_size,
      FrozenWeights::Parts{ih.bytes(), hh.bytes(), scaled ? scales[0].floats() : nullptr,
                           scaled ? scales[1].floats() : nullptr,
                           biased ? biases[0].floats() : nullptr,
                           biased ? biases[1].floats() : nullptr},
      true);
}

}  // namespace

std::unique_ptr<const FrozenWeights> load_cell(const std::string& path,
                                               const std::optional<std::string>& name,
                                               std::optional<Storage> storage) {
  Tensors file(path);
  const std::string before = !name ? only_cell(file) : name->empty() ? *name : *name + ".";
  if (before.empty() && file.find("packed_weight_ih") != nullptr) return load_frozen(file, storage);
  return load_live(file, before, storage.value_or(Storage::kFloat32));
}

}  // namespace onecell
