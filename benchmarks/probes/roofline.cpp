// The machine's ceilings: fused multiply-adds a second, and bytes read a second from buffers of
// several sizes, by one thread and by all.
//
//   roofline THREADS                     all of them as JSON, each the best of some passes: a
//                                        ceiling is what can be done when nobody disturbs
//   roofline THREADS fma SECONDS         GFLOP/s, the median over passes: what can be done now
//   roofline THREADS read KIB SECONDS    GB/s, likewise
//
// Every thread is bound to a CPU of its own and has its share of the buffer to itself, as a thread
// has its slice of the weights.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64, kChains = 24;
#elif defined(__AVX__)
constexpr int kBytes = 32, kChains = 12;
#elif defined(__aarch64__)
constexpr int kBytes = 16, kChains = 24;
#else
constexpr int kBytes = 16, kChains = 12;
#endif
typedef float Vector __attribute__((vector_size(kBytes), aligned(kBytes)));
constexpr int kLanes = kBytes / 4;

double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

void bind_to(int index) {
  cpu_set_t allowed, one;
  sched_getaffinity(0, sizeof allowed, &allowed);
  int seen = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed) && seen++ == index % CPU_COUNT(&allowed)) {
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      pthread_setaffinity_np(pthread_self(), sizeof one, &one);
      return;
    }
  }
}

// Let `work(index)` run on every thread at once, `passes` times; return each pass's seconds,
// sorted.
std::vector<double> run(int threads, int passes, const std::function<void(int)>& prepare,
                        const std::function<void(int)>& work) {
  std::barrier<> together(threads);
  std::vector<double> begin(threads), end(threads);
  std::vector<double> result;
  std::vector<std::thread> team;
  for (int index = 0; index < threads; ++index) {
    team.emplace_back([&, index] {
      bind_to(index);
      prepare(index);
      for (int pass = 0; pass < passes; ++pass) {
        together.arrive_and_wait();
        begin[index] = now();
        work(index);
        end[index] = now();
        together.arrive_and_wait();
        if (index == 0) {
          const double first = *std::min_element(begin.begin(), begin.end());
          result.push_back(*std::max_element(end.begin(), end.end()) - first);
        }
      }
    });
  }
  for (std::thread& thread : team) thread.join();
  std::sort(result.begin(), result.end());
  return result;
}

// Results go here, so that no work is thrown away.
volatile float sink;

void multiply_add(std::int64_t times) {
  Vector sums[kChains] = {};
  Vector factor = {}, term = {};
  factor += 0.999f;
  term += 1e-3f;
  // The compiler may not see through the values, nor keep the sums anywhere but in registers.
  asm volatile("" : "+m"(factor), "+m"(term));
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 32
    for (int chain = 0; chain < kChains; ++chain) sums[chain] = sums[chain] * factor + term;
  }
  for (int chain = 1; chain < kChains; ++chain) sums[0] += sums[chain];
  sink = sums[0][0];
}

void read(const Vector* buffer, std::int64_t count, std::int64_t times) {
  Vector sums[8] = {};
  for (std::int64_t pass = 0; pass < times; ++pass) {
    asm volatile("" ::: "memory");
    for (std::int64_t i = 0; i < count; i += 8) {
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) sums[j] += buffer[i + j];
    }
  }
  for (int j = 1; j < 8; ++j) sums[0] += sums[j];
  sink = sums[0][0];
}

// GFLOP/s of each pass, the best first.
std::vector<double> multiply_adds(int threads, int passes) {
  constexpr std::int64_t kTimes = 200'000;
  std::vector<double> rates = run(threads, passes, [](int) {}, [](int) { multiply_add(kTimes); });
  for (double& rate : rates) rate = 2.0 * kLanes * kChains * kTimes * threads / rate / 1e9;
  return rates;
}

// GB/s of each pass over `kib` in all, shared out among the threads, the best first.
std::vector<double> reads(int threads, int passes, std::int64_t kib) {
  const std::int64_t count = std::max<std::int64_t>(8, kib * 1024 / threads / kBytes / 8 * 8);
  const std::int64_t times = std::max<std::int64_t>(1, (32 << 10) / kib);
  const std::size_t bytes = (static_cast<std::size_t>(count) * kBytes + 4095) / 4096 * 4096;
  struct Buffer {
    Vector* data;
  };
  std::vector<Buffer> buffers(static_cast<std::size_t>(threads));
  std::vector<double> rates = run(
      threads, passes,
      [&](int index) {  // by the thread itself, so that its memory is near it
        Vector*& buffer = buffers[index].data;
        buffer = static_cast<Vector*>(std::aligned_alloc(4096, bytes));
        if (buffer == nullptr) std::abort();
        std::fill(buffer, buffer + count, Vector{});
      },
      [&](int index) { read(buffers[index].data, count, times); });
  for (const Buffer& buffer : buffers) std::free(buffer.data);
  for (double& rate : rates)
    rate = static_cast<double>(count) * kBytes * threads * times / rate / 1e9;
  return rates;
}

// The median of as many passes as fit; a few are run before, to see how long they take.
template <class Rates>
void print_median(double seconds, double work, Rates rates) {
  const double guess = work / rates(3)[0];
  const std::vector<double> found = rates(std::clamp(static_cast<int>(seconds / guess), 3, 4000));
  std::printf("%.3f\n", found[found.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const int most = argc > 1 ? std::atoi(argv[1]) : 0;
  const std::string what = argc > 2 ? argv[2] : "";
  if (most < 1) return 2;
  if (what == "fma" && argc == 4) {
    const double gflop = 2.0 * kLanes * kChains * 200'000 * most / 1e9;
    print_median(std::atof(argv[3]), gflop, [&](int n) { return multiply_adds(most, n); });
    return 0;
  }
  if (what == "read" && argc == 5) {
    const std::int64_t kib = std::atoll(argv[3]);
    const double gigabytes = std::max(32.0 * 1024, static_cast<double>(kib)) * 1024 / 1e9;
    print_median(std::atof(argv[4]), gigabytes, [&](int n) { return reads(most, n, kib); });
    return 0;
  }
  std::printf("{\"lanes\": %d, \"runs\": [", kLanes);
  for (int threads = 1; threads <= most; threads = threads == most ? most + 1 : most) {
    std::printf("%s{\"threads\": %d, \"gflops\": %.1f, \"reads\": [", threads > 1 ? ", " : "",
                threads, multiply_adds(threads, 400)[0]);
    const char* comma = "";
    for (std::int64_t kib : {16, 32, 256, 1024, 2048, 4096, 8192, 16384, 65536, 524288}) {
      const double gbytes = reads(threads, kib > 65536 ? 4 : 20, kib)[0];
      std::printf("%s{\"kib\": %lld, \"gbytes\": %.1f}", comma, static_cast<long long>(kib),
                  gbytes);
      comma = ", ";
    }
    std::printf("]}");
  }
  std::printf("]}\n");
}
