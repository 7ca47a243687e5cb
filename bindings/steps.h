// One step of a cell, whoever it is: what a stream runs.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

// Arrays are dense, aligned and of the step's element type: x (N, I), the others (N, H). No output
// overlaps anything else.
class Step {
 public:
  virtual ~Step() = default;
  virtual void run(std::int64_t batch, const void* x, const void* h, const void* c, void* h_next,
                   void* c_next) const = 0;
};

// Add `Step`, `live_step_*` and `Stream` to the module; `_kernel.pyi` says what they do.
void define_stream(nanobind::module_& m);

// Add `Frozen`, after `define_stream`.
void define_frozen(nanobind::module_& m);
