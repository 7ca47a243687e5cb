// Cells in .safetensors files. docs/en/guides/saving.md has the schema.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "onecell/frozen.h"

namespace onecell {

struct NoFile : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct BadFile : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Read the cell `name`, or without one the only cell; packed as `storage`, or as it is stored.
// Throws NoFile, BadFile, std::bad_alloc, and std::invalid_argument where the weights do not fit
// into `storage`, or a frozen cell has another.
std::unique_ptr<const FrozenWeights> load_cell(const std::string& path,
                                               const std::optional<std::string>& name,
                                               std::optional<Storage> storage);

}  // namespace onecell
