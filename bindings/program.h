// Several steps, and ways back through steps, of a framework's tensors as one call from Python.
#pragma once

#include <nanobind/nanobind.h>

#include "framework.h"
#include "tensor_reader.h"

// Compute `text` over `tensors`, and return the list of what it gives; None where a tensor is out
// of the ordinary or of another shape than it should be. `_kernel.pyi` says how a program is
// written.
nanobind::object run_program(const TensorReader& reader, const Framework& framework,
                             const nanobind::list& tensors, const char* text);
