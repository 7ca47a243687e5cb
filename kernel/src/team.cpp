#include "team.h"

#include <pthread.h>

#include <algorithm>
#include <system_error>

#include "onecell/cell.h"
#include "threads.h"

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace onecell {
namespace {

using Clock = Team::Clock;
using std::chrono::microseconds;

// Measured where two cores share a cache of the last level: a phase costs 0.3 us beyond its work.
// Work of a member's, in ns, below which one more member does not pay: in a call of few phases, and
// where phase follows phase and nobody has to be called.
constexpr double kLeastPart = 1200, kLeastShare = 300;
constexpr double kWorthWaking = 60000;       // ns of work in all, for which sleepers are woken
constexpr double kLongPhase = 12000;         // ns of work, beside which meeting costs nothing
constexpr auto kRecent = microseconds(300);  // calls closer together than this are a loop
constexpr auto kIdleSpin = microseconds(150);
constexpr auto kWaitSpin = microseconds(30);
constexpr int kEager = 48;     // looks without a pause between them
constexpr int kPatience = 64;  // looks before a member takes another's part

void pause() {
#if defined(__SSE__)
  _mm_pause();
#elif defined(__aarch64__)
  // `yield` does nothing on a core without a second thread; this waits about as long as x86's
  // pause, as Rust's spin_loop found (rust-lang/rust#84725).
  asm volatile("isb" ::: "memory");
#endif
}

std::atomic<Team*> team{nullptr};
std::atomic<bool> always_together{false};

// The threads of the parent are not in the child, and its locks may be held for ever: begin anew.
void forget_team() { team.store(nullptr, std::memory_order_release); }
const bool survives_forks = pthread_atfork(nullptr, nullptr, forget_team) == 0;

}  // namespace

Team* Team::of_this_process() {
  Team* found = team.load(std::memory_order_acquire);
  if (found != nullptr) return found;
  if (!survives_forks) return nullptr;
  // Never destroyed: its threads sleep in it until the process ends.
  Team* const made = new Team;
  if (team.compare_exchange_strong(found, made, std::memory_order_acq_rel)) return made;
  delete made;
  return found;
}

bool Team::grow(int members) {
  try {
    for (; workers_ < members - 1; ++workers_) {
      std::thread worker(&Team::live, this, workers_ + 1);
      crew_[workers_].thread = worker.native_handle();
      worker.detach();
    }
  } catch (const std::system_error&) {  // no thread to be had: compute with those that are
    return false;
  }
  return true;
}

int Team::enter(double phase_ns, std::int64_t phases) {
  const double useful = phase_ns / (phases > 4 ? kLeastShare : kLeastPart);
  if (useful < 2) return 0;
  const int wanted = static_cast<int>(std::min<double>(num_threads(), useful));
  if (wanted < 2 || !turn_.try_lock()) return 0;
  is_lent_ = lent_.are_ready();
  // Lent threads are there by turns with the lender's own work, which a look would take for theirs:
  // timed, training by 20 rows of 128 stayed alone at 1.5 times the time.
  work_ = phase_ns * static_cast<double>(phases);
  kind_ = !is_lent_ && phase_ns < kLongPhase && !always_together.load(std::memory_order_relaxed)
              ? &worth_.of({phase_ns, phases > 4, wanted})
              : nullptr;
  const bool together = kind_ == nullptr ? !trust_.is_withheld(work_) : kind_->goes_together(work_);
  if (kind_ != nullptr && !kind_->is_timed()) {
    turn_.unlock();
    return 0;
  }
  begin_ = Clock::now();
  members_now_ = 1;
  if (!together) return kind_ != nullptr ? 1 : decline();
  // To wake a thread takes longer than a small call: do it only for calls that come in a row.
  const bool sleep = workers_ < wanted - 1 || asleep_.load(std::memory_order_relaxed) > 0;
  if (work_ < kWorthWaking && sleep && !is_lent_ && begin_ - last_use_ > kRecent) return decline();
  if (!is_lent_) grow(wanted);
  members_now_ = is_lent_ ? wanted : std::min(wanted, workers_ + 1);
  return members_now_;
}

// Leave this call to whoever asked.
int Team::decline() {
  members_now_ = 0;
  leave();
  return 0;
}

void Team::leave() {
  last_use_ = Clock::now();
  lent_.note_end(last_use_);
  if (members_now_ == 0) {
    if (kind_ != nullptr) kind_->put_off();
  } else if (kind_ != nullptr) {
    kind_->note(work_, std::chrono::duration<double, std::nano>(last_use_ - begin_).count());
  } else {
    const std::chrono::nanoseconds slept(slept_ns_.load(std::memory_order_relaxed));
    trust_.judge(slept, members_now_ * (last_use_ - begin_), work_,
                 is_lent_ ? Trust::kMostLentSlept : Trust::kMostSlept);
  }
  turn_.unlock();
}

void Team::perform(const Job& job, int members) {
  const Plan plan{job, cursor_base_, done_.load(std::memory_order_relaxed), members};
  for (int slice = 0; slice < members; ++slice)
    cursors_[slice].next.store(plan.first, std::memory_order_relaxed);
  slept_ns_.store(0, std::memory_order_relaxed);

  // Whoever acquires one of these values, even with the epoch before, sees that epoch gone: each is
  // released after the odd one. Relaxed, a machine may show them earlier, and `read` would take a
  // plan that is half the last one's.
  const std::uint64_t last = epoch_.fetch_add(1, std::memory_order_relaxed);
  run_.store(job.run, std::memory_order_release);
  context_.store(job.context, std::memory_order_release);
  phases_.store(job.phases, std::memory_order_release);
  parts_.store(job.parts, std::memory_order_release);
  first_.store(plan.first, std::memory_order_release);
  done_first_.store(plan.done_first, std::memory_order_release);
  members_.store(is_lent_ ? 1 : members, std::memory_order_release);  // of our own
  // Releases the cursors too; and in one order with `asleep_`, see `call`.
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  if (is_lent_) {
    // A region ends when all its threads have come and gone, though the work may long be done.
    Clock::time_point done = begin_;
    lent_.run(members, [&](int me) {
      take_part(plan, me);
      if (me == 0) done = Clock::now();
    });
    slept_ns_.fetch_add(members * std::chrono::nanoseconds(Clock::now() - done).count(),
                        std::memory_order_relaxed);
  } else {
    call(members, last);
    take_part(plan, 0);
  }
  cursor_base_ += job.phases * job.parts;
}

// Wake who sleeps, and keep who sleeps, or was not there for the job of epoch `last`, off this
// processor: it may have been waiting for it. Whoever falls asleep counts itself in and then looks
// at the epoch; here it is the other way round, and all four are in one order, so that one of the
// two sees the other. `finish` and `await` meet likewise.
void Team::call(int members, std::uint64_t last) {
  const bool wakes = asleep_.load(std::memory_order_seq_cst) > 0;
  bool misses = false;
  for (int i = 0; i < members - 1; ++i)
    misses |= crew_[i].seen.load(std::memory_order_relaxed) != last;
  if (!wakes && !misses) return;
  const std::lock_guard lock(sleep_);
  places_ = Places::of_caller();
  for (int i = 0; i < members - 1; ++i) {
    places_.push_off(crew_[i].thread);
    crew_[i].pushed.store(true, std::memory_order_release);
  }
  if (wakes) woken_.notify_all();
}

// Let worker `me`, which runs now, run wherever its caller may.
void Team::settle(int me) {
  Worker& worker = crew_[me - 1];
  if (!worker.pushed.load(std::memory_order_relaxed)) return;
  std::unique_lock lock(sleep_);
  worker.pushed.store(false, std::memory_order_relaxed);
  const Places places = places_;
  lock.unlock();
  places.settle();
}

// Copy the plan of `epoch`, which the caller has acquired; false where it is being written or there
// is another. The values are acquired, so that the second look at the epoch comes after them.
bool Team::read(Plan* plan, std::uint64_t epoch) const {
  plan->job = {run_.load(std::memory_order_acquire), context_.load(std::memory_order_acquire),
               phases_.load(std::memory_order_acquire), parts_.load(std::memory_order_acquire)};
  plan->first = first_.load(std::memory_order_acquire);
  plan->done_first = done_first_.load(std::memory_order_acquire);
  plan->members = members_.load(std::memory_order_acquire);
  return epoch % 2 == 0 && epoch_.load(std::memory_order_relaxed) == epoch;
}

void Team::live(int me) {
  std::uint64_t seen = 0;
  Clock::time_point until = Clock::now() + kIdleSpin;
  for (;;) {
    int looks = 0;
    std::uint64_t epoch;
    while ((epoch = epoch_.load(std::memory_order_acquire)) == seen || epoch % 2 == 1) {
      pause();
      if (++looks % 16 != 0 || Clock::now() < until) continue;
      std::unique_lock lock(sleep_);
      asleep_.fetch_add(1, std::memory_order_seq_cst);
      woken_.wait(lock, [&] { return epoch_.load(std::memory_order_seq_cst) != seen; });
      asleep_.fetch_sub(1, std::memory_order_relaxed);
      until = Clock::now() + kIdleSpin;
    }
    Plan plan;
    if (!read(&plan, epoch)) continue;
    seen = epoch;
    crew_[me - 1].seen.store(epoch, std::memory_order_relaxed);
    settle(me);
    if (me >= plan.members) continue;
    take_part(plan, me);
    until = Clock::now() + kIdleSpin;
  }
}

// Work off one slice's parts of a phase, all or one; returns how many. What the phase before wrote
// was acquired with its last count in `await`, or with the epoch; so was every claim of it, and
// none is read as lower than it is. A claim itself passes nothing on but the right to the part.
std::int64_t Team::work_off(const Plan& plan, std::int64_t phase, int slice, bool all) {
  std::atomic<std::int64_t>& next = cursors_[slice].next;
  const std::int64_t before = plan.first + phase * plan.job.parts, limit = before + plan.job.parts;
  std::int64_t count = 0, claimed = next.load(std::memory_order_relaxed);
  while (claimed < limit) {
    if (!next.compare_exchange_weak(claimed, claimed + 1, std::memory_order_acq_rel)) continue;
    plan.job.run(plan.job.context, phase, slice * plan.job.parts + (claimed - before));
    ++count;
    if (!all) break;
    claimed = next.load(std::memory_order_relaxed);
  }
  return count;
}

// Count parts as finished, releasing what they wrote: whoever acquires the sum, acquires all of it,
// since each count continues the one before.
void Team::finish(std::int64_t count) {
  if (count == 0) return;
  done_.fetch_add(count, std::memory_order_seq_cst);
  if (waiting_.load(std::memory_order_seq_cst) == 0) return;
  const std::lock_guard lock(sleep_);
  advanced_.notify_all();
}

void Team::await(const Plan& plan, std::int64_t phase, int me) {
  const std::int64_t goal = plan.done_first + (phase + 1) * plan.job.parts * plan.members;
  const auto reached = [&] { return done_.load(std::memory_order_acquire) >= goal; };
  Clock::time_point until{};
  for (int looks = 1; !reached(); ++looks) {
    if (looks > kEager) pause();
    if (looks % kPatience != 0) continue;
    std::int64_t taken = 0;
    for (int other = 1; other < plan.members && taken == 0; ++other)
      taken = work_off(plan, phase, (me + other) % plan.members, false);
    finish(taken);
    if (taken > 0) continue;
    if (until == Clock::time_point{}) until = Clock::now() + kWaitSpin;
    if (Clock::now() < until) continue;
    std::unique_lock lock(sleep_);
    waiting_.fetch_add(1, std::memory_order_seq_cst);
    advanced_.wait(lock, [&] { return done_.load(std::memory_order_seq_cst) >= goal; });
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    slept_ns_.fetch_add(std::chrono::nanoseconds(Clock::now() - until).count(),
                        std::memory_order_relaxed);
    until = Clock::time_point{};
  }
}

void Team::take_part(const Plan& plan, int me) {
  for (std::int64_t phase = 0; phase < plan.job.phases; ++phase) {
    finish(work_off(plan, phase, me, true));
    await(plan, phase, me);
  }
}

Turn::Turn(double phase_ns, std::int64_t phases) {
  if (phase_ns < 2 * kLeastShare || phases == 0) return;
  Team* const found = Team::of_this_process();
  if (found == nullptr) return;
  const int members = found->enter(phase_ns, phases);
  if (members == 0) return;
  team_ = found;
  members_ = members;
}

Turn::~Turn() {
  if (team_ != nullptr) team_->leave();
}

void set_together(bool always) { always_together.store(always, std::memory_order_relaxed); }

void lend_threads(Parallel parallel) {
  if (Team* const found = Team::of_this_process()) found->lend(parallel);
}

void Turn::perform(const Job& job) { team_->perform(job, members_); }

}  // namespace onecell
