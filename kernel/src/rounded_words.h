// Rounded rows as 16-bit integers, for instruction sets that multiply those; see rounded.h.
#pragma once

namespace onecell::ONECELL_ISA {

inline constexpr bool kByDigits = false;

// Writes the integers of a block of columns, of which `put` gets 16, each added to 0x1.8p23.
template <int Digits>
class RoundedWriter {
 public:
  explicit RoundedWriter(std::byte* to) : to_(to) {}

  void put(const Lanes<float>& shifted) {
    alignas(64) float values[16];
    shifted.store(values);
    alignas(64) std::int32_t whole[16];
    std::memcpy(whole, values, sizeof whole);
    std::int16_t narrow[16];
    for (int i = 0; i < 16; ++i) narrow[i] = static_cast<std::int16_t>(whole[i]);
    std::memcpy(to_, narrow, sizeof narrow);
    to_ += sizeof narrow;
  }
  std::byte* end(std::int32_t*) const { return to_; }

 private:
  std::byte* to_;
};

}  // namespace onecell::ONECELL_ISA
