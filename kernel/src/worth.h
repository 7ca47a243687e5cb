// Whether several threads are a gain for calls like one: measured, alone against together.
//
// What meeting after a phase costs is a matter of the machine, of the minute and of who else
// computes, and often more than the phase. So calls of short phases are timed: a few alone, a few
// together, and then the better way is kept, until it is time to look again.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

namespace onecell {

// Calls of one shape, as far as their time goes. Not to be shared: whoever has the team's turn
// asks.
class Kind {
 public:
  struct Key {
    double phase_ns;  // as estimated for one thread
    bool many;        // phases
    int members;
    bool operator==(const Key&) const = default;
  };

  // A new kind begins with a look at both ways, of which the one that is likely comes first.
  explicit Kind(const Key& key = {}) : key_(key) {}

  const Key& key() const { return key_; }

  // Which way the next call goes, whose work is estimated to take one thread so many ns.
  bool goes_together(double work) {
    if (stage_ == Stage::kSteady) {
      since_ += work;
      const bool doubtful = pays_ && together_ > alone_ && since_ > interval_ / 16;
      if (doubtful || since_ > std::max(interval_, kRarely * work)) look(Stage::kAlone);
    }
    return stage_ == Stage::kSteady ? pays_ : stage_ == Stage::kTogether;
  }

  // Whether the next call is to be timed.
  bool is_timed() const { return pays_ || stage_ != Stage::kSteady; }

  // The call took so many ns.
  void note(double work, double ns) {
    const double cost = ns / work;
    if (stage_ == Stage::kSteady) {
      together_ += (std::min(cost, kWorst * alone_) - together_) / kMemory;
      return;
    }
    // Of several the first is not counted: caches are cold, and threads asleep.
    const int wanted = static_cast<int>(std::clamp(kLook / work, 1.0, double{kMost}));
    if (wanted == 1 || calls_ > 0) samples_[static_cast<std::size_t>(counted_++)] = cost;
    ++calls_;
    if (counted_ < wanted) return;
    std::sort(samples_.begin(), samples_.begin() + counted_);
    const double middle = samples_[static_cast<std::size_t>(counted_ / 2)];
    if (stage_ == Stage::kAlone) {
      alone_ = middle;
      if (!pays_) return look(Stage::kTogether);
    } else {
      together_ = middle;
    }
    pays_ = together_ < kGain * alone_;
    interval_ = std::min(2 * interval_, kLongest);
    settle();
  }

  // The call could not go the way that was to be looked at: look another time.
  void put_off() {
    if (stage_ != Stage::kSteady) settle();
  }

 private:
  enum class Stage : std::uint8_t { kAlone, kTogether, kSteady };

  static constexpr int kMost = 5;       // calls that are timed for a look
  static constexpr double kLook = 1e6;  // ns of work that a look takes, if it can be less
  static constexpr double kShortest = 10e6, kLongest = 200e6;  // ns of work between two looks
  static constexpr double kRarely = 64;                        // calls between two looks, at least
  static constexpr double kGain = 0.95, kWorst = 8, kMemory = 16;

  void settle() {
    stage_ = Stage::kSteady;
    since_ = 0;
  }

  void look(Stage stage) {
    stage_ = stage;
    calls_ = counted_ = 0;
  }

  Key key_;
  Stage stage_ = Stage::kAlone;
  bool pays_ = false;
  int calls_ = 0, counted_ = 0;
  double alone_ = 0, together_ = 0;  // ns for each that was estimated
  double since_ = 0, interval_ = kShortest;
  std::array<double, kMost> samples_{};
};

// The kinds of calls that there were lately.
class Worth {
 public:
  Kind& of(const Kind::Key& key) {
    const auto place = std::hash<double>()(key.phase_ns) * 2 + key.many;
    Kind& kind = kinds_[place % kinds_.size()];
    if (kind.key() != key) kind = Kind(key);
    return kind;
  }

 private:
  std::array<Kind, 61> kinds_;
};

}  // namespace onecell
