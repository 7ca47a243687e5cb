// What each instruction set offers: the same functions, compiled once for each.
#pragma once

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

// Whether a call of many rows and steps lays its weights out anew (chain.h). It pays where folding
// a register takes turns from multiply-adds, as measured on Intel's processors; on AMD's, products
// by the weights as they lie are faster, 3 to 20% (Zen 4). On ARM it saves half the loads, as
// counted (lanes_neon.h), not measured. The bits are the same.
bool lays_out();
void set_lays_out(bool yes);  // for tests: process-wide

extern const Kernels kPortable;
#ifdef ONECELL_X86
extern const Kernels kAvx2;
extern const Kernels kAvx512;
#endif
#ifdef ONECELL_NEON
extern const Kernels kNeon;
#endif

}  // namespace onecell
