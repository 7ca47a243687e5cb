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

  // A call took its members `time` together, of which they slept so long, waiting for each other.
  void judge(std::chrono::nanoseconds slept, std::chrono::nanoseconds time, double work) {
    if (slept > kMostSlept * time) {
      distrust_ = std::min(2 * distrust_ + 1, kMostDistrust);
      left_ = std::min(distrust_ * work, kLongest);
    } else {
      distrust_ /= 2;
    }
  }

 private:
  static constexpr int kMostDistrust = 64;    // calls of the size that failed
  static constexpr double kLongest = 50e6;    // ns of work: whoever disturbed may soon be gone
  static constexpr double kMostSlept = 0.15;  // beyond it, one thread had done better

  int distrust_ = 0;
  double left_ = 0;  // ns of work
};

}  // namespace onecell
