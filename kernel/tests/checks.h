// What all tests of the kernel count and print.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#if defined(__SSE__)
#include <immintrin.h>
#endif

#include "onecell/cell.h"

inline int checks = 0, failures = 0;

inline void check(bool holds, const std::string& what) {
  ++checks;
  if (holds) return;
  ++failures;
  std::printf("FAILED %s [%s]\n", what.c_str(), onecell::isa().c_str());
}

// The caller's floating-point modes: while one of these lives, flush to zero, round up, and
// whatever else the machine can do otherwise; then as they were.
class OddModes {
 public:
#if defined(__SSE__)
  using Word = unsigned;
  static constexpr bool kKnown = true;
  static constexpr Word kModes = 0xFFC0, kOdd = 0x8040 | 0x4000;  // denormals are zero as well
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  static constexpr bool kKnown = true;
  static constexpr Word kModes = 0x7C89F07, kOdd = 0x7480001;  // half floats without infinities too
  static Word read() {
    Word word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = unsigned;
  static constexpr bool kKnown = false;
  static constexpr Word kModes = 0, kOdd = 0;
  static Word read() { return 0; }
  static void write(Word) {}
#endif

  OddModes() : before_(read()) {
    write(before_ | kOdd);
    set_ = read();
  }
  ~OddModes() { write(before_); }
  OddModes(const OddModes&) = delete;
  OddModes& operator=(const OddModes&) = delete;

  bool are_set() const {
    return (read() & kModes) == (set_ & kModes) && (set_ != before_ || !kKnown);
  }

 private:
  Word before_, set_ = 0;
};

// Print the sum of it; returns the exit status.
inline int conclude(const char* name) {
  std::printf("%s: %d passed, %d failed\n", name, checks - failures, failures);
  return failures == 0 ? 0 : 1;
}
