// Whether several threads have been a gain lately: on a crowded machine they may be a loss.
#pragma once

#include <algorithm>
#include <chrono>

namespace onecell {

// Not to be shared: whoever has the team's turn asks.
class Trust {
 public:
  // Whether this call is to be left to one thread.
  bool is_withheld() {
    if (skip_ == 0) return false;
    --skip_;
    return true;
  }

  // A call took its members `time` together, of which they slept so long, waiting for each other.
  void judge(std::chrono::nanoseconds slept, std::chrono::nanoseconds time) {
    if (slept > kMostSlept * time) {
      distrust_ = std::min(2 * distrust_ + 1, kMostDistrust);
      skip_ = distrust_;
    } else {
      distrust_ /= 2;
    }
  }

 private:
  static constexpr int kMostDistrust = 64;    // calls
  static constexpr double kMostSlept = 0.15;  // beyond it, one thread had done better

  int distrust_ = 0, skip_ = 0;
};

}  // namespace onecell
