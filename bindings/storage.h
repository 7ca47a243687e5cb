// What lies under a tensor, which DLPack does not tell: its storage may have been resized since.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

#include "dlpack.h"
#include "objects.h"

// Tells whether a tensor's storage reaches as far as its sizes and strides do.
class Storage {
 public:
  // Addresses of `aoti_torch_get_storage_size` and `aoti_torch_get_storage_offset`, of the stable C
  // interface of a torch whose `_cdata` is what they take; or 0 twice, and Python is asked.
  Storage(std::uintptr_t size, std::uintptr_t offset)
      : size_(reinterpret_cast<Answer*>(size)), offset_(reinterpret_cast<Answer*>(offset)) {}

  // Of a tensor that `tensor` describes, without negative strides, as torch has none.
  bool reaches(nanobind::handle object, const dlpack::Tensor& tensor) const {
    std::int64_t last = 0, dense = 1;
    for (int axis = tensor.ndim - 1; axis >= 0; --axis) {
      const std::int64_t size = tensor.shape[axis];
      if (size == 0) return true;
      last += (size - 1) * (tensor.strides == nullptr ? dense : tensor.strides[axis]);
      dense *= size;
    }
    std::int64_t bytes = 0, offset = 0;
    if (size_ != nullptr && offset_ != nullptr) {
      // Their handle is where a tensor of C++ would be, which is one pointer to what Python names.
      void* const inside = PyLong_AsVoidPtr(attribute(object, inside_).ptr());
      if (size_(&inside, &bytes) != 0 || offset_(&inside, &offset) != 0) return false;
    } else {
      bytes = PyLong_AsLongLong(call(call(object, storage_), bytes_).ptr());
      offset = PyLong_AsLongLong(call(object, at_).ptr());
    }
    return (offset + last + 1) * (tensor.type_bits / 8) <= bytes;
  }

 private:
  using Answer = std::int32_t(void* const* tensor, std::int64_t* answer);

  static nanobind::object call(nanobind::handle object, const Name& name) {
    return called(attribute(object, name));
  }

  Answer *size_, *offset_;
  Name inside_{"_cdata"}, storage_{"untyped_storage"}, bytes_{"nbytes"}, at_{"storage_offset"};
};
