#pragma once

#include <nanobind/nanobind.h>

// Add `StepReader` to the module; `_kernel.pyi` says what it does.
void define_tensors(nanobind::module_& m);
