// Working memory of one call: one aligned block a thread, kept for its next call if it is small.
#pragma once

#include <cstddef>
#include <cstdint>

namespace onecell {

class Scratch {
 public:
  // Memory that somebody lends, if there is any. Throws std::bad_alloc where `bytes` cannot be had.
  explicit Scratch(std::size_t bytes, std::byte* lent = nullptr);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // The next `count` elements of the block, aligned to 64 bytes. Together at most what was asked.
  template <class T>
  T* take(std::int64_t count) {
    T* taken = reinterpret_cast<T*>(next_);
    next_ += padded(count * sizeof(T));
    return taken;
  }
  static constexpr std::size_t padded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

 private:
  std::byte* next_;
  std::byte* owned_;  // freed at the end
  bool from_thread_;  // whether the thread's own block serves
};

}  // namespace onecell
