// The header of a .safetensors file: which tensors lie where.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace onecell {

struct Entry {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;  // in bytes, of what follows the header
};

struct Header {
  std::map<std::string, Entry> tensors;
  std::map<std::string, std::string> metadata;
};

// Throws BadFile where `text` is not a header of `data_bytes` bytes of tensors: not JSON, a name
// twice, an entry that lies outside, or is not as large as its shape and element type say.
Header read_header(std::string_view text, std::uint64_t data_bytes);

}  // namespace onecell
