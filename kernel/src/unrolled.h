// Loops over the registers of a tile, unrolled before anything else looks at them: as loops, or
// with a call in their body, they would keep the tile in memory.
#pragma once

#include <type_traits>
#include <utility>

#define ONECELL_INLINED __attribute__((always_inline))

namespace onecell::ONECELL_ISA {

// Call f(0), f(1), ..., f(Count - 1), each with its number as a compile-time constant.
template <int Count, class F>
ONECELL_INLINED inline void unrolled(F&& f) {
  [&]<int... k>(std::integer_sequence<int, k...>) ONECELL_INLINED {
    (f(std::integral_constant<int, k>{}), ...);
  }(std::make_integer_sequence<int, Count>{});
}

}  // namespace onecell::ONECELL_ISA
