// The body of one instruction set's translation unit. Include after defining ONECELL_ISA, the name
// of its namespace, and ONECELL_LANES, its lanes header. Everything here lives in that namespace:
// an inline function shared with another unit could carry this unit's instructions into it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "float_environment.h"
#include "kernels.h"
#include "scratch.h"
#include "team.h"
#include "unrolled.h"
#include ONECELL_LANES
// In this order: each builds on the ones before.
// clang-format off
#include "several.h"
#include "gates.h"
#include "halves.h"
#include "dot.h"
#include "beside.h"
#include "outer.h"
#include "chain.h"
#include "share.h"
#include "step.h"
#include "unroll.h"
#include "weight_gradients.h"
#include "backward.h"
#include "apart.h"
#include "rounded.h"
#include "paired.h"
#include "frozen.h"
// clang-format on

namespace onecell::ONECELL_ISA {

template <class T, Lanes<T> (*F)(const Lanes<T>&)>
void each(std::int64_t count, const T* x, T* y) {
  const FloatEnvironment environment;
  each_group<T>(count,
                [=](std::int64_t j, int n) { store_some(F(load_some(x + j, n)), y + j, n); });
}

template <class T>
constexpr KernelsOf<T> kernels_of() {
  return {unroll<T>,       backward<T>,         step_back_alone<T>,
          gather_steps<T>, each<T, sigmoid<T>>, each<T, tanh<T>>};
}

}  // namespace onecell::ONECELL_ISA
