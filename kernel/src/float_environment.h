// Round to nearest, no flush to zero, for as long as one of these lives; then as it was.
#pragma once

#include <cstdint>

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace onecell {

class FloatEnvironment {
 public:
  FloatEnvironment() : saved_(read()) {
    if (kept() != kDefault) write((saved_ & ~kControl) | kDefault);
  }
  ~FloatEnvironment() {
    if (kept() != kDefault) write(saved_);
  }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__SSE__)
  using Word = unsigned;
  static constexpr Word kControl = 0xFFC0, kDefault = 0x1F80;  // flush, rounding, masks, denormals
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  // AHP, DN, FZ, RMode, FZ16; traps; NEP, AH, FIZ. What a processor lacks reads as zero.
  static constexpr Word kControl = 0x7C89F07, kDefault = 0;
  static Word read() {
    Word word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = unsigned;
  static constexpr Word kControl = 0, kDefault = 0;
  static Word read() { return 0; }
  static void write(Word) {}
#endif
  Word kept() const { return saved_ & kControl; }

  Word saved_;
};

}  // namespace onecell
