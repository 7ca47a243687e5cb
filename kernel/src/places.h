// Where threads may run, so that one that is woken does not wait for the processor of its waker.
//
// A scheduler often puts a thread that is woken on the processor of the one that wakes it,
// expecting that one to sleep soon. Here the waker computes on, and the other would get nothing to
// do before the load is balanced anew, milliseconds later.
#pragma once

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace onecell {

#if defined(__linux__)

// The processors of the calling thread, and those of them where it does not run at the moment.
class Places {
 public:
  static Places of_caller() {
    Places places;
    const int here = sched_getcpu();
    if (here < 0 || here >= CPU_SETSIZE) return places;
    places.known_ = sched_getaffinity(0, sizeof places.all_, &places.all_) == 0;
    places.others_ = places.all_;
    CPU_CLR(here, &places.others_);
    places.known_ = places.known_ && CPU_COUNT(&places.others_) > 0;
    return places;
  }

  // Keep `thread` off the caller's processor until it calls `settle`.
  void push_off(pthread_t thread) const {
    if (known_) pthread_setaffinity_np(thread, sizeof others_, &others_);
  }

  // Let the calling thread run wherever the one that woke it may.
  void settle() const {
    if (known_) pthread_setaffinity_np(pthread_self(), sizeof all_, &all_);
  }

 private:
  bool known_ = false;  // also false where there is one processor only
  cpu_set_t all_{}, others_{};
};

#else

class Places {
 public:
  static Places of_caller() { return {}; }
  template <class Thread>
  void push_off(const Thread&) const {}
  void settle() const {}
};

#endif

}  // namespace onecell
