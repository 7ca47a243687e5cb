// Which instruction set runs: the best this machine has, or the one that somebody names.
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.h"

namespace onecell {
namespace {

constexpr const char* kVariable = "ONECELL_ISA";

std::vector<const Kernels*> available() {
  std::vector<const Kernels*> found = {&kPortable};
#ifdef ONECELL_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("f16c")) {
    found.push_back(&kAvx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
      found.push_back(&kAvx512);
  }
#endif
#ifdef ONECELL_NEON
  found.push_back(&kNeon);  // every 64-bit ARM processor has it
#endif
  return found;
}

const Kernels* find(const std::string& name, const std::string& asker) {
  std::string names;
  for (const Kernels* kernels : available()) {
    if (name == kernels->name) return kernels;
    names += names.empty() ? kernels->name : std::string(", ") + kernels->name;
  }
  throw std::invalid_argument(asker + " must be an instruction set of this machine (" + names +
                              "), got \"" + name + "\".");
}

std::atomic<const Kernels*> chosen{nullptr};

const Kernels& current() {
  const Kernels* kernels = chosen.load(std::memory_order_acquire);
  if (kernels != nullptr) return *kernels;
  const char* wanted = std::getenv(kVariable);
  kernels = wanted != nullptr && *wanted != '\0' ? find(wanted, kVariable) : available().back();
  chosen.store(kernels, std::memory_order_release);
  return *kernels;
}

bool is_made_by_amd() {
#ifdef ONECELL_X86
  __builtin_cpu_init();
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

std::atomic<bool>& laying_out() {
  static std::atomic<bool> does{!is_made_by_amd()};
  return does;
}

}  // namespace

bool lays_out() { return laying_out().load(std::memory_order_relaxed); }
void set_lays_out(bool yes) { laying_out().store(yes, std::memory_order_relaxed); }

void unroll(const Forward<float>& a) { current().f32.unroll(a); }
void unroll(const Forward<double>& a) { current().f64.unroll(a); }
void backward(const Backward<float>& a) { current().f32.backward(a); }
void backward(const Backward<double>& a) { current().f64.backward(a); }
void backward(const StepBack<float>& a) { current().f32.step_back(a); }
void backward(const StepBack<double>& a) { current().f64.step_back(a); }
void gather(const GatheredSteps<float>& a) { current().f32.gather(a); }
void gather(const GatheredSteps<double>& a) { current().f64.gather(a); }
void unroll(const FrozenForward& a) { current().frozen_unroll(a); }

void sigmoid(std::int64_t count, const float* x, float* y) { current().f32.sigmoid(count, x, y); }
void sigmoid(std::int64_t count, const double* x, double* y) { current().f64.sigmoid(count, x, y); }
void tanh(std::int64_t count, const float* x, float* y) { current().f32.tanh(count, x, y); }
void tanh(std::int64_t count, const double* x, double* y) { current().f64.tanh(count, x, y); }

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Kernels* kernels : available()) names.emplace_back(kernels->name);
  return names;
}

std::string isa() { return current().name; }

void set_isa(const std::string& name) {
  chosen.store(find(name, "`name`"), std::memory_order_release);
}

}  // namespace onecell
