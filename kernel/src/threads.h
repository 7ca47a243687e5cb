// What `team.h` says, as threads that meet over counters: a claim and a count for every part.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "lent.h"
#include "onecell/cell.h"
#include "places.h"
#include "team.h"
#include "trust.h"
#include "worth.h"

namespace onecell {

class Team {
 public:
  using Clock = std::chrono::steady_clock;

  static Team* of_this_process();

  // The members to use now, or 0 where the team is not to be had. One has to leave all the same.
  int enter(double phase_ns, std::int64_t phases);
  void leave();
  void perform(const Job& job, int members);
  void lend(Parallel parallel) {
    const std::lock_guard lock(turn_);
    lent_.offer(parallel);
  }

 private:
  struct Plan {
    Job job;
    std::int64_t first;       // of every slice's cursor
    std::int64_t done_first;  // of `done_`
    int members;
  };
  // What one thread writes lies a line apart from what another does: 128 bytes on Apple's machines.
#if defined(__aarch64__)
  static constexpr std::size_t kLine = 128;
#else
  static constexpr std::size_t kLine = 64;
#endif
  struct alignas(kLine) Cursor {
    std::atomic<std::int64_t> next{0};
  };
  struct alignas(kLine) Worker {
    std::thread::native_handle_type thread{};
    std::atomic<std::uint64_t> seen{0};  // the epoch that it last took part in
    std::atomic<bool> pushed{false};     // whether it is kept off a processor
  };

  int decline();
  bool grow(int members);
  void call(int members, std::uint64_t last);
  void settle(int me);
  void live(int me);
  void take_part(const Plan& plan, int me);
  std::int64_t work_off(const Plan& plan, std::int64_t phase, int slice, bool all);
  void await(const Plan& plan, std::int64_t phase, int me);
  void finish(std::int64_t count);
  bool read(Plan* plan, std::uint64_t epoch) const;

  std::mutex turn_;
  // Touched under `turn_` only.
  int workers_ = 0;
  Trust trust_;
  Worth worth_;
  Kind* kind_ = nullptr;  // of this call; null where its phases are long
  double work_ = 0;       // of this call, in ns as estimated for one thread
  int members_now_ = 0;   // in this call, 0 where it is left to whoever asked
  Clock::time_point begin_{};
  Clock::time_point last_use_{};
  std::int64_t cursor_base_ = 0;
  Lent lent_;
  bool is_lent_ = false;  // whether this call goes to the lent threads

  // Odd while the plan is being written.
  alignas(kLine) std::atomic<std::uint64_t> epoch_{0};
  std::atomic<void (*)(void*, std::int64_t, std::int64_t)> run_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<std::int64_t> phases_{0}, parts_{0}, first_{0}, done_first_{0};
  std::atomic<int> members_{0};

  // Parts finished, and claimed of each slice, since the team began: neither ever goes back, so a
  // member with an old plan can claim nothing.
  alignas(kLine) std::atomic<std::int64_t> done_{0};
  Cursor cursors_[kMostThreads];
  Worker crew_[kMostThreads];

  alignas(kLine) std::atomic<int> asleep_{0};  // workers without a plan
  std::atomic<int> waiting_{0};                // members in wait for a part of another
  std::atomic<std::int64_t> slept_ns_{0};      // what members slept in wait during this job
  std::mutex sleep_;
  Places places_;  // of whoever woke the workers last; under `sleep_`
  std::condition_variable woken_, advanced_;
};

}  // namespace onecell
