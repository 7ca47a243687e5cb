#include "scratch.h"

#include <memory>
#include <new>

namespace onecell {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kKept = std::size_t{1} << 20;  // a thread keeps at most 1 MiB

struct Free {
  void operator()(std::byte* block) const { ::operator delete(block, kAlignment); }
};

std::byte* allocate(std::size_t bytes) {
  return static_cast<std::byte*>(::operator new(bytes, kAlignment));
}

struct Kept {
  std::unique_ptr<std::byte, Free> block;
  std::size_t bytes = 0;
  bool taken = false;
};

thread_local Kept kept;

}  // namespace

Scratch::Scratch(std::size_t bytes, std::byte* lent)
    : next_(lent), owned_(nullptr), from_thread_(false) {
  if (bytes == 0 || lent != nullptr) return;  // a thread's first look at its block takes memory
  if (bytes > kKept || kept.taken) {
    next_ = owned_ = allocate(bytes);
    return;
  }
  if (bytes > kept.bytes) {
    kept.bytes = 0;
    kept.block.reset();
    kept.block.reset(allocate(bytes));
    kept.bytes = bytes;
  }
  kept.taken = from_thread_ = true;
  next_ = kept.block.get();
}

Scratch::~Scratch() {
  if (owned_ != nullptr) Free{}(owned_);
  if (from_thread_) kept.taken = false;
}

}  // namespace onecell
