// The part of the DLPack C interface that reads a tensor in place, or makes one of memory given to
// it, as its specification lays it out (dmlc.github.io/dlpack, version 1): plain structures that no
// release may rearrange.
#pragma once

#include <cstdint>

namespace dlpack {

inline constexpr std::uint32_t kMajor = 1;
inline constexpr std::int32_t kCpu = 1;
inline constexpr std::uint8_t kFloat = 2;
inline constexpr const char* kCapsule = "dlpack_exchange_api";

struct Tensor {
  void* data;
  std::int32_t device_type, device_id, ndim;
  std::uint8_t type_code, type_bits;
  std::uint16_t type_lanes;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements
  std::uint64_t byte_offset;
};

// A tensor that its holder may keep, and gives back by calling `release`.
struct ManagedTensor {
  std::uint32_t major, minor;
  void* owner;
  void (*release)(ManagedTensor* self);
  std::uint64_t flags;
  Tensor tensor;
};

struct ExchangeApi {
  std::uint32_t major, minor;
  const void* previous;
  void (*unused[2])();
  // Makes a new reference to the framework's own tensor over `tensor`, which it takes; -1 and a
  // Python error where it cannot.
  int (*make)(ManagedTensor* tensor, void** object);
  // Describes the tensor `object` without owning it, for as long as the GIL is held; -1 and a
  // Python error where it cannot.
  int (*read)(void* object, Tensor* out);
};

}  // namespace dlpack
