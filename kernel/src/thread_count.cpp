// How many threads a call may use: what was set, what a framework uses, or what the machine lets
// this process have.
#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "onecell/cell.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace onecell {
namespace {

constexpr const char* kVariable = "ONECELL_NUM_THREADS";
constexpr int kUnread = 0, kNobody = -1;  // instead of a number that somebody chose

int processors() {
#if defined(__linux__)
  // The affinity mask, as taskset and containers set it; larger machines than 1024 need more room.
  for (int count = 1024; count <= 1 << 20; count *= 4) {
    cpu_set_t* const mask = CPU_ALLOC(count);
    if (mask == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(count);
    const bool known = sched_getaffinity(0, bytes, mask) == 0;
    const int found = known ? CPU_COUNT_S(bytes, mask) : 0;
    const bool too_small = !known && errno == EINVAL;
    CPU_FREE(mask);
    if (found > 0) return found;
    if (!too_small) break;
  }
#endif
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

// Processors that a "quota period" or "max period" allows, or infinity.
double allowance(const std::string& path) {
  std::ifstream file(path);
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : HUGE_VAL;
}

double old_allowance(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"),
      period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? quota / period
                                                                                 : HUGE_VAL;
}

// Whether "cpu" is among names with commas between them.
bool names_cpu(const std::string& names) {
  std::istringstream stream(names);
  for (std::string name; std::getline(stream, name, ',');)
    if (name == "cpu") return true;
  return false;
}

// What control groups let this process have: the least of its group and of all above it.
double quota() {
  double least = HUGE_VAL;
#if defined(__linux__)
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t one = line.find(':'), two = line.find(':', one + 1);
    if (two == std::string::npos) continue;
    const bool unified = two == one + 1;
    if (!unified && !names_cpu(line.substr(one + 1, two - one - 1))) continue;
    // A container sees its own group as the root of what is mounted.
    for (std::string path = line.substr(two + 1);; path.resize(path.rfind('/'))) {
      if (path == "/") path.clear();
      least = std::min(least, unified ? allowance("/sys/fs/cgroup" + path + "/cpu.max")
                                      : old_allowance("/sys/fs/cgroup/cpu" + path));
      if (path.empty() || path.rfind('/') == std::string::npos) break;
    }
  }
#endif
  return least;
}

int within(double count) { return static_cast<int>(std::clamp<double>(count, 1, kMostThreads)); }

// What OMP_NUM_THREADS asks for at the outer level, or 0: who starts several processes sets it.
int shared_out() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long count = std::strtol(text, &end, 10);
  while (std::isspace(static_cast<unsigned char>(*end)) != 0) ++end;
  const bool is_number = end != text && (*end == '\0' || *end == ',');
  return is_number && count > 0 ? within(static_cast<double>(count)) : 0;
}

int automatic() {
  const int asked = shared_out();
  return asked > 0 ? asked : within(std::ceil(std::min<double>(quota(), processors())));
}

void check(long count, const std::string& asker) {
  if (count < 0 || count > kMostThreads)
    throw std::invalid_argument(asker + " must be from 1 to " + std::to_string(kMostThreads) +
                                ", or 0 for as many as this process may use, got " +
                                std::to_string(count) + ".");
}

int initial() {
  const char* const text = std::getenv(kVariable);
  if (text == nullptr || *text == '\0') return kNobody;
  char* end = nullptr;
  const long count = std::strtol(text, &end, 10);
  if (*end != '\0')
    throw std::invalid_argument(std::string(kVariable) + " must be a number of threads, got \"" +
                                text + "\".");
  check(count, kVariable);
  return count == 0 ? kNobody : static_cast<int>(count);
}

std::atomic<int> chosen{kUnread};
std::atomic<int> allowed{0};     // what `automatic` said last, 0 before
std::atomic<int> affordable{0};  // what control groups pay for, where a framework is followed
std::atomic<Threads> followed{nullptr};

int choice() {
  int count = chosen.load(std::memory_order_relaxed);
  if (count != kUnread) return count;
  count = initial();
  int unread = kUnread;
  // Somebody may have set another meanwhile: that one stands.
  return chosen.compare_exchange_strong(unread, count) ? count : unread;
}

}  // namespace

int num_threads() {
  const int count = choice();
  if (count != kNobody) return count;
  if (const Threads theirs = followed.load(std::memory_order_relaxed); theirs != nullptr)
    return std::min(within(theirs()), affordable.load(std::memory_order_relaxed));
  int found = allowed.load(std::memory_order_relaxed);
  if (found == 0) allowed.store(found = automatic(), std::memory_order_relaxed);
  return found;
}

void set_num_threads(int count) {
  check(count, "`count`");
  allowed.store(0, std::memory_order_relaxed);
  chosen.store(count == 0 ? kNobody : count, std::memory_order_relaxed);
}

void follow_threads(Threads theirs) {
  affordable.store(within(std::ceil(quota())), std::memory_order_relaxed);
  followed.store(theirs, std::memory_order_relaxed);
}

}  // namespace onecell
