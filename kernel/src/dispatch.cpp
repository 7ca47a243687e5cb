// Which instruction set runs: the best this machine has, or the one that somebody names.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef ONECELL_X86
#include <cpuid.h>
#endif

#include "kernels.h"

namespace onecell {
namespace {

constexpr const char* kVariable = "ONECELL_ISA";

#ifdef ONECELL_X86
// Asked of the processor itself: Clang before 16 has no word for it.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

std::vector<const Kernels*> available() {
  std::vector<const Kernels*> found = {&kPortable};
#ifdef ONECELL_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c()) {
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

#ifdef ONECELL_X86
// Whether AVX-512 has here what the products of such weights are written with.
bool has_products(Storage storage) {
  static const bool of_bytes = __builtin_cpu_supports("avx512vnni") != 0;
  static const bool of_pairs = __builtin_cpu_supports("avx512bf16") != 0;
  switch (storage) {
    case Storage::kInt8:
    case Storage::kInt8Int8:
      return of_bytes;
    case Storage::kBfloat16Bfloat16:
      return of_pairs;
    default:
      return true;
  }
}
#endif

bool is_made_by_amd() {
#ifdef ONECELL_X86
  __builtin_cpu_init();
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

enum class LayingOut : std::uint8_t { kAsMeasured, kNever, kAlways };
std::atomic<LayingOut> laying_out{LayingOut::kAsMeasured};

}  // namespace

// One row: laid out, no register has to be folded, and on every processor that pays, the sooner the
// nearer the weights lie. (Zen 5: 0.75 to 0.9 of the time. Intel, where folds cost more: half at H
// of 64.) But AMD's read weights faster as they lie where they take more than half of the second
// cache, as the copy does too (Zen 5: 1.1 times the time at H of 256).
//
// Many rows: it pays where folding a register takes turns from multiply-adds, as measured on
// Intel's processors. On AMD's, products by the weights as they lie are as fast, or faster, by 3 to
// 20% (Zen 4; Zen 5: 3 to 12% from H of 128 on; Zen 3, by AVX2: up to 30% from 256 on). On ARM it
// saves half the loads, as counted (lanes_neon.h), not measured.
bool lays_out(std::int64_t steps, std::int64_t batch, std::int64_t input_size,
              std::int64_t hidden_size, std::int64_t value) {
  constexpr std::int64_t kManyRows = 48, kNearest = 32 << 10, kNear = 512 << 10;
  const LayingOut set = laying_out.load(std::memory_order_relaxed);
  if (set != LayingOut::kAsMeasured || steps == 1) return set == LayingOut::kAlways && steps > 1;
  const std::int64_t bytes = 4 * hidden_size * (input_size + hidden_size) * value;
  static const bool folds_well = is_made_by_amd();
  if (batch == 1 && (!folds_well || bytes <= kNear)) return steps >= (bytes <= kNearest ? 16 : 32);
  return !folds_well && steps * batch >= kManyRows;
}

void set_lays_out(std::optional<bool> always) {
  laying_out.store(!always.has_value() ? LayingOut::kAsMeasured
                   : *always           ? LayingOut::kAlways
                                       : LayingOut::kNever);
}

void unroll(const Forward<float>& a) { current().f32.unroll(a); }
void unroll(const Forward<double>& a) { current().f64.unroll(a); }
void backward(const Backward<float>& a) { current().f32.backward(a); }
void backward(const Backward<double>& a) { current().f64.backward(a); }
void backward(const StepBack<float>& a) { current().f32.step_back(a); }
void backward(const StepBack<double>& a) { current().f64.step_back(a); }
void gather(const GatheredSteps<float>& a) { current().f32.gather(a); }
void gather(const GatheredSteps<double>& a) { current().f64.gather(a); }
void unroll(const FrozenForward& a) {
  const Kernels* kernels = &current();
#ifdef ONECELL_X86
  if (kernels == &kAvx512 && !has_products(a.weights->storage())) kernels = &kAvx2;
#endif
  kernels->frozen_unroll(a);
}

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
