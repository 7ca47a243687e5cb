// Threads that another library keeps for its own parallel regions, lent for a call.
//
// After a region such threads spin for milliseconds, in case another one follows, on the processors
// where ours would run: by turns with that library's regions, they would have half of them, and it
// half of ours. So while its threads are awake, calls go to those, and ours sleep.
#pragma once

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "onecell/cell.h"

namespace onecell {

// Not to be shared: whoever has the team's turn asks.
class Lent {
 public:
  using Clock = std::chrono::steady_clock;

  // From the calling thread, whose calls alone can be served: the others' would get other threads.
  void offer(Parallel parallel) {
    parallel_ = parallel;
    owner_ = pthread_self();
    known_ = false;
    refusals_ = patience_ = in_a_row_ = 0;
  }

  // Whether the calling thread's next call should go to the lent threads.
  bool are_ready() {
    if (parallel_ == nullptr || !pthread_equal(pthread_self(), owner_)) return false;
    if (known_ && !are_awake()) return false;
    if (refusals_ == 0) return true;
    --refusals_;
    return false;
  }

  // Run `part(member)` for 0, in the calling thread, and for at most `members` - 1 others at once.
  // Returns when all have ended.
  template <class Part>
  void run(int members, const Part& part) {
    Call<Part> call{part, members};
    parallel_(Call<Part>::enter, &call, static_cast<unsigned>(members), 0);
    known_ = call.has_clock;
    clock_ = call.clock;
    if (call.latest.load(std::memory_order_relaxed) < kLate.count()) {
      in_a_row_ = 0;
      patience_ = std::max(0, patience_ - 1);
      return;
    }
    // Everybody waited for them: once may be chance, or those of a runtime that never spins.
    if (++in_a_row_ < kOften) return;
    in_a_row_ = 0;
    patience_ = std::min(2 * patience_ + 1, kMostPatience);
    refusals_ = patience_;
  }

  // To be told after every call of the team, whoever computed it.
  void note_end(Clock::time_point now) {
    ended_ = now;
    used_ = known_ ? used() : std::chrono::nanoseconds(0);
  }

 private:
  static constexpr std::chrono::microseconds kLate{20}, kAtWork{3};
  // After a region threads surely stay awake for so long, where they spin at all.
  static constexpr std::chrono::milliseconds kSpins{2};
  static constexpr int kOften = 8, kMostPatience = 63;

  template <class Part>
  struct Call {
    const Part& part;
    const int members;
    const pthread_t caller = pthread_self();
    const Clock::time_point begin = Clock::now();
    std::atomic<int> next{1};
    std::atomic<std::chrono::microseconds::rep> latest{0};
    bool has_clock = false;
    clockid_t clock{};

    static void enter(void* self) {
      Call& call = *static_cast<Call*>(self);
      if (pthread_equal(pthread_self(), call.caller)) return call.part(0);
      using std::chrono::microseconds;
      const auto after = std::chrono::duration_cast<microseconds>(Clock::now() - call.begin);
      auto before = call.latest.load(std::memory_order_relaxed);
      while (before < after.count() && !call.latest.compare_exchange_weak(before, after.count()))
        continue;
      const int me = call.next.fetch_add(1, std::memory_order_relaxed);
      if (me == 1) call.has_clock = pthread_getcpuclockid(pthread_self(), &call.clock) == 0;
      if (me < call.members) call.part(me);
    }
  };

  // Whether one of the threads runs at this moment, or has so lately that it must still spin.
  bool are_awake() {
    const std::chrono::nanoseconds before = used();
    if (!known_) return true;  // it has ended: there may be another
    if (Clock::now() - ended_ < kSpins && before - used_ > kAtWork) return true;
    return used() > before;
  }

  // The time of a processor that the thread has had.
  std::chrono::nanoseconds used() {
    timespec time{};
    if (clock_gettime(clock_, &time) != 0) known_ = false;
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  Parallel parallel_ = nullptr;
  pthread_t owner_{};
  bool known_ = false;  // whether there is a clock
  clockid_t clock_{};   // of one of the threads
  Clock::time_point ended_{};
  std::chrono::nanoseconds used_{0};
  int in_a_row_ = 0;  // calls to which they came late
  int patience_ = 0, refusals_ = 0;
};

}  // namespace onecell
