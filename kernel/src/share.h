// How the work of a phase is cut into parts: by hidden units, or by rows where units are few.
#pragma once

namespace onecell::ONECELL_ISA {

struct Range {
  std::int64_t first, last;
};

// Part `index` of `count` of [0, total), cut at multiples of `grain`.
inline Range share(std::int64_t total, std::int64_t grain, std::int64_t index, std::int64_t count) {
  const std::int64_t grains = (total + grain - 1) / grain;
  return {std::min(total, index * grains / count * grain),
          std::min(total, (index + 1) * grains / count * grain)};
}

// The size of the largest part.
inline std::int64_t share_size(std::int64_t total, std::int64_t grain, std::int64_t count) {
  const std::int64_t grains = (total + grain - 1) / grain;
  return std::min(total, (grains + count - 1) / count * grain);
}

// Nanoseconds that one thread takes for `rows` rows of `outputs` dot products over `width`: bound
// by arithmetic for many rows, by fetching weights for few.
template <class T>
double product_ns(std::int64_t rows, std::int64_t outputs, std::int64_t width) {
  const double weights = static_cast<double>(outputs) * static_cast<double>(width);
  return weights * sizeof(T) * (static_cast<double>(rows) / 320 + 1.0 / 100);
}

// Nanoseconds that the activations of `units` hidden units of `rows` rows take.
template <class T>
double gates_ns(std::int64_t rows, std::int64_t units) {
  return static_cast<double>(rows) * static_cast<double>(units) * sizeof(T) * 0.5;
}

// The parts of each member's slice: enough for others to help, each long enough to be worth taking,
// and in a long phase so short that nobody falls asleep in wait for the last.
inline std::int64_t parts_each(const Turn& turn, std::int64_t grains, double phase_ns) {
  if (turn.members() == 1) return 1;
  const double slice = phase_ns / turn.members();
  const double wanted = std::max(std::min(slice / 4000, 8.0), std::min(slice / 20000, 16.0));
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(wanted), 1,
                                  std::max<std::int64_t>(1, grains / turn.members()));
}

// Run `body(phase, part)` for all parts of all phases.
template <class F>
void perform(Turn& turn, std::int64_t phases, std::int64_t parts, F& body) {
  if (turn.members() == 1) {
    const FloatEnvironment environment;
    for (std::int64_t phase = 0; phase < phases; ++phase)
      for (std::int64_t part = 0; part < parts; ++part) body(phase, part);
    return;
  }
  const auto run = [](void* context, std::int64_t phase, std::int64_t part) {
    const FloatEnvironment environment;
    (*static_cast<F*>(context))(phase, part);
  };
  turn.perform({run, &body, phases, parts});
}

}  // namespace onecell::ONECELL_ISA
