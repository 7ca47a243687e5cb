// Whether several threads are used where they are a gain, by costs that are made up.
#include <string>

#include "../src/trust.h"
#include "../src/worth.h"
#include "checks.h"

namespace {

using onecell::Kind;

struct Machine {
  double alone, together;  // ns for each that was estimated
};

struct Count {
  int together = 0, timed = 0;
  double ns = 0;
};

// Calls of `work` ns as estimated, on a machine where they cost what `machine` says.
Count calls(Kind& kind, int count, double work, const Machine& machine) {
  Count found;
  for (int i = 0; i < count; ++i) {
    const bool together = kind.goes_together(work);
    const double ns = work * (together ? machine.together : machine.alone);
    found.together += together;
    found.timed += kind.is_timed();
    found.ns += ns;
    if (kind.is_timed()) kind.note(work, ns);
  }
  return found;
}

constexpr Machine kGains{1, 0.6}, kLoses{1, 3};

void test_the_better_way_is_kept(double work) {
  const std::string name = ", calls of " + std::to_string(static_cast<int>(work)) + " ns";
  const int many = 2000;
  Kind gains, loses;
  check(calls(gains, many, work, kGains).together > many * 0.95, "together where it gains" + name);
  const Count lost = calls(loses, many, work, kLoses);
  check(lost.together < many * 0.05, "alone where it loses" + name);
  check(lost.ns < 1.1 * many * work, "looking costs little" + name);
  check(lost.timed < many * 0.1, "and is rare" + name);
}

void test_a_gain_of_nothing_is_none() {
  Kind kind;
  check(calls(kind, 1000, 5000, {1, 0.99}).together < 50, "no more threads for the same time");
}

// Somebody else computes for a while.
void test_a_change_is_seen(double work) {
  const std::string name = ", calls of " + std::to_string(static_cast<int>(work)) + " ns";
  Kind kind;
  calls(kind, 1000, work, kGains);
  const Count disturbed = calls(kind, 10000, work, kLoses);
  check(disturbed.together < 2000, "not together for long where it loses" + name);
  calls(kind, 100000, work, kGains);
  check(calls(kind, 1000, work, kGains).together > 950, "together again" + name);
}

// Now and then one that is held up for long: most calls gain, and all of them together lose.
void test_rare_and_long_is_a_loss_too() {
  const double work = 20000;
  const int many = 20000;
  Kind kind;
  double ns = 0;
  for (int i = 0; i < many; ++i) {
    const bool together = kind.goes_together(work);
    const double cost = work * (!together ? 1 : i % 10 == 0 ? 20 : 0.6);
    ns += cost;
    if (kind.is_timed()) kind.note(work, cost);
  }
  check(ns < 1.25 * many * work, "one in ten held up");
}

// Calls with pauses between them go alone, whatever was to be looked at.
void test_a_look_is_put_off() {
  Kind kind;
  int together = 0;
  for (int i = 0; i < 1000; ++i) {
    if (kind.goes_together(3000)) {
      ++together;
      kind.put_off();
    } else if (kind.is_timed()) {
      kind.note(3000, 3000);
    }
  }
  check(together > 0 && together < 10, "a look that cannot be is put off");
}

void test_kinds_are_apart() {
  onecell::Worth worth;
  calls(worth.of({3000, true, 2}), 100, 3000, kGains);
  calls(worth.of({3000, true, 3}), 100, 3000, kLoses);
  calls(worth.of({5000, true, 2}), 100, 5000, kLoses);
  check(!worth.of({5000, true, 2}).goes_together(5000), "a kind that loses");
  Kind& again = worth.of({3000, false, 2});
  check(!again.goes_together(3000) && again.is_timed(), "one that is new is looked at");
}

// Whoever waited for each other go alone for a while, and no longer than a disturbance may last.
void test_distrust_ends(double work, int fewest, int most) {
  const std::string name = ", calls of " + std::to_string(static_cast<int>(work)) + " ns";
  const auto time = std::chrono::nanoseconds(static_cast<std::int64_t>(work));
  onecell::Trust trust;
  int alone = 0;
  for (int failure = 0; failure < 10; ++failure) {
    trust.judge(time / 2, time, work);
    for (alone = 0; trust.is_withheld(work); ++alone) continue;
    if (failure == 0) check(alone == 1, "one call alone after the first failure" + name);
  }
  check(fewest <= alone && alone <= most, "alone after ten failures" + name);
  for (int i = 0; i < 10; ++i) trust.judge(time / 10, time, work);
  check(!trust.is_withheld(work), "together after successes" + name);
}

}  // namespace

int main() {
  test_distrust_ends(20000, 64, 64);
  test_distrust_ends(8e6, 6, 7);

  for (const double work : {1000.0, 20000.0, 900000.0}) test_the_better_way_is_kept(work);
  test_a_gain_of_nothing_is_none();
  for (const double work : {3000.0, 100000.0}) test_a_change_is_seen(work);
  test_rare_and_long_is_a_loss_too();
  test_a_look_is_put_off();
  test_kinds_are_apart();
  return conclude("worth");
}
