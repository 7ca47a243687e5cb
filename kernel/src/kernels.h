// What each instruction set offers: the same functions, compiled once for each.
#pragma once

#include <cstdint>
#include <optional>

#include "onecell/apart.h"
#include "onecell/cell.h"
#include "onecell/frozen.h"

namespace onecell {

template <class T>
struct KernelsOf {
  void (*unroll)(const Forward<T>&);
  void (*backward)(const Backward<T>&);
  void (*step_back)(const StepBack<T>&);
  void (*gather)(const GatheredSteps<T>&);
  void (*sigmoid)(std::int64_t, const T*, T*);
  void (*tanh)(std::int64_t, const T*, T*);
};

struct Kernels {
  const char* name;
  KernelsOf<float> f32;
  KernelsOf<double> f64;
  void (*frozen_unroll)(const FrozenForward&);
};

// Bytes that rows of x or h take once they are rounded (rounded.h, paired.h); 0 where they are not.
std::size_t rows_room(Storage storage, std::int64_t rows, std::int64_t columns);

// Whether a call lays its weights out anew (chain.h), so far as this machine is known to like it;
// one of few steps, never. The bits are the same. `value` is the size of a number.
bool lays_out(std::int64_t steps, std::int64_t batch, std::int64_t input_size,
              std::int64_t hidden_size, std::int64_t value);
// For tests: whether every call of more than one step does. Nothing: as measured. Process-wide.
void set_lays_out(std::optional<bool> always);

extern const Kernels kPortable;
#ifdef ONECELL_X86
extern const Kernels kAvx2;
extern const Kernels kAvx512;
#endif
#ifdef ONECELL_NEON
extern const Kernels kNeon;
#endif

}  // namespace onecell
