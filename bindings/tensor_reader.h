// Tensors of a framework read in place, and made, through DLPack's exchange interface.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <initializer_list>

#include "dlpack.h"
#include "fresh_tensor.h"
#include "storage.h"

// Reads the tensors of two classes, such as torch's Tensor and Parameter, but not of subclasses.
class TensorReader {
 public:
  TensorReader(nanobind::object capsule, nanobind::type_object tensor,
               nanobind::type_object parameter, Storage storage)
      : capsule_(std::move(capsule)),
        tensor_(std::move(tensor)),
        parameter_(std::move(parameter)),
        storage_(std::move(storage)) {
    api_ = static_cast<const dlpack::ExchangeApi*>(
        PyCapsule_GetPointer(capsule_.ptr(), dlpack::kCapsule));
    if (api_ == nullptr) throw nanobind::python_error();
    if (api_->major != dlpack::kMajor || api_->read == nullptr || api_->make == nullptr)
      throw nanobind::import_error("DLPack's exchange interface is of an unknown version");
  }

  // Describe `object`, if it is of one of the two classes and holds the kernel's kind of numbers,
  // all of them.
  bool open(nanobind::handle object, dlpack::Tensor* out) const {
    PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()));
    if (type != tensor_.ptr() && type != parameter_.ptr()) return false;
    if (safely([&] { return api_->read(object.ptr(), out); }) != 0) {
      PyErr_Clear();  // not in memory: the caller has another way for such
      return false;
    }
    return out->device_type == dlpack::kCpu && out->type_code == dlpack::kFloat &&
           out->type_lanes == 1 && (out->type_bits == 32 || out->type_bits == 64) &&
           storage_.reaches(object, *out);
  }

  // Where the elements of `object` are, if it is such a tensor with elements of `bits`, of this
  // shape, dense and aligned; else null.
  void* find(nanobind::handle object, int bits, std::initializer_list<std::int64_t> shape) const {
    dlpack::Tensor tensor;
    return open(object, &tensor) ? place(tensor, bits, shape) : nullptr;
  }

  static void* place(const dlpack::Tensor& tensor, int bits,
                     std::initializer_list<std::int64_t> shape) {
    if (tensor.type_bits != bits || !is(tensor, shape)) return nullptr;
    char* const data = static_cast<char*>(tensor.data) + tensor.byte_offset;
    return reinterpret_cast<std::uintptr_t>(data) % (tensor.type_bits / 8) == 0 ? data : nullptr;
  }

  // Elements up to which the time to make a tensor counts.
  static constexpr std::int64_t kSmall = 1 << 14;

  // A new tensor (rows, width), or (width) for no rows, of elements of `bits`, not yet set, which
  // are at `*data` then. Less than half of what the framework's own `empty` costs, but its memory
  // is of one size for good.
  nanobind::object make(int bits, std::int64_t rows, std::int64_t width, void** data) const {
    FreshTensor* const fresh = FreshTensor::make(bits, rows, width);
    *data = fresh->data();
    return taken([&] {
      void* made = nullptr;
      return api_->make(fresh->managed(), &made) == 0 ? static_cast<PyObject*>(made) : nullptr;
    });
  }

  // Whether the tensor has this shape, is dense, and has memory unless it is empty.
  static bool is(const dlpack::Tensor& tensor, std::initializer_list<std::int64_t> shape) {
    if (tensor.ndim != static_cast<int>(shape.size())) return false;
    std::int64_t count = 1;
    for (int axis = tensor.ndim - 1; axis >= 0; --axis) {
      const std::int64_t size = shape.begin()[axis];
      if (tensor.shape[axis] != size) return false;
      if (size > 1 && tensor.strides != nullptr && tensor.strides[axis] != count) return false;
      count *= size;
    }
    return count > 0 && tensor.data != nullptr;
  }

 private:
  nanobind::object capsule_;
  nanobind::type_object tensor_, parameter_;
  Storage storage_;
  const dlpack::ExchangeApi* api_;
};
