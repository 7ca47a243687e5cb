// sigmoid and tanh over lanes, within 2 ulp everywhere, and the gate equations made of them.
//
// Both rest on exp(y): with k = round(y / ln 2) and r = y - k ln 2, exp(y) = 2^k (1 + u) where
// u = exp(r) - 1 = r + r^2 q(r); q comes from tools/expm1_coefficients.py. No argument overflows,
// results saturate to exactly 0 and 1, and NaN goes through. 1 + e and 1 - e are rounded once, and
// so is the quotient.
#pragma once

namespace onecell::ONECELL_ISA {

template <class T>
struct Exp;

template <>
struct Exp<float> {
  static constexpr float coefficients[] = {
      0.500000001F, 0.166666667F, 0.0416664649F, 0.00833331093F, 0.00139336500F, 0.000198909908F,
  };
  static constexpr float per_ln2 = 1.44269504F, ln2 = 0.693147182F, ln2_rest = -1.90465421e-9F;
  static constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float least = -104.0F, most = 60.0F;  // sigmoid is 0, is 1 beyond
  static constexpr float tanh_is_one = 80.0F;            // for twice its argument
  static constexpr float lower = -30.0F, unit = 0x1p-30F;
};

template <>
struct Exp<double> {
  static constexpr double coefficients[] = {
      0.50000000000000000,   0.16666666666666667,    0.041666666666666677,  0.0083333333333333340,
      0.0013888888888879074, 0.00019841269841263299, 2.4801587336442238e-5, 2.7557319247218731e-6,
      2.7557263279088497e-7, 2.5052071094293547e-8,  2.0918137737642736e-9, 1.6086627956780369e-10,
  };
  static constexpr double per_ln2 = 1.4426950408889634, ln2 = 0.69314718055994531,
                          ln2_rest = 2.3190468138462996e-17;
  static constexpr double to_integer = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double least = -746.0, most = 100.0, tanh_is_one = 600.0;
  static constexpr double lower = -600.0, unit = 0x1p-600;
};

// V, here and below, is Lanes<T> or several of them.
template <class V>
struct Split {
  V shifted;  // k + offset, as the low bits of a large number
  V t;        // 1 - exp(-s), negative where s is
};

// exp(-x) = 2^k (1 - t) with k = round(-x / ln 2) and s = x + k ln 2.
template <class T, class V>
ONECELL_INLINED inline Split<V> split_exp(const V& x, T offset) {
  const V shifted = V::fnma(x, V::broadcast(Exp<T>::per_ln2), V::broadcast(offset));
  const V k = shifted - V::broadcast(offset);
  const V near = V::fma(k, V::broadcast(Exp<T>::ln2), x);
  const V s = V::fma(k, V::broadcast(Exp<T>::ln2_rest), near), square = s * s;
  // Terms in pairs, side by side: half as long a chain.
  constexpr int count = sizeof(Exp<T>::coefficients) / sizeof(T);
  const auto pair = [&](int i) ONECELL_INLINED {
    return V::fnma(s, V::broadcast(Exp<T>::coefficients[i + 1]),
                   V::broadcast(Exp<T>::coefficients[i]));
  };
  V q = pair(count - 2);
  for (int i = count - 4; i >= 0; i -= 2) q = V::fma(q, square, pair(i));
  if constexpr (sizeof(T) == 4) return {shifted, V::fnma(square, q, s)};
  // From what `near` has exactly, not from s, which was rounded: tanh would be 2.1 ulp off.
  return {shifted, near + V::fnma(square, q, k * V::broadcast(Exp<T>::ln2_rest))};
}

// 1 / (1 + e) with e = exp(-x), both terms `unit` times as large, so that neither overflows where
// the result is subnormal.
template <class T, class V = Lanes<T>>
ONECELL_INLINED inline V sigmoid(const V& x) {
  const V unit = V::broadcast(Exp<T>::unit);
  const V inside =
      V::at_least(V::broadcast(Exp<T>::least), V::at_most(V::broadcast(Exp<T>::most), x));
  const Split<V> s = split_exp<T, V>(inside, Exp<T>::to_integer + Exp<T>::lower);
  const V scale = V::power_of_two(s.shifted);
  // 1 + 2^k, and what rounding lost of the 1.
  const V base = unit + scale, rest = unit - (base - scale);
  return unit / (base + V::fnma(scale, s.t, rest));
}

// (1 - e) / (1 + e) with e = exp(-2|x|), under the sign of x.
template <class T, class V = Lanes<T>>
ONECELL_INLINED inline V tanh(const V& x) {
  const V one = V::broadcast(T(1)), a = V::abs(x);
  const Split<V> s =
      split_exp<T, V>(V::at_most(V::broadcast(Exp<T>::tanh_is_one), a + a), Exp<T>::to_integer);
  const V scale = V::power_of_two(s.shifted);
  return V::copy_sign(V::fma(scale, s.t, one - scale) / V::fnma(scale, s.t, one + scale), x);
}

template <class T>
ONECELL_INLINED inline Lanes<T> load_some(const T* p, int n) {
  return n == Lanes<T>::size ? Lanes<T>::load(p) : Lanes<T>::load_part(p, n);
}

template <class T>
ONECELL_INLINED inline void store_some(const Lanes<T>& a, T* p, int n) {
  n == Lanes<T>::size ? a.store(p) : a.store_part(p, n);
}

// Bring a line of memory into the second nearest cache, or into the nearest. Any address will do.
// Inlined by force: a function that does nothing else is one without effects to GCC 12, which drops
// calls of it.
template <bool Nearest = false>
ONECELL_INLINED inline void fetch(const void* address) {
  __builtin_prefetch(address, 0, Nearest ? 3 : 2);
}

// Call f(first, count) for each group of at most L elements out of `width`.
template <class T, class F>
inline void each_group(std::int64_t width, F&& f) {
  constexpr int size = Lanes<T>::size;
  std::int64_t j = 0;
  for (; j + size <= width; j += size) f(j, size);
  if (j < width) f(j, static_cast<int>(width - j));
}

template <class T>
inline void copy_or_zero(std::int64_t count, const T* from, T* to) {
  if (count == 0) return;
  if (from != nullptr)
    std::memcpy(to, from, count * sizeof(T));
  else
    std::memset(to, 0, count * sizeof(T));
}

template <class T>
inline void add_into(std::int64_t count, const T* from, T* to) {
  each_group<T>(count, [=](std::int64_t j, int n) {
    store_some(load_some(to + j, n) + load_some(from + j, n), to + j, n);
  });
}

// Where the four gates' values of some hidden units lie: those of gate q at data + q * stride.
template <class T>
struct Gates {
  T* data;
  std::int64_t stride;

  Gates from(std::int64_t unit) const { return {data + unit, stride}; }
  T* operator[](int gate) const { return data + gate * stride; }
};

// Gates to be computed, item by item, each of some units of a row: from the two products to h' and
// c'. What belongs to an item lies so many elements after what belongs to the one before. `trace`,
// or null, takes i f g o. `c_next` may be `c`.
template <class T>
struct Open {
  Gates<const T> from_x, from_h, bias_ih, bias_hh;
  const T* c;
  T *h_next, *c_next;
  Gates<T> trace;
  std::int64_t x_step, h_step, bias_step, state_step, trace_step;
};

// Close the gates of items [first, first + Count), each of `n` units: an int, or a constant.
template <int Count, class T, class N>
inline void close_some(const Open<T>& a, std::int64_t first, N n) {
  using V = Several<T, Count>;
  const auto load = [&](const T* p, std::int64_t step) ONECELL_INLINED {
    return V::make([&](auto k) ONECELL_INLINED { return load_some(p + (first + k) * step, n); });
  };
  const auto store = [&](const V& v, T* p, std::int64_t step) ONECELL_INLINED {
    unrolled<Count>([&](auto k)
                        ONECELL_INLINED { store_some(v.each[k], p + (first + k) * step, n); });
  };
  const auto z = [&](int gate) ONECELL_INLINED {
    const V x = load(a.from_x[gate], a.x_step), h = load(a.from_h[gate], a.h_step);
    if (a.bias_ih.data == nullptr) return x + h;
    return (x + load(a.bias_ih[gate], a.bias_step)) + (h + load(a.bias_hh[gate], a.bias_step));
  };
  const V i = sigmoid<T>(z(0)), f = sigmoid<T>(z(1)), g = tanh<T>(z(2)), o = sigmoid<T>(z(3));
  const V next = V::fma(f, load(a.c, a.state_step), i * g);
  store(next, a.c_next, a.state_step);
  store(o * tanh<T>(next), a.h_next, a.state_step);
  if (a.trace.data == nullptr) return;
  store(i, a.trace[0], a.trace_step);
  store(f, a.trace[1], a.trace_step);
  store(g, a.trace[2], a.trace_step);
  store(o, a.trace[3], a.trace_step);
}

// Lanes that a gate of `units` <= L units takes: gates of few units share a register.
template <class T>
constexpr int slots(int units) {
  constexpr int size = Lanes<T>::size;
  return 2 * units > size ? size : 4 * units > size ? size / 2 : size / 4;
}

// Close the gates of `count` items of L units.
template <class T>
inline void close_whole(const Open<T>& a, std::int64_t count) {
  even_tiles<kGatesTogether>(count, [&](auto some, std::int64_t first) {
    close_some<some>(a, first, std::integral_constant<int, Lanes<T>::size>());
  });
}

// Close the gates of `count` rows of n units, those of several rows in a register.
template <class T>
void close_packed(const Open<T>& a, std::int64_t count, int n) {
  using L = Lanes<T>;
  constexpr int size = L::size, room = 4 * size;
  const int lanes = slots<T>(n), many = room / lanes;
  // What no row fills is computed too: let it be numbers.
  alignas(64) T from_x[4 * room] = {}, from_h[4 * room] = {}, trace[4 * room] = {};
  alignas(64) T bias_ih[4 * size] = {}, bias_hh[4 * size] = {}, c[room] = {}, h[room] = {};
  const auto copy = [n](const T* from, T* to)
                        ONECELL_INLINED { L::load_part(from, n).store_part(to, n); };
  const bool bias = a.bias_ih.data != nullptr, traced = a.trace.data != nullptr;
  if (bias)
    for (int q = 0; q < 4; ++q)
      for (int at = 0; at < size; at += lanes) {
        copy(a.bias_ih[q], bias_ih + q * size + at);
        copy(a.bias_hh[q], bias_hh + q * size + at);
      }
  const Open<T> packed = {{from_x, room},
                          {from_h, room},
                          {bias ? bias_ih : nullptr, size},
                          {bias ? bias_hh : nullptr, size},
                          c,
                          h,
                          c,
                          {traced ? trace : nullptr, room},
                          size,
                          size,
                          0,
                          size,
                          size};
  for (std::int64_t first = 0; first < count; first += many) {
    const int rows = static_cast<int>(std::min<std::int64_t>(many, count - first));
    for (int r = 0; r < rows; ++r) {
      const std::int64_t row = first + r, at = r * lanes;
      for (int q = 0; q < 4; ++q) {
        copy(a.from_x[q] + row * a.x_step, from_x + q * room + at);
        copy(a.from_h[q] + row * a.h_step, from_h + q * room + at);
      }
      copy(a.c + row * a.state_step, c + at);
    }
    close_whole(packed, (rows * lanes + size - 1) / size);
    for (int r = 0; r < rows; ++r) {
      const std::int64_t row = first + r, at = r * lanes;
      copy(h + at, a.h_next + row * a.state_step);
      copy(c + at, a.c_next + row * a.state_step);
      for (int q = 0; q < 4 && traced; ++q)
        copy(trace + q * room + at, a.trace[q] + row * a.trace_step);
    }
  }
}

// Rows from which on it pays to bring those of few units together. (Zen 5: 0.97 of the time, of 4
// rows 1.05.)
inline constexpr std::int64_t kPackedRows = 16;

// Close the gates of `count` items of n <= L units; if of fewer, of as many rows.
template <class T>
inline void close_gates(const Open<T>& a, std::int64_t count, int n) {
  if (n == Lanes<T>::size) return close_whole(a, count);
  if (count >= kPackedRows && slots<T>(n) < Lanes<T>::size) return close_packed(a, count, n);
  for (std::int64_t item = 0; item < count; ++item) close_some<1>(a, item, n);
}

// The gates of `units` units of a row, backwards: from the gradients of h' and c' to those of z and
// c. `grad_c` holds the gradient of c' on entry and that of c on return.
template <class T>
inline void open_gates(std::int64_t units, const Gates<const T>& trace, const T* c, const T* c_next,
                       const T* grad_h, T* grad_c, const Gates<T>& grad_z) {
  using V = Lanes<T>;
  const V one = V::broadcast(T(1));
  each_group<T>(units, [=](std::int64_t j, int n) {
    const auto gate = [&](int q) { return load_some(trace[q] + j, n); };
    const V i = gate(0), f = gate(1), g = gate(2), o = gate(3);
    const V tanh_c = tanh<T>(load_some(c_next + j, n)), dh = load_some(grad_h + j, n);
    // d tanh = 1 - tanh^2 and d sigmoid = s - s^2, each rounded once.
    const V dc = V::fma(dh * o, V::fnma(tanh_c, tanh_c, one), load_some(grad_c + j, n));
    store_some((dc * g) * V::fnma(i, i, i), grad_z[0] + j, n);
    store_some((dc * load_some(c + j, n)) * V::fnma(f, f, f), grad_z[1] + j, n);
    store_some((dc * i) * V::fnma(g, g, one), grad_z[2] + j, n);
    store_some((dh * tanh_c) * V::fnma(o, o, o), grad_z[3] + j, n);
    store_some(dc * f, grad_c + j, n);
  });
}

}  // namespace onecell::ONECELL_ISA
