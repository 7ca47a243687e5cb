// The kernel's step with no Python around it. Usage: bare_step N I H SECONDS FILE
//
// FILE holds float32: weight_ih, weight_hh, bias_ih, bias_hh, x (N, I); the state begins at zero.
// Prints µs a step, then h' of the first step.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "onecell/cell.h"

namespace {

double now() {
  using namespace std::chrono;
  return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

// A vector aligned as a stream's memory is.
float* aligned(std::int64_t count) {
  const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(float) + 63) / 64 * 64;
  auto* memory = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (memory == nullptr) std::exit(1);
  std::fill(memory, memory + bytes / sizeof(float), 0.0f);
  return memory;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const std::int64_t n = std::atoll(argv[1]), i = std::atoll(argv[2]), h = std::atoll(argv[3]);
  const double budget = std::atof(argv[4]) * 1e6;
  std::ifstream file(argv[5], std::ios::binary);
  const auto take = [&](std::int64_t count) {
    float* memory = aligned(count);
    file.read(reinterpret_cast<char*>(memory), count * static_cast<std::int64_t>(sizeof(float)));
    return memory;
  };
  onecell::Forward<float> step{};
  step.steps = 1;
  step.batch = n;
  step.input_size = i;
  step.hidden_size = h;
  step.weight_ih = take(4 * h * i);
  step.weight_hh = take(4 * h * h);
  step.bias_ih = take(4 * h);
  step.bias_hh = take(4 * h);
  step.x = take(n * i);
  if (!file) return 3;
  float* h_now = aligned(n * h);
  float* h_next = aligned(n * h);
  float* c = aligned(n * h);
  step.c = step.c_all = c;
  const auto go = [&] {
    step.h = h_now;
    step.h_all = h_next;
    onecell::unroll(step);
    std::swap(h_now, h_next);
  };
  go();
  const std::vector<float> first(h_now, h_now + n * h);
  const double begin = now();
  double once = 1e30;
  while (now() - begin < 3000) {
    const double before = now();
    go();
    once = std::min(once, now() - before);
  }
  const auto calls = std::max<std::int64_t>(1, static_cast<std::int64_t>(budget / once));
  const double start = now();
  for (std::int64_t call = 0; call < calls; ++call) go();
  std::printf("%.6f\n", (now() - start) / static_cast<double>(calls));
  for (float value : first) std::printf("%.9g\n", value);
}
