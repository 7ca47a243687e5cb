// Loops over the registers of a tile, unrolled before anything else looks at them: as loops, or
// with a call in their body, they would keep the tile in memory.
#pragma once

#include <cstdint>
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

// Cut [0, count) into tiles of at most Most, as even as there can be, and call f(size, first) for
// each, larger ones first, with its size as a compile-time constant.
template <int Most, class F>
inline void even_tiles(std::int64_t count, const F& f, std::int64_t first = 0) {
  if constexpr (Most > 1) {
    const std::int64_t left = count - first, tiles = (left + Most - 1) / Most;
    const std::int64_t smaller = tiles * Most - left;
    for (std::int64_t whole = tiles - smaller; whole > 0; --whole, first += Most)
      f(std::integral_constant<int, Most>{}, first);
    if (first < count) even_tiles<Most - 1>(count, f, first);
  } else {
    for (; first < count; ++first) f(std::integral_constant<int, 1>{}, first);
  }
}

}  // namespace onecell::ONECELL_ISA
