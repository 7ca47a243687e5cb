#pragma once

#include <nanobind/nanobind.h>

// Add `ArrayStepF32` and `ArrayStepF64` to the module; `_kernel.pyi` says what they do.
void define_arrays(nanobind::module_& m);
