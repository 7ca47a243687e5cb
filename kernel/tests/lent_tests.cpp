// Another library's threads compute the same bits, and are left alone once they have to be woken.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../src/lent.h"
#include "../src/team.h"
#include "checks.h"
#include "onecell/cell.h"

namespace {

// A runtime with one thread beside the caller, which spins until it is called.
class Runtime {
 public:
  Runtime() : thread_([this] { live(); }) {}
  ~Runtime() {
    ends_.store(true);
    thread_.join();
  }

  void run(void (*work)(void*), void* context, unsigned threads) {
    ++calls;
    most = std::max(most, threads);
    if (gives_one) return work(context);
    context_ = context;
    work_.store(work, std::memory_order_release);
    work(context);
    while (work_.load(std::memory_order_acquire) != nullptr) std::this_thread::yield();
  }

  int calls = 0;
  unsigned most = 0;
  bool gives_one = false;  // as inside another parallel region
  std::atomic<bool> is_late{false};
  std::atomic<bool> sleeps{false};  // between its looks, instead of spinning

 private:
  void live() {
    while (!ends_.load()) {
      void (*const work)(void*) = work_.load(std::memory_order_acquire);
      if (work == nullptr) {
        if (sleeps.load()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      if (is_late.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      work(context_);
      work_.store(nullptr, std::memory_order_release);
    }
  }

  void* context_ = nullptr;
  std::atomic<void (*)(void*)> work_{nullptr};
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

Runtime* runtime = nullptr;

void parallel(void (*work)(void*), void* context, unsigned threads, unsigned) {
  runtime->run(work, context, threads);
}

struct Sequence {
  std::int64_t steps = 12, batch = 40, input_size = 20, hidden_size = 100;
  std::vector<float> weight_ih = random(4 * hidden_size * input_size),
                     weight_hh = random(4 * hidden_size * hidden_size),
                     x = random(steps * batch * input_size), h = random(batch * hidden_size),
                     c = random(batch * hidden_size);

  std::vector<float> run() const {
    std::vector<float> h_all(steps * batch * hidden_size), c_last(batch * hidden_size);
    onecell::unroll(onecell::Forward<float>{steps, batch, input_size, hidden_size, weight_ih.data(),
                                            weight_hh.data(), nullptr, nullptr, x.data(), h.data(),
                                            c.data(), h_all.data(), c_last.data(), nullptr});
    h_all.insert(h_all.end(), c_last.begin(), c_last.end());
    return h_all;
  }

  static std::vector<float> random(std::int64_t count) {
    static std::mt19937 generator(7);
    std::uniform_real_distribution<float> some(-1, 1);
    std::vector<float> values(count);
    for (float& value : values) value = some(generator);
    return values;
  }
};

// Longer than a runtime is trusted to stay awake, and long enough for it to fall asleep.
void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(60)); }

// Run until a call was by lent threads: on a crowded machine many are left to one thread.
std::vector<float> run_lent(const Sequence& sequence) {
  runtime->calls = 0;
  for (int again = 0; again < 1000; ++again) {
    onecell::lend_threads(parallel);  // unknown again, and so to be tried
    const std::vector<float> found = sequence.run();
    if (runtime->calls > 0) return found;
  }
  check(false, "lent threads are used");
  return {};
}

void test_bits(const Sequence& sequence) {
  onecell::set_num_threads(1);
  const std::vector<float> want = sequence.run();
  onecell::set_num_threads(4);
  for (const bool gives_one : {false, true}) {
    runtime->gives_one = gives_one;
    for (int repeat = 0; repeat < 8; ++repeat)
      check(run_lent(sequence) == want, "bits of a call by lent threads");
  }
  runtime->gives_one = false;
  check(runtime->most == 4, "as many threads as a call may use");
}

void test_sleepers_are_left_alone(const Sequence& sequence) {
  const std::vector<float> want = run_lent(sequence);
  runtime->sleeps.store(true);
  rest();
  runtime->calls = 0;
  check(sequence.run() == want, "bits while lent threads sleep");
  check(runtime->calls == 0, "lent threads that sleep are left alone");
  runtime->sleeps.store(false);
}

// How often the answer was no, of 10,000 at most; meanwhile the thread may have our processor.
int asks_until_ready(onecell::Lent* lent) {
  int asks = 0;
  for (; asks < 10000 && !lent->are_ready(); ++asks) {
    lent->note_end(std::chrono::steady_clock::now());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return asks;
}

void test_those_that_woke_are_asked() {
  onecell::Lent lent;
  lent.offer(parallel);
  check(lent.are_ready(), "an offer is tried");
  lent.run(2, [](int) {});
  runtime->sleeps.store(true);
  rest();
  check(!lent.are_ready(), "sleepers are not asked");
  runtime->sleeps.store(false);
  check(asks_until_ready(&lent) < 10000, "those that woke are");
}

void test_other_threads_do_without(const Sequence& sequence) {
  const std::vector<float> want = run_lent(sequence);
  onecell::lend_threads(parallel);
  runtime->calls = 0;
  bool same = false;
  std::thread other([&] { same = sequence.run() == want; });
  other.join();
  check(same && runtime->calls == 0, "a thread that has borrowed nothing");
}

void test_those_that_come_late_are_asked_less_and_less() {
  onecell::Lent lent;
  check(!lent.are_ready(), "nobody has lent anything");
  lent.offer(parallel);
  runtime->is_late.store(true);
  for (const int refusals : {1, 3, 7, 15}) {
    for (int call = 0; call < 8; ++call) {
      asks_until_ready(&lent);
      std::atomic<int> members{0};
      lent.run(2, [&](int me) { members.fetch_add(me + 1); });
      lent.note_end(std::chrono::steady_clock::now());
      check(members.load() == 3, "each member once");
    }
    check(asks_until_ready(&lent) >= refusals, "late once may be chance, often is not");
  }
  runtime->is_late.store(false);
}

}  // namespace

int main() {
  Runtime only;
  runtime = &only;
  onecell::set_together(true);
  const Sequence sequence;
  test_bits(sequence);
  test_sleepers_are_left_alone(sequence);
  test_other_threads_do_without(sequence);
  test_those_that_woke_are_asked();
  test_those_that_come_late_are_asked_less_and_less();
  return conclude("lent");
}
