// One step forward, for some of the hidden units of some of the rows.
#pragma once

namespace onecell::ONECELL_ISA {

template <class T>
struct Step {
  std::int64_t input_size, hidden_size;
  const T* weight_ih;
  const T* weight_hh;
  const T* bias_ih;
  const T* bias_hh;
  const T* x;            // (N, I), or null where `from_x` holds its product
  const T* from_x;       // (N, G): x . weight_ih, or null
  const T* h;            // (N, H)
  const T* c;            // (N, H)
  T* h_next;             // (N, H)
  T* c_next;             // (N, H)
  T* trace;              // (N, G), or null; may be `from_x`
  const T* laid_out_ih;  // all groups of units of weight_ih as `lay_out` leaves them, or null
  const T* laid_out_hh;
  bool single;  // whether laid_out_hh is for one row
};

// Rows of a group of units whose products wait together for their gates.
inline constexpr std::int64_t kStepRows = 72;

// `products` of a single number a row: of its partial sums all but one are +0, and to add those to
// it is to add +0 once.
template <class T>
void scaled(std::int64_t rows, std::int64_t hidden, std::int64_t u, int units, const T* x,
            const T* weight, T* out, std::int64_t row_stride, std::int64_t gate_stride) {
  using L = Lanes<T>;
  for (int gate = 0; gate < 4; ++gate) {
    const L w = load_some(weight + gate * hidden + u, units);
    T* to = out + gate * gate_stride;
    for (std::int64_t n = 0; n < rows; ++n, to += row_stride)
      store_some(L::fma(L::factor(x[n]), w, L::zero()) + L::zero(), to, units);
  }
}

// The products of x (rows, width) and the gates of `units` <= L units from unit u on: that of row n
// and gate q goes to out + n * row_stride + q * gate_stride. See `chain_product` for `single`.
template <class T>
void products(std::int64_t rows, bool single, std::int64_t width, std::int64_t hidden,
              std::int64_t u, int units, const T* x, const T* weight, const T* laid_out, T* out,
              std::int64_t row_stride, std::int64_t gate_stride) {
  if (width == 1) return scaled(rows, hidden, u, units, x, weight, out, row_stride, gate_stride);
  if (laid_out != nullptr)
    return chain_product(rows, single, width, x,
                         laid_out + u / Lanes<T>::size * laid_out_size<T>(width), units, out,
                         row_stride, gate_stride);
  for (int gate = 0; gate < 4; ++gate) {
    const T* const w = weight + (gate * hidden + u) * width;
    const T* const ahead = gate < 3 ? w + hidden * width : w + (units - 3 * hidden) * width;
    dot_product(rows, width, units, x, w, ahead, out + gate * gate_stride, row_stride);
  }
}

// Compute units [first, last) of rows [row, end), from the last on if `backwards`.
template <class T>
void step_units(const Step<T>& s, bool backwards, std::int64_t first, std::int64_t last,
                std::int64_t row, std::int64_t end) {
  constexpr std::int64_t size = Lanes<T>::size, width = 4 * size;
  alignas(64) T from_x[kStepRows * width];
  alignas(64) T from_h[kStepRows * width];
  const std::int64_t I = s.input_size, H = s.hidden_size;
  std::int64_t passes = (end - row + kStepRows - 1) / kStepRows;
  for (std::int64_t rows; passes > 0; --passes, row += rows) {
    rows = (end - row + passes - 1) / passes;
    // As many groups of L units as there is room for: gates after gates overlap, where a gate after
    // a product would keep the machine waiting.
    const std::int64_t blocks = (last - first + size - 1) / size, many = kStepRows / rows;
    for (std::int64_t from = 0; from < blocks; from += many) {
      const std::int64_t to = std::min(blocks, from + many);
      const auto each_block = [&](const auto& f) {
        for (std::int64_t b = from; b < to; ++b) {
          const std::int64_t u = first + (backwards ? blocks - 1 - b : b) * size;
          f(u, static_cast<int>(std::min(size, last - u)), (b - from) * rows * width);
        }
      };
      each_block([&](std::int64_t u, int units, std::int64_t at) {
        if (s.from_x == nullptr)
          products(rows, false, I, H, u, units, s.x + row * I, s.weight_ih, s.laid_out_ih,
                   from_x + at, width, size);
        products(rows, s.single, H, H, u, units, s.h + row * H, s.weight_hh, s.laid_out_hh,
                 from_h + at, width, size);
      });
      // The gates of `count` items from unit u on, whose products are from `at` on: rows of a
      // group, or groups of a row.
      const auto close = [&](std::int64_t u, std::int64_t at, int units, std::int64_t count,
                             std::int64_t gates_step, std::int64_t bias_step,
                             std::int64_t state_step) {
        const bool bias = s.bias_ih != nullptr, hoisted = s.from_x != nullptr;
        const std::int64_t state = row * H + u, gates = row * 4 * H + u;
        close_gates<T>(
            {hoisted ? Gates<const T>{s.from_x + gates, H} : Gates<const T>{from_x + at, size},
             {from_h + at, size},
             {bias ? s.bias_ih + u : nullptr, H},
             {bias ? s.bias_hh + u : nullptr, H},
             s.c + state,
             s.h_next + state,
             s.c_next + state,
             {s.trace != nullptr ? s.trace + gates : nullptr, H},
             hoisted ? gates_step : width,
             width,
             bias_step,
             state_step,
             gates_step},
            count, units);
      };
      std::int64_t whole = 0, begin = 0, begin_at = 0;  // groups of a row that wait
      const std::int64_t turn = backwards ? -size : size;
      each_block([&](std::int64_t u, int units, std::int64_t at) {
        if (rows > 1 || units < size) return close(u, at, units, rows, 4 * H, 0, H);
        if (whole++ == 0) begin = u, begin_at = at;
      });
      if (whole > 0) close(begin, begin_at, size, whole, turn, turn, turn);
    }
  }
}

}  // namespace onecell::ONECELL_ISA
