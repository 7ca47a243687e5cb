// The same numbers on every machine: digests of results as x86 computed them.
//
// The other tests compare a machine with the scalar model that it computes itself. These constants
// say that another machine, or another compiler, came to the same bits. They change only where
// cell.h, frozen.h or the activations do; a failure prints what was found.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "checks.h"
#include "onecell/cell.h"
#include "onecell/frozen.h"

namespace {

using Size = std::int64_t;

// FNV-1a, 64 bits, over the values' bits from the lowest byte up.
class Digest {
 public:
  template <class T>
  Digest& add(const std::vector<T>& values) {
    for (const T& value : values) {
      unsigned char bytes[sizeof(T)];
      std::memcpy(bytes, &value, sizeof(T));
      for (const unsigned char byte : bytes) state_ = (state_ ^ byte) * 0x100000001B3U;
    }
    return *this;
  }

  void check_is(std::uint64_t golden, const std::string& what) const {
    if (state_ != golden)
      std::printf("%s: found 0x%016llX\n", what.c_str(), static_cast<unsigned long long>(state_));
    check(state_ == golden, "the golden bits of " + what);
  }

 private:
  std::uint64_t state_ = 0xCBF29CE484222325U;
};

// Numbers that no library draws: multiples of 2^-20 in [-limit, limit).
class Numbers {
 public:
  template <class T>
  std::vector<T> take(Size count, int limit = 1) {
    std::vector<T> values(count);
    for (T& value : values) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      value = static_cast<T>(limit * (static_cast<double>(state_ >> 43) * 0x1p-20 - 1));
    }
    return values;
  }

 private:
  std::uint64_t state_ = 1;
};

struct Shape {
  Size steps, batch, input_size, hidden_size;
};

// A stream, many rows with weights laid out, a gradient of several blocks of rows, parts of lanes.
const std::vector<Shape> kShapes = {
    {9, 1, 20, 40}, {12, 7, 37, 21}, {3, 70, 6, 18}, {1, 5, 130, 33}};

struct Golden {
  std::uint64_t activations, forward, backward;
};
constexpr Golden kFloat = {0x723E875AAD69CF66, 0x0A5E7AB2A9066B79, 0xBF413D9403766BBA};
constexpr Golden kDouble = {0xFF52BAC28067C682, 0xAE0BFDD649B1DD25, 0x6291D5799142C025};
constexpr std::uint64_t kFrozen[] = {0x90477932BDE6C78F, 0xC9CB0EE5C0B76B6B, 0xB713FA7872FF4CAF,
                                     0x25172B017EFB9AF2, 0xCFB4D0EA1D771BBE, 0xE106977C2AFC4D21};

template <class T>
void test_cell(const Golden& golden, const std::string& type) {
  Numbers numbers;
  Digest activations, forward, backward;
  for (const int limit : {1, 12, 110}) {
    const std::vector<T> x = numbers.take<T>(3001, limit);
    std::vector<T> y(x.size());
    onecell::sigmoid(static_cast<Size>(x.size()), x.data(), y.data());
    activations.add(y);
    onecell::tanh(static_cast<Size>(x.size()), x.data(), y.data());
    activations.add(y);
  }
  for (const Shape& s : kShapes) {
    const Size G = 4 * s.hidden_size, state = s.batch * s.hidden_size, rows = s.steps * s.batch;
    const auto weight_ih = numbers.take<T>(G * s.input_size);
    const auto weight_hh = numbers.take<T>(G * s.hidden_size);
    const auto bias_ih = numbers.take<T>(G), bias_hh = numbers.take<T>(G);
    const auto x = numbers.take<T>(rows * s.input_size);
    const auto h = numbers.take<T>(state), c = numbers.take<T>(state, 3);
    const auto grad_h_all = numbers.take<T>(s.steps * state), grad_c = numbers.take<T>(state);
    std::vector<T> h_all(s.steps * state), c_all(s.steps * state), trace(rows * G);
    onecell::unroll(onecell::Forward<T>{s.steps, s.batch, s.input_size, s.hidden_size,
                                        weight_ih.data(), weight_hh.data(), bias_ih.data(),
                                        bias_hh.data(), x.data(), h.data(), c.data(), h_all.data(),
                                        c_all.data(), trace.data()});
    forward.add(h_all).add(c_all).add(trace);
    std::vector<T> to_x(x.size()), to_h(state), to_c(state), to_ih(weight_ih.size());
    std::vector<T> to_hh(weight_hh.size()), to_bias(G);
    onecell::backward(onecell::Backward<T>{
        s.steps,          s.batch,      s.input_size,      s.hidden_size, weight_ih.data(),
        weight_hh.data(), x.data(),     h.data(),          c.data(),      h_all.data(),
        c_all.data(),     trace.data(), grad_h_all.data(), nullptr,       grad_c.data(),
        to_x.data(),      to_h.data(),  to_c.data(),       to_ih.data(),  to_hh.data(),
        to_bias.data()});
    backward.add(to_x).add(to_h).add(to_c).add(to_ih).add(to_hh).add(to_bias);
  }
  activations.check_is(golden.activations, type + " activations");
  forward.check_is(golden.forward, type + " forward");
  backward.check_is(golden.backward, type + " backward");
}

void test_frozen() {
  constexpr const char* kNames[] = {"float32", "bfloat16",  "float16",
                                    "int8",    "int8_int8", "bfloat16_bfloat16"};
  for (int storage = 0; storage < 6; ++storage) {
    Numbers numbers;
    Digest forward;
    for (const Shape& s : kShapes) {
      const Size G = 4 * s.hidden_size, state = s.batch * s.hidden_size;
      const auto weight_ih = numbers.take<float>(G * s.input_size);
      const auto weight_hh = numbers.take<float>(G * s.hidden_size);
      const auto bias_ih = numbers.take<float>(G), bias_hh = numbers.take<float>(G);
      const onecell::FrozenWeights weights(static_cast<onecell::Storage>(storage), s.input_size,
                                           s.hidden_size, weight_ih.data(), weight_hh.data(),
                                           bias_ih.data(), bias_hh.data());
      const auto x = numbers.take<float>(s.steps * s.batch * s.input_size);
      const auto h = numbers.take<float>(state), c = numbers.take<float>(state, 3);
      std::vector<float> h_all(s.steps * state), c_last(state);
      onecell::unroll(onecell::FrozenForward{&weights, s.steps, s.batch, x.data(), h.data(),
                                             c.data(), h_all.data(), c_last.data()});
      forward.add(h_all).add(c_last);
    }
    forward.check_is(kFrozen[storage], std::string("a cell frozen as ") + kNames[storage]);
  }
}

}  // namespace

int main() {
  for (const std::string& isa : onecell::available_isas()) {
    onecell::set_isa(isa);
    test_cell<float>(kFloat, "float");
    test_cell<double>(kDouble, "double");
    test_frozen();
  }
  return conclude("golden");
}
