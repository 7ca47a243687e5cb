// Forward through time.
#pragma once

namespace onecell::ONECELL_ISA {

// The input product of this many rows is hoisted out of the recurrence at a time.
inline constexpr std::int64_t kHoistedRows = 64;

template <class T>
void unroll(const Forward<T>& a) {
  const std::int64_t N = a.batch, I = a.input_size, H = a.hidden_size;
  const std::int64_t gates = 4 * H, state = N * H;
  if (a.steps == 0 || N == 0) {
    if (state > 0 && a.trace == nullptr) copy_or_zero(state, a.c, a.c_all);
    return;
  }
  const bool traced = a.trace != nullptr;
  const std::int64_t chunk = std::min(a.steps, kHoistedRows / N);  // 0: a step at a time is enough
  const bool hoisted = chunk > 1;

  const auto room = [](std::int64_t count) { return Scratch::padded(count * sizeof(T)); };
  const bool from_zero = a.h == nullptr || a.c == nullptr;
  const bool lays_out = onecell::lays_out(a.steps, N, I, H, sizeof(T));
  constexpr std::int64_t size = Lanes<T>::size;
  const std::int64_t blocks = (H + size - 1) / size;
  // Group by group, the rows of a group next to each other: rows of all gates would lie a power of
  // two apart, where few of them at a time have room in the nearest cache.
  const std::int64_t group = chunk * N * 4 * size, waiting = hoisted ? blocks * group : 0;
  const std::int64_t ih = lays_out ? blocks * laid_out_size<T>(I) : 0;
  const std::int64_t hh = lays_out ? blocks * laid_out_size<T>(H) : 0;
  const Laid h_laid = lays_out ? Laid::kApart : how_laid<T>(N, H, H);
  const bool h_beside = h_laid != Laid::kApart;
  const Laid x_laid = !h_beside || hoisted ? Laid::kApart : how_laid<T>(N, I, H);
  const bool x_beside = x_laid != Laid::kApart;
  const std::int64_t beside_h = h_beside ? beside_size<T>(N, H) : 0;
  const std::int64_t beside_x = x_beside ? beside_size<T>(N, I) : 0;
  Scratch scratch((from_zero ? room(state) : 0) + room(waiting) + room(ih) + room(hh) +
                  room(beside_h) + room(beside_x));
  T* const zeros = from_zero ? scratch.take<T>(state) : nullptr;
  T* const hoisted_products = waiting > 0 ? scratch.take<T>(waiting) : nullptr;
  T* const laid_out_ih = lays_out ? scratch.take<T>(ih) : nullptr;
  T* const laid_out_hh = lays_out ? scratch.take<T>(hh) : nullptr;
  T* const h_rows = h_beside ? scratch.take<T>(beside_h) : nullptr;
  T* const x_rows = x_beside ? scratch.take<T>(beside_x) : nullptr;
  if (from_zero) std::memset(zeros, 0, state * sizeof(T));

  const double step_ns = product_ns<T>(N, gates, hoisted ? H : I + H) + gates_ns<T>(N, H);
  Turn turn(step_ns, a.steps);
  // Few units and many rows are shared by rows.
  const bool by_rows = blocks < 2 * turn.members() && N > H;
  const std::int64_t grains = by_rows ? (N + 7) / 8 : blocks;
  const std::int64_t parts = parts_each(turn, grains, step_ns);
  const std::int64_t count = parts * turn.members();

  // Phases: the weights laid out, if they are; for every chunk of steps its input product, if
  // hoisted, and then the steps; each after one that lays rows beside each other, if that pays.
  auto body = [&](std::int64_t phase, std::int64_t part) {
    if (lays_out && phase-- == 0) {
      const Range mine = share(H, size, part, count);
      for (std::int64_t u = mine.first; u < mine.last; u += size) {
        const std::int64_t units = std::min(size, H - u), block = u / size;
        lay_out(I, H, units, 1, a.weight_ih + u * I, laid_out_ih + block * laid_out_size<T>(I));
        lay_out(H, H, units, N == 1 ? kTogether : 1, a.weight_hh + u * H,
                laid_out_hh + block * laid_out_size<T>(H));
      }
      return;
    }
    const bool lays_rows = h_beside && phase % 2 == 0;
    if (h_beside) phase /= 2;
    // Back and forth: what one step read last of weights larger than a cache, the next reads first.
    const bool backwards = phase % 2 == 1;
    if (backwards) part = part / parts * parts + (parts - 1 - part % parts);
    const Range units = by_rows ? Range{0, H} : share(H, size, part, count);
    const Range rows = by_rows ? share(N, 8, part, count) : Range{0, N};
    const std::int64_t ahead = hoisted ? phase % (chunk + 1) - 1 : 0;
    const std::int64_t t = hoisted ? phase / (chunk + 1) * chunk + ahead : phase;
    if (ahead < 0) {
      if (lays_rows) return;
      const std::int64_t from = t + 1, steps = std::min(chunk, a.steps - from);
      // By rows, the rows of all these steps are shared alike: nobody needs them before the end.
      const Range all = by_rows ? share(steps * N, 8, part, count) : Range{0, steps * N};
      for (std::int64_t u = units.first; u < units.last; u += size)
        products(all.last - all.first, false, Laid::kApart, I, H, u,
                 static_cast<int>(std::min(size, units.last - u)), a.x + (from * N + all.first) * I,
                 a.weight_ih, laid_out_ih,
                 hoisted_products + u / size * group + all.first * 4 * size, 4 * size);
      return;
    }
    const T* const x = a.x + t * N * I;
    const T* const h = t > 0 ? a.h_all + (t - 1) * state : a.h != nullptr ? a.h : zeros;
    if (lays_rows) {
      const Range mine = share(N, 1, part, count);
      lay_beside(h_laid, N, H, mine.first, mine.last, h, h_rows);
      if (x_beside) lay_beside(x_laid, N, I, mine.first, mine.last, x, x_rows);
      return;
    }
    T* const trace = traced ? a.trace + t * N * gates : nullptr;
    const T* const c = t == 0 ? a.c : traced ? a.c_all + (t - 1) * state : a.c_all;
    step_units<T>(
        {I, H, a.weight_ih, a.weight_hh, a.bias_ih, a.bias_hh, x_beside ? x_rows : x,
         hoisted ? hoisted_products + ahead * N * 4 * size : nullptr, group, h_beside ? h_rows : h,
         c != nullptr ? c : zeros, a.h_all + t * state, traced ? a.c_all + t * state : a.c_all,
         trace, laid_out_ih, laid_out_hh, x_laid, h_laid, N == 1},
        backwards, units.first, units.last, rows.first, rows.last);
  };
  const std::int64_t chunks = hoisted ? (a.steps + chunk - 1) / chunk : 0;
  perform(turn, (lays_out ? 1 : 0) + (chunks + a.steps) * (h_beside ? 2 : 1), parts, body);
}

}  // namespace onecell::ONECELL_ISA
