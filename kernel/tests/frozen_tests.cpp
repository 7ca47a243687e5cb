// Frozen cells against their contract, without Python: for every storage and instruction set, the
// bits of the scalar model below, which is cell.h and frozen.h one element at a time.
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "checks.h"
#include "onecell/cell.h"
#include "onecell/frozen.h"

namespace {

std::atomic<long> allocations{0};

}  // namespace

// Every allocation of this program, the kernel's among them, is counted. Not inlined: GCC would
// take the C library's functions inside for a mismatch.
#define ONECELL_APART __attribute__((noinline))
ONECELL_APART void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
ONECELL_APART void* operator new(std::size_t bytes, std::align_val_t alignment) {
  ++allocations;
  const std::size_t unit = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}
ONECELL_APART void operator delete(void* memory) noexcept { std::free(memory); }
ONECELL_APART void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
ONECELL_APART void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
ONECELL_APART void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

using Size = std::int64_t;
using Floats = std::vector<float>;
using onecell::FrozenWeights;
using onecell::Storage;

bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

const std::vector<Storage> kStorages = {Storage::kFloat32,  Storage::kBfloat16,
                                        Storage::kFloat16,  Storage::kInt8,
                                        Storage::kInt8Int8, Storage::kBfloat16Bfloat16};

std::string name(Storage storage) {
  return std::vector<std::string>{"float32", "bfloat16",  "float16",
                                  "int8",    "int8_int8", "bfloat16_bfloat16"}[static_cast<int>(
      storage)];
}

bool is_integer(Storage storage) {
  return storage == Storage::kInt8 || storage == Storage::kInt8Int8;
}

struct Cell {
  Size input_size, hidden_size;
  bool bias;
  Floats weight_ih, weight_hh, bias_ih, bias_hh;

  Cell(Size input, Size hidden, bool biased, unsigned seed, float scale = 1)
      : input_size(input), hidden_size(hidden), bias(biased) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    const auto draw = [&](Size count) {
      Floats values(count);
      for (float& value : values) value = scale * normal(random);
      return values;
    };
    weight_ih = draw(4 * hidden * input);
    weight_hh = draw(4 * hidden * hidden);
    bias_ih = draw(4 * hidden);
    bias_hh = draw(4 * hidden);
  }

  FrozenWeights freeze(Storage storage) const {
    return {storage,
            input_size,
            hidden_size,
            weight_ih.data(),
            weight_hh.data(),
            bias ? bias_ih.data() : nullptr,
            bias ? bias_hh.data() : nullptr};
  }
};

// What one row of a matrix is stored as: numbers for the dot product, and a factor for its result.
struct Stored {
  Floats values;
  float scale = 1;
};

// To `kept` bits of the significand, in steps of at least `least`, ties to even.
float rounded(float value, int kept, double least) {
  int exponent;
  std::frexp(value, &exponent);
  const double step = std::max(std::ldexp(1.0, exponent - kept), least);
  return static_cast<float>(std::nearbyint(value / step) * step);
}

// A number as kBfloat16Bfloat16 multiplies it.
float paired(float value) {
  if (!std::isfinite(value)) return value;
  return std::fabs(value) < 0x1p-56F ? 0.F : rounded(value, 8, 0x1p-133);
}

Stored stored(Storage storage, const float* row, Size width) {
  Stored s{{row, row + width}};
  if (storage == Storage::kBfloat16)
    for (float& value : s.values) value = rounded(value, 8, 0x1p-133);
  if (storage == Storage::kBfloat16Bfloat16)
    for (float& value : s.values) value = paired(value);
  if (storage == Storage::kFloat16)
    for (float& value : s.values) value = rounded(value, 11, 0x1p-24);
  if (!is_integer(storage)) return s;
  float largest = 0;
  for (float value : s.values) largest = std::max(largest, std::fabs(value));
  const float even = std::max(largest / 127, std::numeric_limits<float>::min());
  int exponent;
  std::frexp(even, &exponent);
  const double step = std::ldexp(1.0, exponent - 16);
  s.scale = static_cast<float>(std::ceil(even / step) * step);
  for (float& value : s.values) value = std::nearbyint(value / s.scale);
  return s;
}

// A row of x or h as the integers of its product with int8, and their factor.
struct RoundedRow {
  std::vector<int> values;
  float scale;
};

RoundedRow rounded_row(const float* row, Size width, int most) {
  float largest = 0x1p-100F;
  bool finite = true;
  for (Size k = 0; k < width; ++k) {
    finite = finite && std::isfinite(row[k]);
    largest = std::fmax(largest, std::fabs(row[k]));
  }
  if (!finite) return {std::vector<int>(width), std::numeric_limits<float>::quiet_NaN()};
  const float most_float = static_cast<float>(most), inverse = most_float / largest;
  RoundedRow r{{}, largest / most_float};
  for (Size k = 0; k < width; ++k)  // exact as a double
    r.values.push_back(static_cast<int>(std::nearbyint(static_cast<double>(row[k]) * inverse)));
  return r;
}

// The rule of frozen.h for int8.
float dot(const RoundedRow& x, const Floats& q, float scale, Size block) {
  const Size width = static_cast<Size>(q.size());
  float total = 0;
  for (Size begin = 0; begin < width; begin += block) {
    std::int64_t whole = 0;
    for (Size k = begin; k < std::min(width, begin + block); ++k)
      whole += x.values[k] * static_cast<int>(q[k]);
    total += static_cast<float>(whole);
  }
  return (total * x.scale) * scale;
}

// The rule of frozen.h for kBfloat16Bfloat16.
float paired_dot(Size width, const float* x, const float* w) {
  float sum = 0;
  const auto add = [&](Size k) {
    if (k < width) sum = std::fma(paired(x[k]), w[k], sum);
  };
  for (Size k = 0; k < width; k += 2) {
    add(k + 1);
    add(k);
  }
  return sum;
}

// Rule 1 of cell.h.
float dot(Size count, const float* a, const float* b) {
  float sum[16] = {};
  for (Size k = 0; k < (count + 15) / 16 * 16; ++k)
    sum[k % 16] = k < count ? std::fma(a[k], b[k], sum[k % 16]) : std::fma(0.F, 0.F, sum[k % 16]);
  for (int m = 8; m > 0; m /= 2)
    for (int i = 0; i < m; ++i) sum[i] += sum[i + m];
  return sum[0];
}

float sigmoid(float x) {
  float y;
  onecell::sigmoid(1, &x, &y);
  return y;
}

float tanh(float x) {
  float y;
  onecell::tanh(1, &x, &y);
  return y;
}

struct State {
  Floats h_all, c;
};

struct Input {
  Size steps, batch;
  Floats x, h, c;

  Input(const Cell& cell, Size t, Size n, unsigned seed) : steps(t), batch(n) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    for (auto [values, count] :
         {std::pair{&x, t * n * cell.input_size}, std::pair{&h, n * cell.hidden_size},
          std::pair{&c, n * cell.hidden_size}})
      for (Size k = 0; k < count; ++k) values->push_back(normal(random));
  }
};

State run_model(const Cell& cell, Storage storage, const Input& in) {
  const Size I = cell.input_size, H = cell.hidden_size;
  State s{{}, in.c};
  Floats h = in.h;
  for (Size t = 0; t < in.steps; ++t) {
    Floats z(in.batch * 4 * H);
    for (Size j = 0; j < 4 * H; ++j) {
      const Stored ih = stored(storage, cell.weight_ih.data() + j * I, I);
      const Stored hh = stored(storage, cell.weight_hh.data() + j * H, H);
      const auto product = [&](Size width, const float* row, const Stored& weight) {
        if (is_integer(storage)) {
          const bool wide = storage == Storage::kInt8;
          return dot(rounded_row(row, width, wide ? 8128 : 127), weight.values, weight.scale,
                     wide ? 2048 : 131072);
        }
        if (storage == Storage::kBfloat16Bfloat16)
          return paired_dot(width, row, weight.values.data());
        return dot(width, row, weight.values.data());
      };
      for (Size n = 0; n < in.batch; ++n) {
        const float from_x = product(I, in.x.data() + (t * in.batch + n) * I, ih);
        const float from_h = product(H, h.data() + n * H, hh);
        z[n * 4 * H + j] =
            cell.bias ? (from_x + cell.bias_ih[j]) + (from_h + cell.bias_hh[j]) : from_x + from_h;
      }
    }
    for (Size n = 0; n < in.batch; ++n)
      for (Size j = 0; j < H; ++j) {
        const float* const gate = z.data() + n * 4 * H + j;
        float& c_next = s.c[n * H + j];
        c_next = std::fma(sigmoid(gate[H]), c_next, sigmoid(gate[0]) * tanh(gate[2 * H]));
        h[n * H + j] = sigmoid(gate[3 * H]) * tanh(c_next);
      }
    s.h_all.insert(s.h_all.end(), h.begin(), h.end());
  }
  return s;
}

State run(const FrozenWeights& weights, const Input& in, bool zeros = false) {
  const Size state = in.batch * weights.hidden_size();
  State s{Floats(in.steps * state), Floats(state)};
  onecell::unroll(onecell::FrozenForward{
      &weights, in.steps, in.batch, in.x.data(), zeros ? nullptr : in.h.data(),
      zeros ? nullptr : in.c.data(), s.h_all.data(), s.c.data()});
  return s;
}

struct Shape {
  Size steps, batch, input_size, hidden_size;
  bool bias;

  std::string name() const {
    return "T" + std::to_string(steps) + " N" + std::to_string(batch) + " I" +
           std::to_string(input_size) + " H" + std::to_string(hidden_size) +
           (bias ? " bias" : " no bias");
  }
};

// One unit, blocks of 16 full and not, one row to more than are taken at a time, hoisted or not.
const std::vector<Shape> kShapes = {
    {1, 1, 1, 1, true},   {1, 1, 10, 16, true},  {1, 3, 10, 16, false}, {4, 5, 7, 9, true},
    {3, 2, 33, 31, true}, {2, 4, 16, 32, false}, {1, 70, 3, 21, true},  {2, 131, 5, 3, true},
    {1, 9, 65, 17, true}, {3, 8, 20, 48, false}, {70, 1, 5, 6, true},   {1, 13, 4, 100, true},
    {0, 3, 4, 5, true},   {3, 0, 4, 5, true},    {2, 7, 2100, 5, true}, {2, 3, 3, 600, false},
};

void test_bits_of_the_model() {
  for (const Shape& s : kShapes) {
    const Cell cell(s.input_size, s.hidden_size, s.bias, 7, 0.3F);
    const Input input(cell, s.steps, s.batch, 11);
    for (Storage storage : kStorages) {
      const State want = run_model(cell, storage, input), got = run(cell.freeze(storage), input);
      check(same_bits(got.h_all, want.h_all) && same_bits(got.c, want.c),
            "bits of the model, " + name(storage) + " " + s.name());
    }
  }
}

// Which of those that are no numbers, no machine promises.
bool same_numbers(const Floats& a, const Floats& b) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (std::isnan(a[k]) && std::isnan(b[k])) continue;
    if (std::memcmp(&a[k], &b[k], sizeof a[k]) != 0) return false;
  }
  return a.size() == b.size();
}

// Numbers of every exponent, subnormal ones, infinite ones and no numbers in x, h and weights:
// whole rows of them, or a few among others, so that sums stay finite.
void test_hostile_numbers_by_pairs() {
  const float inf = std::numeric_limits<float>::infinity();
  const float odd[] = {inf,      -inf,      std::nanf(""), 3.4e38F,         -3.39e38F, 1e-40F,
                       0x1p-56F, -0x1p-57F, 0x1p-126F,     0x1.fffffep-57F, 0x1p64F,   -0.F};
  std::mt19937_64 random(5);
  const auto spoil = [&](Floats& values, unsigned one_in, bool extremes) {
    for (float& value : values) {
      if (random() % one_in != 0) continue;
      if (extremes && random() % 4 == 0)
        value = odd[random() % std::size(odd)];
      else
        value *= std::ldexp(1.F, static_cast<int>(random() % 120) - 60);
    }
  };
  for (unsigned round = 0; round < 60; ++round) {
    Cell cell(1 + round % 35, 17, round % 2 == 0, round);
    Input input(cell, 2, 1 + round % 8, round);
    const unsigned one_in = round % 3 == 0 ? 1 : 40;
    for (Floats* values : {&cell.weight_ih, &cell.weight_hh})
      spoil(*values, one_in, round % 5 == 0);
    for (Floats* values : {&input.x, &input.h}) spoil(*values, one_in, round % 2 == 0);
    const Storage storage = Storage::kBfloat16Bfloat16;
    const State want = run_model(cell, storage, input), got = run(cell.freeze(storage), input);
    check(same_numbers(got.h_all, want.h_all) && same_numbers(got.c, want.c),
          "hostile numbers by pairs, " + std::to_string(round));
    State flushed;
    {
      const OddModes modes;
      flushed = run(cell.freeze(storage), input);
    }
    check(same_numbers(flushed.h_all, want.h_all) && same_numbers(flushed.c, want.c),
          "hostile numbers by pairs under odd modes, " + std::to_string(round));
  }
}

bool is_the_live_cell(const Cell& cell, const Input& in, bool zeros) {
  const State got = run(cell.freeze(Storage::kFloat32), in, zeros);
  State want{Floats(got.h_all.size()), Floats(got.c.size())};
  onecell::unroll(onecell::Forward<float>{
      in.steps, in.batch, cell.input_size, cell.hidden_size, cell.weight_ih.data(),
      cell.weight_hh.data(), cell.bias ? cell.bias_ih.data() : nullptr,
      cell.bias ? cell.bias_hh.data() : nullptr, in.x.data(), zeros ? nullptr : in.h.data(),
      zeros ? nullptr : in.c.data(), want.h_all.data(), want.c.data(), nullptr});
  return same_bits(got.h_all, want.h_all) && same_bits(got.c, want.c);
}

void test_float32_is_the_live_cell() {
  for (const Shape& s : kShapes) {
    const Cell cell(s.input_size, s.hidden_size, s.bias, 3);
    const Input in(cell, s.steps, s.batch, 5);
    for (bool zeros : {false, true})
      check(is_the_live_cell(cell, in, zeros), "float32 is the live cell, " + s.name());
  }
  // Products too small for a number, by columns that are filled up: a sum of them is +0, not -0.
  for (const Size width : {5, 8, 11, 16, 24}) {
    constexpr float tiny = std::numeric_limits<float>::min();
    Cell cell(width, width, false, 3);
    Input in(cell, 1, 3, 5);
    const auto make = [](Floats& all, float size) {
      for (float& value : all) value = std::fabs(value) * size;
    };
    make(in.x, tiny);
    make(in.h, tiny);
    make(in.c, -0.F);
    make(cell.weight_ih, -tiny);
    make(cell.weight_hh, -tiny);
    check(is_the_live_cell(cell, in, false), "what vanishes, frozen, " + std::to_string(width));
  }
}

// Every row whose storage is not obvious: ties, subnormals, the largest, zeros.
void test_what_is_stored() {
  Cell cell(40, 3, true, 1);
  const float odd[] = {0.F,          -0.F,     1.F + 0x1p-8F, 1.F + 0x3p-8F, 1.F + 0x1p-11F,
                       0x1p-14F,     0x1p-24F, 0x1p-25F,      0x3p-25F,      0x1.8p-15F,
                       -0x1.ffcp15F, 65504.F,  0x1p-126F,     0x1p-133F,     3.F};
  std::copy(std::begin(odd), std::end(odd), cell.weight_ih.begin() + 80);
  std::fill_n(cell.weight_ih.begin() + 40, 40, 0.F);
  std::fill_n(cell.weight_hh.begin(), 3, 0x1p-140F);
  for (Storage storage : kStorages) {
    Floats ih(cell.weight_ih.size()), hh(cell.weight_hh.size());
    cell.freeze(storage).unpack(ih.data(), hh.data());
    const auto holds = [&](const Floats& got, const Floats& from, Size width) {
      for (std::size_t row = 0; row < got.size() / width; ++row) {
        const Stored s = stored(storage, from.data() + row * width, width);
        for (Size k = 0; k < width; ++k)
          if (got[row * width + k] != s.values[k] * s.scale) return false;
      }
      return true;
    };
    check(holds(ih, cell.weight_ih, 40) && holds(hh, cell.weight_hh, 3),
          "what is stored, " + name(storage));
    Cell again = cell;
    again.weight_ih = ih;
    again.weight_hh = hh;
    Floats ih2(ih.size()), hh2(hh.size());
    again.freeze(storage).unpack(ih2.data(), hh2.data());
    check(same_bits(ih, ih2) && same_bits(hh, hh2), "freezing twice, " + name(storage));
  }
}

void test_int8_refuses_what_has_no_scale() {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    std::numeric_limits<float>::max()}) {
    Cell cell(3, 2, true, 1);
    cell.weight_hh[5] = bad;
    bool refused = false;
    try {
      cell.freeze(Storage::kInt8);
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    check(refused, "int8 of " + std::to_string(bad));
  }
}

void test_one_step_over_its_own_state() {
  const Cell cell(5, 21, true, 3);
  const Input in(cell, 1, 3, 4);
  for (Storage storage : kStorages) {
    const FrozenWeights weights = cell.freeze(storage);
    const State want = run(weights, in);
    Floats h(want.c.size()), c = in.c;
    onecell::unroll(onecell::FrozenForward{&weights, 1, 3, in.x.data(), in.h.data(), c.data(),
                                           h.data(), c.data()});
    check(same_bits(c, want.c) && same_bits(h, want.h_all), "c' over c, " + name(storage));
  }
}

// Whatever its size, so that a stream can promise it.
void test_a_step_allocates_once_a_thread() {
  for (Size batch : {1, 200}) {
    const Cell cell(20, 500, true, 3);
    const Input in(cell, 1, batch, 4);
    for (Storage storage : kStorages) {
      const FrozenWeights weights = cell.freeze(storage);
      Floats h(in.h.size()), c(in.c.size());
      const auto step = [&] {
        onecell::unroll(onecell::FrozenForward{&weights, 1, batch, in.x.data(), in.h.data(),
                                               in.c.data(), h.data(), c.data()});
      };
      step();
      const long before = allocations;
      step();
      const bool none = allocations == before;
      check(none, "a step allocates nothing, " + name(storage));
    }
  }
}

void test_caller_modes_are_put_aside() {
  Cell cell(10, 16, true, 9, 1e-5F);  // subnormal as halves
  cell.bias_ih[3] = cell.weight_ih[7] = 1e-40F;
  Input in(cell, 3, 4, 4);
  cell.weight_ih[25] = 1e6F;  // infinite as a half, and so its product with zero is no number
  in.x[5] = 0;
  for (Storage storage : kStorages) {
    const State want = run(cell.freeze(storage), in);
    State got;
    {
      const OddModes modes;
      got = run(cell.freeze(storage), in);
    }
    check(same_bits(got.h_all, want.h_all) && same_bits(got.c, want.c),
          "under the caller's flush-to-zero and rounding, " + name(storage));
  }
}

}  // namespace

int main() {
  test_what_is_stored();
  test_int8_refuses_what_has_no_scale();
  for (const std::string& isa : onecell::available_isas()) {
    onecell::set_isa(isa);
    test_bits_of_the_model();
    test_hostile_numbers_by_pairs();
    test_float32_is_the_live_cell();
    test_one_step_over_its_own_state();
    test_a_step_allocates_once_a_thread();
    test_caller_modes_are_put_aside();
  }
  return conclude("frozen");
}
