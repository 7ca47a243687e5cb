// Forward through time.
#pragma once

namespace onecell::ONECELL_ISA {

// The input product of this many rows is hoisted out of the recurrence at a time.
inline constexpr std::int64_t kHoistedRows = 64;

template <class T>
void unroll(const Forward<T>& a) {
  const FloatEnvironment environment;
  const std::int64_t gates = 4 * a.hidden_size, state = a.batch * a.hidden_size;
  const std::int64_t z = a.batch * gates;
  const std::int64_t fitting = a.batch > 0 ? kHoistedRows / a.batch : 1;
  const std::int64_t chunk = std::max<std::int64_t>(1, std::min(a.steps, fitting));
  const bool traced = a.trace != nullptr;

  const auto room = [](std::int64_t count) { return Scratch::padded(count * sizeof(T)); };
  Scratch scratch(room(z) + room(state) + (traced ? 0 : room(chunk * z)));
  T* const from_h = scratch.take<T>(z);
  T* const zeros = scratch.take<T>(state);
  T* const hoisted = traced ? nullptr : scratch.take<T>(chunk * z);

  if (a.h == nullptr || a.c == nullptr) std::memset(zeros, 0, state * sizeof(T));
  const T* h = a.h != nullptr ? a.h : zeros;
  const T* c = a.c != nullptr ? a.c : zeros;
  for (std::int64_t t = 0; t < a.steps; ++t) {
    // With a trace, a step's input product waits where its gates will be.
    const std::int64_t ahead = t % chunk;
    T* const from_x = traced ? a.trace + t * z : hoisted + ahead * z;
    if (ahead == 0) {
      const std::int64_t rows = std::min(chunk, a.steps - t) * a.batch;
      dot_product(rows, a.input_size, gates, a.x + t * a.batch * a.input_size, a.weight_ih, from_x);
    }
    dot_product(a.batch, a.hidden_size, gates, h, a.weight_hh, from_h);
    T* const h_next = a.h_all + t * state;
    T* const c_next = traced ? a.c_all + t * state : a.c_all;
    for (std::int64_t n = 0; n < a.batch; ++n) {
      const std::int64_t row = n * a.hidden_size;
      gate_row(a.hidden_size, from_x + n * gates, from_h + n * gates, a.bias_ih, a.bias_hh, c + row,
               h_next + row, c_next + row, traced ? from_x + n * gates : nullptr);
    }
    h = h_next;
    c = c_next;
  }
  if (a.steps == 0 && !traced && state > 0) std::memcpy(a.c_all, c, state * sizeof(T));
}

}  // namespace onecell::ONECELL_ISA
