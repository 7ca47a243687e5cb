#pragma once

#include <nanobind/nanobind.h>

// Add `AskedStep` to the module; `_kernel.pyi` says what it does.
void define_asked(nanobind::module_& m);
