// Memory for a small matrix or vector, which a framework's tensor is to own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "dlpack.h"

// What describes it lies before its elements, in one piece of memory.
class alignas(64) FreshTensor {
 public:
  // A matrix, or a vector where `rows` is 0.
  static FreshTensor* make(int bits, std::int64_t rows, std::int64_t width) {
    const std::size_t count = static_cast<std::size_t>(rows == 0 ? width : rows * width);
    const std::size_t bytes = count * (bits / 8);
    void* const room = ::operator new(sizeof(FreshTensor) + bytes, kAlign);
    return new (room) FreshTensor(static_cast<std::uint8_t>(bits), rows, width);
  }

  void* data() { return this + 1; }
  dlpack::ManagedTensor* managed() { return &managed_; }

 private:
  static constexpr std::align_val_t kAlign{64};

  FreshTensor(std::uint8_t bits, std::int64_t rows, std::int64_t width)
      : shape_{rows, width}, strides_{width, 1} {
    const int skipped = rows == 0 ? 1 : 0;
    const dlpack::Tensor tensor{
        data(),           dlpack::kCpu,       0, 2 - skipped, dlpack::kFloat, bits, 1,
        shape_ + skipped, strides_ + skipped, 0};
    managed_ = {dlpack::kMajor, 0, this, release, 0, tensor};
  }

  static void release(dlpack::ManagedTensor* self) { ::operator delete(self->owner, kAlign); }

  std::int64_t shape_[2], strides_[2];
  dlpack::ManagedTensor managed_;
};
