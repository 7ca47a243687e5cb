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
  const T* x;                 // (N, I), or null where `from_x` holds its product
  const T* from_x;            // x . weight_ih, or null: of group b and row n from
  std::int64_t from_x_group;  // from_x + b * from_x_group + n * 4 L on, gate after gate
  const T* h;                 // (N, H)
  const T* c;                 // (N, H)
  T* h_next;                  // (N, H)
  T* c_next;                  // (N, H)
  T* trace;                   // (N, G), or null
  const T* laid_out_ih;       // all groups of units of weight_ih as `lay_out` leaves them, or null
  const T* laid_out_hh;
  Laid x_laid;  // whether x is as `lay_beside` leaves it
  Laid h_laid;
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

// The tree of rule 1 over partial sums 0 to Width - 1, each of which is one product: the sum of
// those that are `index` modulo `step`. A sum that is not there would be +0.
template <int Width, int Step, int Index, class T>
ONECELL_INLINED inline Lanes<T> narrow_sum(const T* x, const Lanes<T> (&w)[Lanes<T>::size]) {
  using L = Lanes<T>;
  if constexpr (Step == L::size) {
    return L::fma(L::factor(x[Index]), w[Index], L::zero());
  } else {
    const L sum = narrow_sum<Width, 2 * Step, Index>(x, w);
    if constexpr (Index + Step < Width)
      return sum + narrow_sum<Width, 2 * Step, Index + Step>(x, w);
    else
      return sum;
  }
}

// `products` of at most Width <= L numbers a row, by weights turned around, so that no register
// has to be folded. (Zen 5, 10 numbers, 64 rows: a third of the time.)
template <int Width, class T>
void narrow(std::int64_t rows, std::int64_t width, std::int64_t hidden, std::int64_t u, int units,
            const T* x, const T* weight, T* out, std::int64_t row_stride,
            std::int64_t gate_stride) {
  using L = Lanes<T>;
  const int some = static_cast<int>(width);
  alignas(64) T filled[kStepRows * Width];
  for (std::int64_t begin = 0; begin < rows; begin += kStepRows) {
    const std::int64_t count = std::min(kStepRows, rows - begin);
    for (std::int64_t n = 0; n < count; ++n)
      store_some(L::load_part(x + (begin + n) * width, some), filled + n * Width, Width);
    for (int gate = 0; gate < 4; ++gate) {
      const T* const from = weight + (gate * hidden + u) * width;
      L w[L::size];
      unrolled<L::size>([&](auto unit) ONECELL_INLINED {
        w[unit] = unit < units ? L::load_part(from + unit * width, some) : L::zero();
      });
      L::transpose(w);
      T* to = out + begin * row_stride + gate * gate_stride;
      for (std::int64_t n = 0; n < count; ++n, to += row_stride) {
        const L sum = narrow_sum<Width, 1, 0>(filled + n * Width, w);
        store_some(Width < L::size ? sum + L::zero() : sum, to, units);
      }
    }
  }
}

// Bytes of the widest rows whose weights are laid out for one call.
inline constexpr std::int64_t kShortWidth = 512;

// Whether `by_short_chains` is a gain: the fewer columns, the fewer rows pay for laying out, and
// from some width on folding costs less than loads do, unless a good part of the last registers
// would be empty. (Zen 5, 64 rows: at a width of 32 0.79 of the time, 33 0.67, 64 0.88, 96 0.98,
// 100 0.87, 128 1.03; 16 rows: 32 0.89, 33 0.79, 64 1.07, 100 1.05; 8 rows: 1.04 at 32.)
template <class T>
bool are_short(std::int64_t rows, std::int64_t width) {
  const std::int64_t bytes = width * static_cast<std::int64_t>(sizeof(T));
  return rows >= (bytes <= 192 ? 12 : 24) && bytes <= (bytes % 64 == 0 ? 384 : kShortWidth);
}

// `products` of rows of few columns by weights laid out for this once. Gates have slots(units)
// lanes, side by side.
template <class T>
void by_short_chains(std::int64_t rows, std::int64_t width, std::int64_t hidden, std::int64_t u,
                     int units, const T* x, const T* weight, T* out, std::int64_t row_stride) {
  constexpr int size = Lanes<T>::size;
  alignas(64) T panel[laid_out_size<T>(kShortWidth / sizeof(T))];
  const int lanes = slots<T>(units);
  const auto run = [&](auto vectors) {
    constexpr int V = std::min<int>(vectors, kShortVectors);
    lay_out<V>(width, hidden, units, 1, weight + u * width, panel, lanes);
    for (int v = 0; v < vectors; v += V)
      short_chains<V>(rows, width, x, panel + v * size * width, out + v * size, row_stride);
  };
  using std::integral_constant;
  return lanes == size       ? run(integral_constant<int, 4>())
         : lanes == size / 2 ? run(integral_constant<int, 2>())
                             : run(integral_constant<int, 1>());
}

// The products of x (rows, width) and the gates of `units` <= L units from unit u on: that of row n
// and gate q goes to out + n * row_stride + q * slots(units). See `chain_product` for `single`, and
// beside.h for how x is `laid`.
template <class T>
void products(std::int64_t rows, bool single, Laid laid, std::int64_t width, std::int64_t hidden,
              std::int64_t u, int units, const T* x, const T* weight, const T* laid_out, T* out,
              std::int64_t row_stride) {
  const std::int64_t gate_stride = slots<T>(units);
  if (width == 1) return scaled(rows, hidden, u, units, x, weight, out, row_stride, gate_stride);
  if (width <= Lanes<T>::size && rows >= kNarrowRows) {
    constexpr int whole = Lanes<T>::size, half = whole / 2;
    const auto run = [&](auto most) {
      narrow<most>(rows, width, hidden, u, units, x, weight, out, row_stride, gate_stride);
    };
    return width <= half ? run(std::integral_constant<int, half>())
                         : run(std::integral_constant<int, whole>());
  }
  if (laid_out != nullptr)
    return chain_product(rows, single, width, x,
                         laid_out + u / Lanes<T>::size * laid_out_size<T>(width), units, out,
                         row_stride, gate_stride);
  if constexpr (kDotOverlaps)
    if (laid == Laid::kTall)
      return tall_product(rows, width, hidden, units, x, weight + u * width, out, row_stride,
                          gate_stride);
  if constexpr (kDotOverlaps || kDotByHalves)
    if (laid == Laid::kAlong)
      return along_product(rows, width, hidden, units, x, weight + u * width, out, row_stride,
                           gate_stride);
  if constexpr (kShortRows > 0)
    if (are_short<T>(rows, width))
      return by_short_chains(rows, width, hidden, u, units, x, weight, out, row_stride);
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
  const auto from_row = [&](const T* x, Laid laid, std::int64_t columns) {
    return x + (laid == Laid::kApart ? row * columns : beside_size<T>(row, columns));
  };
  std::int64_t passes = (end - row + kStepRows - 1) / kStepRows;
  for (std::int64_t rows; passes > 0; --passes, row += rows) {
    rows = (end - row + passes - 1) / passes;
    if (s.h_laid == Laid::kAlong) rows = std::min(end - row, (rows + kAlong - 1) / kAlong * kAlong);
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
          products(rows, false, s.x_laid, I, H, u, units, from_row(s.x, s.x_laid, I), s.weight_ih,
                   s.laid_out_ih, from_x + at, width);
        products(rows, s.single, s.h_laid, H, H, u, units, from_row(s.h, s.h_laid, H), s.weight_hh,
                 s.laid_out_hh, from_h + at, width);
      });
      // The gates of `count` items from unit u on, whose products are from `at` on: rows of a
      // group, or groups of a row.
      const auto close = [&](std::int64_t u, std::int64_t at, int units, std::int64_t count,
                             std::int64_t from_x_step, std::int64_t bias_step,
                             std::int64_t state_step, std::int64_t trace_step) {
        const bool bias = s.bias_ih != nullptr, hoisted = s.from_x != nullptr;
        const std::int64_t state = row * H + u, gates = row * 4 * H + u;
        const std::int64_t apart = slots<T>(units);
        close_gates<T>(
            {{hoisted ? s.from_x + u / size * s.from_x_group + row * width : from_x + at, apart},
             {from_h + at, apart},
             {bias ? s.bias_ih + u : nullptr, H},
             {bias ? s.bias_hh + u : nullptr, H},
             s.c + state,
             s.h_next + state,
             s.c_next + state,
             {s.trace != nullptr ? s.trace + gates : nullptr, H},
             hoisted ? from_x_step : width,
             width,
             bias_step,
             state_step,
             trace_step},
            count, units);
      };
      std::int64_t whole = 0, begin = 0, begin_at = 0;  // groups of a row that wait
      const std::int64_t turn = backwards ? -size : size;
      each_block([&](std::int64_t u, int units, std::int64_t at) {
        if (rows > 1 || units < size) return close(u, at, units, rows, width, 0, H, 4 * H);
        if (whole++ == 0) begin = u, begin_at = at;
      });
      const std::int64_t group = backwards ? -s.from_x_group : s.from_x_group;
      if (whole > 0) close(begin, begin_at, size, whole, group, turn, turn, turn);
    }
  }
}

}  // namespace onecell::ONECELL_ISA
