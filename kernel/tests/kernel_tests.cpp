// The kernel against its contract, without Python, so that sanitizers see only the kernel.
//
// The model below is cell.h in scalar code: the same order of additions, one element at a time. The
// kernel must give its bits, for every instruction set that this machine has.
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "checks.h"
#include "onecell/cell.h"

#define ONECELL_ISA tested
#include "../src/kernels.h"
#include "../src/soft_fma.h"
#include "../src/team.h"

namespace {

using Size = std::int64_t;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// An array that starts `offset` elements into an allocation of exactly its size, so that a
// sanitizer sees a step past either end and no alignment comes for free.
template <class T>
class Array {
 public:
  Array(Size count, Size offset) : store_(count + offset), offset_(offset) {}
  T* data() { return store_.data() + offset_; }
  const T* data() const { return store_.data() + offset_; }
  std::vector<T> values() const { return {store_.begin() + offset_, store_.end()}; }
  Size size() const { return static_cast<Size>(store_.size()) - offset_; }

 private:
  std::vector<T> store_;
  Size offset_;
};

struct Shape {
  Size steps, batch, input_size, hidden_size;
  bool bias;
  Size offset;

  std::string name() const {
    return "T" + std::to_string(steps) + " N" + std::to_string(batch) + " I" +
           std::to_string(input_size) + " H" + std::to_string(hidden_size) +
           (bias ? " bias" : " no bias") + " offset " + std::to_string(offset);
  }
};

template <class T>
struct Problem {
  Shape shape;
  Array<T> weight_ih, weight_hh, bias_ih, bias_hh, x, h, c;
  Array<T> grad_h_all, grad_h_last, grad_c_last;

  Problem(const Shape& s, unsigned seed)
      : shape(s),
        weight_ih(4 * s.hidden_size * s.input_size, s.offset),
        weight_hh(4 * s.hidden_size * s.hidden_size, s.offset),
        bias_ih(4 * s.hidden_size, s.offset),
        bias_hh(4 * s.hidden_size, s.offset),
        x(s.steps * s.batch * s.input_size, s.offset),
        h(s.batch * s.hidden_size, s.offset),
        c(s.batch * s.hidden_size, s.offset),
        grad_h_all(s.steps * s.batch * s.hidden_size, s.offset),
        grad_h_last(s.batch * s.hidden_size, s.offset),
        grad_c_last(s.batch * s.hidden_size, s.offset) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    for (Array<T>* a : {&weight_ih, &weight_hh, &bias_ih, &bias_hh, &x, &h, &c, &grad_h_all,
                        &grad_h_last, &grad_c_last})
      for (Size i = 0; i < a->size(); ++i) a->data()[i] = static_cast<T>(normal(random));
  }
};

template <class T>
struct Result {
  std::vector<T> h_all, c_all, trace, grad_x, grad_h, grad_c, grad_ih, grad_hh, grad_bias;

  bool same(const Result& o) const {
    return same_bits(h_all, o.h_all) && same_bits(c_all, o.c_all) && same_bits(trace, o.trace) &&
           same_bits(grad_x, o.grad_x) && same_bits(grad_h, o.grad_h) &&
           same_bits(grad_c, o.grad_c) && same_bits(grad_ih, o.grad_ih) &&
           same_bits(grad_hh, o.grad_hh) && same_bits(grad_bias, o.grad_bias);
  }
};

template <class T>
onecell::Forward<T> forward_of(const Problem<T>& p, T* h_all, T* c_all, T* trace) {
  const Shape& s = p.shape;
  return {s.steps,
          s.batch,
          s.input_size,
          s.hidden_size,
          p.weight_ih.data(),
          p.weight_hh.data(),
          s.bias ? p.bias_ih.data() : nullptr,
          s.bias ? p.bias_hh.data() : nullptr,
          p.x.data(),
          p.h.data(),
          p.c.data(),
          h_all,
          c_all,
          trace};
}

template <class T>
Result<T> run_kernel(const Problem<T>& p) {
  const Shape& s = p.shape;
  const Size state = s.batch * s.hidden_size, gates = 4 * s.hidden_size;
  Array<T> h_all(s.steps * state, s.offset), c_all(s.steps * state, s.offset);
  Array<T> trace(s.steps * s.batch * gates, s.offset);
  Array<T> grad_x(s.steps * s.batch * s.input_size, s.offset);
  Array<T> grad_h(state, s.offset), grad_c(state, s.offset);
  Array<T> grad_ih(gates * s.input_size, s.offset), grad_hh(gates * s.hidden_size, s.offset);
  Array<T> grad_bias(gates, s.offset);
  onecell::unroll(forward_of(p, h_all.data(), c_all.data(), trace.data()));
  onecell::backward(onecell::Backward<T>{s.steps,
                                         s.batch,
                                         s.input_size,
                                         s.hidden_size,
                                         p.weight_ih.data(),
                                         p.weight_hh.data(),
                                         p.x.data(),
                                         p.h.data(),
                                         p.c.data(),
                                         h_all.data(),
                                         c_all.data(),
                                         trace.data(),
                                         p.grad_h_all.data(),
                                         p.grad_h_last.data(),
                                         p.grad_c_last.data(),
                                         grad_x.data(),
                                         grad_h.data(),
                                         grad_c.data(),
                                         grad_ih.data(),
                                         grad_hh.data(),
                                         grad_bias.data()});
  return {h_all.values(),  c_all.values(),   trace.values(),   grad_x.values(),   grad_h.values(),
          grad_c.values(), grad_ih.values(), grad_hh.values(), grad_bias.values()};
}

// Rule 1 of cell.h.
template <class T>
T dot(Size count, const T* a, const T* b) {
  constexpr int lanes = 64 / sizeof(T);
  T sum[lanes] = {};
  for (Size k = 0; k < (count + lanes - 1) / lanes * lanes; ++k)
    sum[k % lanes] =
        k < count ? std::fma(a[k], b[k], sum[k % lanes]) : std::fma(T(0), T(0), sum[k % lanes]);
  for (int m = lanes / 2; m > 0; m /= 2)
    for (int i = 0; i < m; ++i) sum[i] += sum[i + m];
  return sum[0];
}

// Rules 3 and 4: a chain a block, blocks added in order. `term(p)` gives both factors.
template <class T, class F>
T blocks(Size count, F term) {
  T total = 0;
  for (Size from = 0; from < count; from += onecell::kBlock) {
    T chain = 0;
    for (Size p = from; p < std::min(count, from + onecell::kBlock); ++p) {
      const auto [a, b] = term(p);
      chain = std::fma(a, b, chain);
    }
    total = from == 0 ? chain : total + chain;
  }
  return total;
}

template <class T>
T one(void (*f)(Size, const T*, T*), T x) {
  T y;
  f(1, &x, &y);
  return y;
}

template <class T>
Result<T> run_model(const Problem<T>& p) {
  const Shape& s = p.shape;
  const Size N = s.batch, I = s.input_size, H = s.hidden_size, G = 4 * H;
  using Activation = void (*)(Size, const T*, T*);
  const Activation sigmoid = onecell::sigmoid, tanh = onecell::tanh;
  Result<T> r{std::vector<T>(s.steps * N * H),
              std::vector<T>(s.steps * N * H),
              std::vector<T>(s.steps * N * G),
              std::vector<T>(s.steps * N * I),
              std::vector<T>(N * H),
              std::vector<T>(N * H),
              std::vector<T>(G * I),
              std::vector<T>(G * H),
              std::vector<T>(G)};
  for (Size t = 0; t < s.steps; ++t) {
    const T* h = t > 0 ? r.h_all.data() + (t - 1) * N * H : p.h.data();
    const T* c = t > 0 ? r.c_all.data() + (t - 1) * N * H : p.c.data();
    for (Size n = 0; n < N; ++n) {
      T* gate = r.trace.data() + (t * N + n) * G;
      for (Size j = 0; j < G; ++j) {
        const T from_x = dot(I, p.x.data() + (t * N + n) * I, p.weight_ih.data() + j * I);
        const T from_h = dot(H, h + n * H, p.weight_hh.data() + j * H);
        const T z = s.bias ? (from_x + p.bias_ih.data()[j]) + (from_h + p.bias_hh.data()[j])
                           : from_x + from_h;
        gate[j] = one<T>(j / H == 2 ? tanh : sigmoid, z);
      }
      for (Size j = 0; j < H; ++j) {
        const T next = std::fma(gate[H + j], c[n * H + j], gate[j] * gate[2 * H + j]);
        r.c_all[(t * N + n) * H + j] = next;
        r.h_all[(t * N + n) * H + j] = gate[3 * H + j] * one<T>(tanh, next);
      }
    }
  }
  std::vector<T> dh = p.grad_h_last.values(), dc = p.grad_c_last.values(), dz(N * G);
  for (Size t = s.steps - 1; t >= 0; --t) {
    const T* h = t > 0 ? r.h_all.data() + (t - 1) * N * H : p.h.data();
    const T* c = t > 0 ? r.c_all.data() + (t - 1) * N * H : p.c.data();
    for (Size k = 0; k < N * H; ++k) {
      dh[k] += p.grad_h_all.data()[t * N * H + k];
      const Size n = k / H, j = k % H;
      const T* gate = r.trace.data() + (t * N + n) * G;
      const T i = gate[j], f = gate[H + j], g = gate[2 * H + j], o = gate[3 * H + j];
      const T tanh_c = one<T>(tanh, r.c_all[t * N * H + k]);
      dc[k] = std::fma(dh[k] * o, std::fma(-tanh_c, tanh_c, T(1)), dc[k]);
      dz[n * G + j] = (dc[k] * g) * std::fma(-i, i, i);
      dz[n * G + H + j] = (dc[k] * c[k]) * std::fma(-f, f, f);
      dz[n * G + 2 * H + j] = (dc[k] * i) * std::fma(-g, g, T(1));
      dz[n * G + 3 * H + j] = (dh[k] * tanh_c) * std::fma(-o, o, o);
      dc[k] = dc[k] * f;
    }
    struct Pair {
      T a, b;
    };
    const auto back = [&](const T* weight, Size width, Size n, Size j) {
      return blocks<T>(G, [&](Size q) { return Pair{dz[n * G + q], weight[q * width + j]}; });
    };
    const auto over_rows = [&](const T* rows, Size width, Size q, Size j) {
      return blocks<T>(N,
                       [&](Size n) { return Pair{dz[n * G + q], rows ? rows[n * width + j] : 1}; });
    };
    for (Size n = 0; n < N; ++n) {
      for (Size j = 0; j < I; ++j)
        r.grad_x[(t * N + n) * I + j] = back(p.weight_ih.data(), I, n, j);
      for (Size j = 0; j < H; ++j) dh[n * H + j] = back(p.weight_hh.data(), H, n, j);
    }
    const bool first = t == s.steps - 1;
    for (Size q = 0; q < G && N > 0; ++q) {
      for (Size j = 0; j < I; ++j) {
        const T sum = over_rows(p.x.data() + t * N * I, I, q, j);
        r.grad_ih[q * I + j] = first ? sum : r.grad_ih[q * I + j] + sum;
      }
      for (Size j = 0; j < H; ++j) {
        const T sum = over_rows(h, H, q, j);
        r.grad_hh[q * H + j] = first ? sum : r.grad_hh[q * H + j] + sum;
      }
      const T sum = over_rows(nullptr, 0, q, 0);
      r.grad_bias[q] = first ? sum : r.grad_bias[q] + sum;
    }
  }
  r.grad_h = dh;
  r.grad_c = dc;
  return r;
}

const std::vector<Shape> kShapes = {
    {1, 1, 1, 1, true, 0},     {1, 1, 10, 16, true, 3},  {1, 3, 10, 16, false, 1},
    {4, 5, 7, 9, true, 5},     {3, 2, 33, 31, true, 7},  {2, 4, 16, 32, false, 0},
    {2, 70, 3, 5, true, 11},   {1, 9, 65, 17, true, 13}, {3, 8, 20, 24, false, 15},
    {0, 3, 4, 5, true, 2},     {3, 0, 4, 5, true, 2},    {70, 1, 5, 6, true, 0},
    {50, 1, 9, 33, true, 1},   {13, 5, 21, 18, true, 3}, {9, 75, 6, 19, false, 2},
    {20, 1, 1, 21, true, 0},   {6, 5, 1, 18, false, 3},  {2, 30, 50, 33, true, 3},
    {1, 26, 41, 22, false, 5}, {3, 21, 17, 28, true, 1}, {1, 25, 100, 36, true, 2},
};

// More than 64 rows in a step, so that a sum has several blocks, is in kShapes (batch 70, G = 68).
template <class T>
void test_bits_of_the_model() {
  for (const Shape& shape : kShapes) {
    const Problem<T> problem(shape, 7);
    check(run_kernel(problem).same(run_model(problem)), "bits of the model, " + shape.name());
  }
}

// Products too small for a number: a sum of them is +0, not -0.
template <class T>
void test_what_vanishes() {
  for (const Size steps : {1, 20}) {
    Problem<T> problem({steps, 3, 1, 1, false, 0}, 7);
    for (Array<T>* array : {&problem.x, &problem.h})
      for (Size i = 0; i < array->size(); ++i) array->data()[i] *= std::numeric_limits<T>::min();
    for (Array<T>* array : {&problem.weight_ih, &problem.weight_hh})
      for (Size i = 0; i < array->size(); ++i) array->data()[i] *= std::numeric_limits<T>::min();
    check(run_kernel(problem).same(run_model(problem)), "what vanishes");
  }
  // The last columns are filled up to whole lanes, or to one register of those.
  for (const Size width : {197, 200, 203, 208}) {
    Problem<T> problem({1, 3, width, width, false, 0}, 7);
    const auto make = [](Array<T>& array, T size) {
      for (Size i = 0; i < array.size(); ++i) array.data()[i] = std::fabs(array.data()[i]) * size;
    };
    for (Array<T>* array : {&problem.x, &problem.h}) make(*array, std::numeric_limits<T>::min());
    for (Array<T>* array : {&problem.weight_ih, &problem.weight_hh})
      make(*array, -std::numeric_limits<T>::min());
    check(run_kernel(problem).same(run_model(problem)),
          "what vanishes, filled up from " + std::to_string(width));
  }
}

template <class T>
void test_isas_agree() {
  for (const Shape& shape : kShapes) {
    const Problem<T> problem(shape, 11);
    onecell::set_isa("portable");
    const Result<T> want = run_kernel(problem);
    for (const std::string& isa : onecell::available_isas()) {
      onecell::set_isa(isa);
      check(run_kernel(problem).same(want), "same bits as portable, " + shape.name());
    }
  }
}

template <class T>
void test_without_trace() {
  for (const Shape& shape : kShapes) {
    const Problem<T> p(shape, 5);
    const Result<T> want = run_kernel(p);
    const Size state = shape.batch * shape.hidden_size;
    std::vector<T> h_all(shape.steps * state), c_last(state);
    onecell::unroll(forward_of(p, h_all.data(), c_last.data(), static_cast<T*>(nullptr)));
    check(same_bits(h_all, want.h_all), "h without a trace, " + shape.name());
    const std::vector<T> last =
        shape.steps > 0 ? std::vector<T>(want.c_all.end() - state, want.c_all.end()) : p.c.values();
    check(same_bits(c_last, last), "the last c without a trace, " + shape.name());
  }
}

// Weights that come from afar, whose rows are taken together in other tiles for every number of
// rows; the last group of units is odd, or half of one. Each row is as alone, two steps are as one
// after the other.
template <class T>
void test_far_weights(Size spare, const std::vector<Size>& numbers) {
  const Size I = 2048 / sizeof(T) + 3, H = 2048 / sizeof(T) + spare;
  const Size most = numbers.back();
  const Problem<T> p({2, most, I, H, true, 1}, 13);
  const auto run = [&](Size steps, Size rows, const T* x, const T* h, const T* c) {
    std::vector<T> states((steps + 1) * rows * H);
    onecell::Forward<T> call =
        forward_of(p, states.data(), states.data() + steps * rows * H, static_cast<T*>(nullptr));
    call.steps = steps;
    call.batch = rows;
    call.x = x;
    call.h = h;
    call.c = c;
    onecell::unroll(call);
    return states;
  };
  std::vector<std::vector<T>> alone;
  for (Size n = 0; n < most; ++n)
    alone.push_back(run(1, 1, p.x.data() + n * I, p.h.data() + n * H, p.c.data() + n * H));
  for (const Size rows : numbers) {
    const std::vector<T> once = run(1, rows, p.x.data(), p.h.data(), p.c.data());
    bool same = true;
    for (Size n = 0; n < rows; ++n)
      for (const Size which : {0, 1})
        same = same && std::memcmp(once.data() + (which * rows + n) * H,
                                   alone[n].data() + which * H, H * sizeof(T)) == 0;
    check(same, "far weights, each of so many rows as alone: " + std::to_string(rows));
    const std::vector<T> twice = run(2, rows, p.x.data(), p.h.data(), p.c.data());
    const std::vector<T> then =
        run(1, rows, p.x.data() + rows * I, once.data(), once.data() + rows * H);
    check(std::memcmp(twice.data() + rows * H, then.data(), 2 * rows * H * sizeof(T)) == 0,
          "far weights, two steps of so many rows: " + std::to_string(rows));
  }
}

template <class T>
void test_one_step_over_its_own_state() {
  const Shape shape{1, 3, 5, 7, true, 1};
  const Problem<T> p(shape, 3);
  const Result<T> want = run_kernel(p);
  std::vector<T> h(21), c = p.c.values();
  onecell::Forward<T> call = forward_of(p, h.data(), c.data(), static_cast<T*>(nullptr));
  call.c = c.data();
  onecell::unroll(call);
  check(same_bits(c, want.c_all) && same_bits(h, want.h_all), "c' written over c");
}

template <class T>
void test_activations() {
  using L = std::numeric_limits<T>;
  const T inf = L::infinity(), tiny = L::denorm_min();
  check(one<T>(onecell::sigmoid, inf) == 1 && one<T>(onecell::sigmoid, -inf) == 0, "sigmoid(inf)");
  check(one<T>(onecell::tanh, inf) == 1 && one<T>(onecell::tanh, -inf) == -1, "tanh(inf)");
  check(std::isnan(one<T>(onecell::sigmoid, L::quiet_NaN())), "sigmoid(NaN)");
  check(std::isnan(one<T>(onecell::tanh, L::quiet_NaN())), "tanh(NaN)");
  check(one<T>(onecell::tanh, tiny) == tiny && one<T>(onecell::tanh, -tiny) == -tiny, "tanh(tiny)");
  check(std::signbit(one<T>(onecell::tanh, T(-0.0))), "tanh(-0)");
  check(one<T>(onecell::sigmoid, L::max()) == 1 && one<T>(onecell::tanh, L::max()) == 1, "max");
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-30, 7), sign(-1, 1);
  for (int k = 0; k < 20000; ++k) {
    const T x = static_cast<T>(std::copysign(std::exp2(exponent(random)), sign(random)));
    const long double e = std::exp(-static_cast<long double>(x));
    const long double wants[] = {1 / (1 + e), std::tanh(static_cast<long double>(x))};
    const T gots[] = {one<T>(onecell::sigmoid, x), one<T>(onecell::tanh, x)};
    for (int f = 0; f < 2; ++f) {
      const T near = std::abs(static_cast<T>(wants[f]));
      const long double ulp = std::max<long double>(near - std::nextafter(near, T(0)), tiny);
      if (std::abs(gots[f] - wants[f]) > 2 * ulp)
        check(false,
              (f ? "tanh within 2 ulp at " : "sigmoid within 2 ulp at ") + std::to_string(x));
    }
  }
  check(true, "activations within 2 ulp");
}

void test_soft_fma() {
  std::mt19937_64 random(2);
  const auto any = [&] {
    const std::uint32_t bits = static_cast<std::uint32_t>(random());
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
  };
  for (int k = 0; k < 2000000; ++k) {
    const float a = any(), b = any();
    // Half the time an addend close to the product, where a second rounding would show.
    const float c =
        k % 2 ? any() : -a * b * (1 + std::ldexp(1.0F, -static_cast<int>(random() % 26)));
    const float want = std::fma(a, b, c), got = onecell::tested::soft::fma(a, b, c);
    const bool same = std::isnan(want) ? std::isnan(got) : std::memcmp(&want, &got, 4) == 0;
    if (!same) check(false, "soft fma of " + std::to_string(a) + " " + std::to_string(b));
  }
  check(true, "soft fma");
}

void test_caller_modes_are_put_aside() {
  const Problem<float> p({3, 4, 10, 16, true, 0}, 9);
  Problem<float> small = p;
  for (Size i = 0; i < small.c.size(); ++i) small.c.data()[i] *= 1e-39F;  // subnormal
  const Result<float> want = run_kernel(small);
  Result<float> got;
  bool are_set;
  {
    const OddModes modes;
    got = run_kernel(small);
    are_set = modes.are_set();
  }
  check(got.same(want), "same bits under the caller's flush-to-zero and rounding");
  check(are_set, "the caller's modes are as they were");
}

void test_many_threads_at_once() {
  const Problem<float> p({5, 6, 40, 24, true, 1}, 4);
  const Result<float> want = run_kernel(p);
  std::vector<std::thread> threads;
  std::vector<int> same(4, 0);
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      for (int repeat = 0; repeat < 20; ++repeat) same[k] += run_kernel(p).same(want);
    });
  for (std::thread& thread : threads) thread.join();
  for (int count : same) check(count == 20, "several threads at once");
}

// Sizes that are shared by units, by rows, and with fewer units than threads.
const std::vector<Shape> kShared = {
    {9, 3, 20, 100, true, 1}, {5, 40, 20, 16, true, 0}, {30, 1, 20, 65, false, 3},
    {1, 9, 20, 96, true, 5},  {2, 120, 6, 24, true, 0},
};

template <class T>
void test_threads_agree() {
  for (const Shape& shape : kShared) {
    const Problem<T> problem(shape, 13);
    onecell::set_num_threads(1);
    const Result<T> want = run_kernel(problem);
    for (const int count : {2, 3, 8}) {
      onecell::set_num_threads(count);
      // Again and again: small calls get help only when they come in a row.
      onecell::set_together(count != 3);
      bool same = true;
      for (int repeat = 0; repeat < 2; ++repeat) same = run_kernel(problem).same(want) && same;
      onecell::set_together(false);
      check(same, std::to_string(count) + " threads, " + shape.name());
    }
  }
  onecell::set_num_threads(0);
}

void test_bad_thread_counts_are_refused() {
  const int before = onecell::num_threads();
  for (const int count : {-1, onecell::kMostThreads + 1}) {
    bool refused = false;
    try {
      onecell::set_num_threads(count);
    } catch (const std::invalid_argument& error) {
      refused = std::string(error.what()).find(std::to_string(count)) != std::string::npos;
    }
    check(refused && onecell::num_threads() == before, std::to_string(count) + " threads");
  }
}

void test_bad_isa_is_refused() {
  const std::string before = onecell::isa();
  bool refused = false;
  try {
    onecell::set_isa("abacus");
  } catch (const std::invalid_argument& error) {
    refused = std::string(error.what()).find("abacus") != std::string::npos;
  }
  check(refused && onecell::isa() == before, "an unknown instruction set");
}

}  // namespace

int main() {
  test_bad_isa_is_refused();
  test_bad_thread_counts_are_refused();
  test_soft_fma();
  test_isas_agree<float>();
  test_isas_agree<double>();
  for (const std::string& isa : onecell::available_isas()) {
    onecell::set_isa(isa);
    for (const bool lays_out : {false, true}) {
      onecell::set_lays_out(lays_out);
      test_bits_of_the_model<float>();
      test_bits_of_the_model<double>();
      test_what_vanishes<float>();
      test_what_vanishes<double>();
      test_without_trace<float>();
      test_without_trace<double>();
      test_threads_agree<float>();
      test_threads_agree<double>();
    }
    onecell::set_lays_out(std::nullopt);
    if (isa == "avx2") {  // of these two alone, tiles differ by it
      test_far_weights<float>(5, {2, 3, 4, 7});
      test_far_weights<double>(13, {2, 3, 4, 7});
      test_far_weights<float>(13, {5});
      test_far_weights<float>(512 + 8, {5, 6, 13});
      test_far_weights<double>(256 + 8, {5, 6, 13});
    }
    if (isa == "avx512") {
      test_far_weights<float>(5, {2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 32, 33});
      test_far_weights<double>(5, {2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 32, 33});
      test_far_weights<float>(8, {33, 75});
      test_far_weights<double>(8, {33, 75});
      test_far_weights<float>(512 + 8, {37, 38});
      test_far_weights<double>(256 + 8, {37, 38});
    }
    test_one_step_over_its_own_state<float>();
    test_one_step_over_its_own_state<double>();
    test_activations<float>();
    test_activations<double>();
    test_caller_modes_are_put_aside();
    for (const int count : {1, 3}) {
      onecell::set_num_threads(count);
      test_many_threads_at_once();
    }
    onecell::set_num_threads(0);
  }
  return conclude("kernel");
}
