// Steps whose weights' gradients are gathered later have the bits of the sequence's own way back.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "../src/team.h"
#include "checks.h"
#include "onecell/apart.h"

namespace {

using Size = std::int64_t;

struct Shape {
  Size steps, batch, input_size, hidden_size;
};

// Blocks of more than 64 rows, sizes that fill no vector, and work that several threads share.
const std::vector<Shape> kShapes = {{1, 1, 1, 1},   {5, 3, 10, 16},   {4, 5, 7, 9},
                                    {3, 70, 5, 33}, {6, 16, 40, 100}, {2, 130, 21, 18}};

template <class T>
class Sequence {
 public:
  explicit Sequence(const Shape& shape) : s_(shape), state_(s_.batch * s_.hidden_size) {
    const Size gates = 4 * s_.hidden_size;
    weight_ih_ = random(gates * s_.input_size);
    weight_hh_ = random(gates * s_.hidden_size);
    x_ = random(s_.steps * s_.batch * s_.input_size);
    h_ = random(state_);
    c_ = random(state_);
    grad_h_all_ = random(s_.steps * state_);
    grad_c_last_ = random(state_);
    h_all_.resize(s_.steps * state_);
    c_all_.resize(s_.steps * state_);
    trace_.resize(s_.steps * s_.batch * gates);
    onecell::unroll(onecell::Forward<T>{s_.steps, s_.batch, s_.input_size, s_.hidden_size,
                                        weight_ih_.data(), weight_hh_.data(), nullptr, nullptr,
                                        x_.data(), h_.data(), c_.data(), h_all_.data(),
                                        c_all_.data(), trace_.data()});
  }

  // grad_x, grad_h, grad_c and those of weights and bias, by the sequence's own way back.
  std::vector<std::vector<T>> whole() const {
    auto out = room();
    onecell::backward(onecell::Backward<T>{
        s_.steps,          s_.batch,      s_.input_size,      s_.hidden_size, weight_ih_.data(),
        weight_hh_.data(), x_.data(),     h_.data(),          c_.data(),      h_all_.data(),
        c_all_.data(),     trace_.data(), grad_h_all_.data(), nullptr,        grad_c_last_.data(),
        out[0].data(),     out[1].data(), out[2].data(),      out[3].data(),  out[4].data(),
        out[5].data()});
    return out;
  }

  // The same step by step, `together` steps gathered at once.
  std::vector<std::vector<T>> apart(Size together) const {
    const Size inputs = s_.batch * s_.input_size, gates = 4 * state_;
    auto out = room();
    std::vector<T> grad_h(grad_h_all_.end() - state_, grad_h_all_.end()), grad_c = grad_c_last_;
    std::vector<T> grad_z(s_.steps * gates);
    for (Size t = s_.steps - 1; t >= 0; --t) {
      const T* const c = t > 0 ? c_all_.data() + (t - 1) * state_ : c_.data();
      onecell::backward(onecell::StepBack<T>{
          s_.batch, s_.input_size, s_.hidden_size, weight_ih_.data(), weight_hh_.data(), c,
          trace_.data() + t * gates, grad_h.data(), grad_c.data(), grad_z.data() + t * gates,
          out[0].data() + t * inputs, out[1].data(), out[2].data()});
      for (Size j = 0; j < state_ && t > 0; ++j)
        grad_h[j] = out[1][j] + grad_h_all_[(t - 1) * state_ + j];
      grad_c = out[2];
    }
    for (Size high = s_.steps; high > 0;) {
      const Size low = std::max<Size>(0, high - together);
      std::vector<const T*> x, h;
      for (Size t = low; t < high; ++t) {
        x.push_back(x_.data() + t * inputs);
        h.push_back(t > 0 ? h_all_.data() + (t - 1) * state_ : h_.data());
      }
      onecell::gather(onecell::GatheredSteps<T>{
          high - low, s_.batch, s_.input_size, s_.hidden_size, grad_z.data() + low * gates,
          x.data(), h.data(), high < s_.steps, out[3].data(), out[4].data(), out[5].data()});
      high = low;
    }
    return out;
  }

  // No gradient by h' is one of zeros, and what is not wanted changes nothing else.
  bool absent_is_zero() const {
    const std::vector<T> zeros(state_);
    std::vector<T> z[2], grad_c(state_), grad_x(s_.batch * s_.input_size), grad_h(state_);
    for (int k = 0; k < 2; ++k) {
      z[k].resize(4 * state_);
      onecell::backward(onecell::StepBack<T>{
          s_.batch, s_.input_size, s_.hidden_size, weight_ih_.data(), weight_hh_.data(), c_.data(),
          trace_.data(), k == 0 ? nullptr : zeros.data(), grad_c_last_.data(), z[k].data(),
          k == 0 ? nullptr : grad_x.data(), k == 0 ? nullptr : grad_h.data(),
          k == 0 ? nullptr : grad_c.data()});
    }
    return std::memcmp(z[0].data(), z[1].data(), z[0].size() * sizeof(T)) == 0;
  }

 private:
  std::vector<T> random(Size count) {
    std::normal_distribution<double> normal;
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(normal(generator_));
    return values;
  }

  std::vector<std::vector<T>> room() const {
    const Size gates = 4 * s_.hidden_size;
    std::vector<std::vector<T>> out;
    for (const Size count : {s_.steps * s_.batch * s_.input_size, state_, state_,
                             gates * s_.input_size, gates * s_.hidden_size, gates})
      out.emplace_back(count, T(7));
    return out;
  }

  Shape s_;
  Size state_;
  std::mt19937_64 generator_{5};
  std::vector<T> weight_ih_, weight_hh_, x_, h_, c_, grad_h_all_, grad_c_last_;
  std::vector<T> h_all_, c_all_, trace_;
};

template <class T>
bool same(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  for (std::size_t k = 0; k < a.size(); ++k)
    if (std::memcmp(a[k].data(), b[k].data(), a[k].size() * sizeof(T)) != 0) return false;
  return true;
}

template <class T>
void test_bits_of_the_whole() {
  for (const Shape& shape : kShapes) {
    const Sequence<T> sequence(shape);
    const auto want = sequence.whole();
    for (const Size together : {1, 2, 8})
      check(same(sequence.apart(together), want),
            std::to_string(together) + " steps together, H " + std::to_string(shape.hidden_size));
    check(sequence.absent_is_zero(), "no gradient by h', H " + std::to_string(shape.hidden_size));
  }
}

}  // namespace

int main() {
  onecell::set_together(true);
  for (const std::string& isa : onecell::available_isas()) {
    onecell::set_isa(isa);
    for (const int threads : {1, 3}) {
      onecell::set_num_threads(threads);
      test_bits_of_the_whole<float>();
      test_bits_of_the_whole<double>();
    }
  }
  return conclude("apart");
}
