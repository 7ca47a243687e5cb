// Whether several threads have been a gain lately: on a crowded machine they may be a loss.
#pragma once

#include <algorithm>
#include <chrono>

namespace onecell {

// Not to be shared: whoever has the team's turn asks. Work is in ns, as estimated for one thread.
class Trust {
 public:
  // Whether this call is to be left to one thread.
  bool is_withheld(double work) {
    if (left_ <= 0) return false;
    left_ -= work;
    return true;
  }

  // Of the time of a call's members together, what they may sleep: of two, one thread alone had
  // done better where they slept half of it. (Zen 5, beside a process that is busy half of the
  // time, with 0.45 instead of 0.15: an unroll of 50,64,128,128 takes 0.77 of the time,
  // 100,16,256,256 0.90.) Lent threads that sleep may do so for long, and cost more to wake.
  static constexpr double kMostSlept = 0.45, kMostLentSlept = 0.15;

  // A call took its members `time` together, of which they slept so long, waiting for each other.
  void judge(std::chrono::nanoseconds slept, std::chrono::nanoseconds time, double work,
             double most_slept = kMostSlept) {
    if (slept > most_slept * time) {
      distrust_ = std::min(2 * distrust_ + 1, kMostDistrust);
      left_ = std::min(distrust_ * work, kLongest);
    } else {
      distrust_ /= 2;
    }
  }

 private:
  static constexpr int kMostDistrust = 64;  // calls of the size that failed
  static constexpr double kLongest = 50e6;  // ns of work: whoever disturbed may soon be gone

  int distrust_ = 0;
  double left_ = 0;  // ns of work
};

}  // namespace onecell
