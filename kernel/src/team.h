// The threads of this process that compute together, and how they share a call.
//
// A job is a row of phases, one after another; a phase is cut into parts that may run at once.
// Every member has its own slice of the parts, the same in every phase, so that what a slice reads
// of the weights stays in the nearest caches of one core. A member that has long finished its own
// takes parts of the others: nobody waits for a thread that is asleep or was never woken, only for
// a part that somebody is at. Waiting spins for a moment and then sleeps, so that on a crowded
// machine the thread that is waited for gets the core.
#pragma once

#include <cstdint>

namespace onecell {

struct Job {
  void (*run)(void* context, std::int64_t phase, std::int64_t part);
  void* context;
  std::int64_t phases;
  std::int64_t parts;  // of one member's slice; a phase has parts * members
};

// The right to use the team for one call; others meanwhile compute alone.
class Turn {
 public:
  // `phase_ns` estimates the time that one phase takes one thread, in nanoseconds.
  Turn(double phase_ns, std::int64_t phases);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // 1 where the work is too little, the team is busy, or this process may have one thread only.
  int members() const { return members_; }

  // Run every part of every phase; returns when all are done. `run` must not throw. For several
  // members only.
  void perform(const Job& job);

 private:
  class Team* team_ = nullptr;
  int members_ = 1;
};

// For tests: use the team for every call that is not too small, whatever was measured.
// Process-wide.
void set_together(bool always);

}  // namespace onecell
