// Threads that another library in the process keeps for its own parallel regions, lent for a call.
//
// After a region such threads spin for milliseconds, in case another one follows, on the processors
// where ours would run: between two calls of that library's we would have half of them. So when our
// threads hardly come though they are awake, the next calls go to that library's instead, until
// those have gone to sleep.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "onecell/cell.h"

namespace onecell {

// Not to be shared: whoever has the team's turn asks.
class Lent {
 public:
  // For so long after a call the threads are surely awake, if they ever spin.
  explicit Lent(std::chrono::nanoseconds awake = std::chrono::milliseconds(1)) : awake_(awake) {}

  // From the calling thread, whose calls alone can be served: the others' would get other threads.
  void offer(Parallel parallel) {
    parallel_ = parallel;
    owner_ = pthread_self();
    chosen_ = true;
    refusals_ = 0;
  }

  // Whether the calling thread's next call should go to the lent threads.
  bool chosen() const { return chosen_ && is_owner(); }

  // To be called when our threads hardly came to a call; returns whether the lent ones are next.
  bool ask() {
    if (parallel_ == nullptr || !is_owner()) return false;
    if (refusals_ > 0) {
      --refusals_;
      return false;
    }
    chosen_ = true;
    return true;
  }

  // Run `part(member)` for 0, in the calling thread, and for at most `members` - 1 others at once.
  // Returns when all have ended.
  template <class Part>
  void run(int members, const Part& part) {
    Call<Part> call{part, members};
    const bool at_once = call.begin - last_ < awake_;
    parallel_(Call<Part>::enter, &call, static_cast<unsigned>(members), 0);
    last_ = Clock::now();
    if (call.latest.load(std::memory_order_relaxed) < kLate.count()) {
      in_a_row_ = 0;
      patience_ = std::max(0, patience_ - 1);
      return;
    }
    // They had been asleep, and everybody waited for them. Or something else held them up; or they
    // never spin.
    chosen_ = at_once && ++in_a_row_ < kOften;
    if (chosen_ || !at_once) return;
    in_a_row_ = 0;
    patience_ = std::min(2 * patience_ + 1, kMostPatience);
    refusals_ = patience_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::nanoseconds kLate{20000};
  static constexpr int kOften = 8, kMostPatience = 63;

  template <class Part>
  struct Call {
    const Part& part;
    const int members;
    const pthread_t caller = pthread_self();
    const Clock::time_point begin = Clock::now();
    std::atomic<int> next{1};
    std::atomic<std::chrono::nanoseconds::rep> latest{0};

    static void enter(void* self) {
      Call& call = *static_cast<Call*>(self);
      if (pthread_equal(pthread_self(), call.caller)) return call.part(0);
      const auto after = std::chrono::nanoseconds(Clock::now() - call.begin).count();
      auto before = call.latest.load(std::memory_order_relaxed);
      while (before < after && !call.latest.compare_exchange_weak(before, after)) continue;
      const int me = call.next.fetch_add(1, std::memory_order_relaxed);
      if (me < call.members) call.part(me);
    }
  };

  bool is_owner() const { return pthread_equal(pthread_self(), owner_); }

  Parallel parallel_ = nullptr;
  pthread_t owner_{};
  bool chosen_ = false;
  const std::chrono::nanoseconds awake_;
  Clock::time_point last_{};  // when a call to them ended
  int in_a_row_ = 0;          // calls to which they came late
  int patience_ = 0, refusals_ = 0;
};

}  // namespace onecell
