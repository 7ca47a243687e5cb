// A compiled graph calls the cell once for many steps: every call through a framework's dispatcher
// costs more than a small step.
#include "program.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "onecell/apart.h"
#include "onecell/cell.h"
#include "step_sums.h"

namespace nb = nanobind;

namespace {

enum class Word { kStep, kRecord, kBack, kSums, kAdd, kPick, kGive };

struct Named {
  std::string_view name;
  Word word;
};

constexpr Named kWords[] = {{"step", Word::kStep}, {"record", Word::kRecord}, {"back", Word::kBack},
                            {"sums", Word::kSums}, {"add", Word::kAdd},       {"pick", Word::kPick},
                            {"give", Word::kGive}};

struct Instruction {
  Word word;
  std::vector<std::int64_t> numbers;  // a value that is left out is kNone
};

constexpr std::int64_t kNone = -1;

// Anything that `run_program` answers with None.
struct Odd {};

std::vector<Instruction> parsed(std::string_view text) {
  std::vector<Instruction> program;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view token = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto* const named = std::find_if(std::begin(kWords), std::end(kWords),
                                           [&](const Named& each) { return each.name == token; });
    if (named != std::end(kWords)) {
      program.push_back({named->word, {}});
      continue;
    }
    std::int64_t number = 0;
    const auto [last, error] = std::from_chars(token.data(), token.data() + token.size(), number);
    const bool whole = error == std::errc() && last == token.data() + token.size();
    if (!whole || number < kNone || program.empty()) throw nb::value_error("no such program");
    program.back().numbers.push_back(number);
  }
  return program;
}

// Where the numbers of an instruction are values: from the first to before the last.
std::pair<std::size_t, std::size_t> values_in(const Instruction& each) {
  const std::size_t count = each.numbers.size();
  switch (each.word) {
    case Word::kBack:
    case Word::kSums:
      return {1, count};  // first comes what is wanted
    case Word::kPick:
      return {0, std::min<std::size_t>(1, count)};
    default:
      return {0, count};
  }
}

class Run {
 public:
  Run(const TensorReader& reader, const Framework& framework, const nb::list& tensors,
      std::vector<Instruction> program)
      : reader_(reader), framework_(framework), program_(std::move(program)) {
    if (tensors.size() == 0) throw Odd();
    values_.resize(tensors.size());
    for (std::size_t at = 0; at < values_.size(); ++at) values_[at].tensor = tensors[at];
    dlpack::Tensor first;
    if (!reader_.open(values_[0].tensor, &first)) throw Odd();
    bits_ = first.type_bits;
    for (std::size_t at = 0; at < program_.size(); ++at) {
      const auto [begin, end] = values_in(program_[at]);
      for (std::size_t k = begin; k < end; ++k) {
        const std::int64_t index = program_[at].numbers[k];
        if (index == kNone) continue;
        if (index >= kMost) throw nb::value_error("no such program");
        if (static_cast<std::size_t>(index) >= uses_.size()) uses_.resize(index + 1);
        uses_[index].last = at;
        if (program_[at].word == Word::kGive) uses_[index].given = true;
      }
    }
  }

  nb::object all() {
    for (std::size_t at = 0; at < program_.size(); ++at) {
      const Instruction& each = program_[at];
      if (each.word == Word::kGive) return given(each.numbers);
      bits_ == 32 ? one<float>(each) : one<double>(each);
      const auto [begin, end] = values_in(each);
      for (std::size_t k = begin; k < end; ++k) {
        const std::int64_t index = each.numbers[k];
        if (index != kNone && uses_[index].last == at) values_[index].own.reset();
      }
    }
    throw nb::value_error("no such program");
  }

 private:
  // No graph that is compiled within an hour has more values.
  static constexpr std::int64_t kMost = std::int64_t{1} << 24;

  struct Use {
    std::size_t last = 0;
    bool given = false;
  };

  // Up to three axes of numbers; without an address while nobody has looked.
  struct Value {
    nb::object tensor;                 // what holds the memory,
    std::unique_ptr<std::byte[]> own;  // or this
    char* data = nullptr;
    std::vector<std::int64_t> shape, strides;
    bool is_result = false;  // whether `tensor` is this value, made here
  };

  template <class T>
  void one(const Instruction& each) {
    const std::vector<std::int64_t>& n = each.numbers;
    switch (each.word) {
      case Word::kStep:
      case Word::kRecord:
        if (n.size() != 7) break;
        return step<T>(n, each.word == Word::kRecord);
      case Word::kBack:
        if (n.size() != 7) break;
        return back<T>(n);
      case Word::kSums:
        if (n.size() < 4 || (n.size() - 1) % 3 != 0) break;
        return sums<T>(n[0], {n.begin() + 1, n.end()});
      case Word::kAdd:
        if (n.size() != 2) break;
        return add<T>(n[0], n[1]);
      case Word::kPick:
        if (n.size() != 3) break;
        return pick(n[0], n[1], n[2]);
      case Word::kGive:
        break;
    }
    throw nb::value_error("no such program");
  }

  Value& value(std::int64_t index) {
    if (index < 0 || static_cast<std::size_t>(index) >= values_.size()) throw Odd();
    Value& found = values_[index];
    if (found.data == nullptr) {
      dlpack::Tensor tensor;
      if (!found.tensor.is_valid() || !reader_.open(found.tensor, &tensor)) throw Odd();
      if (tensor.type_bits != bits_ || tensor.data == nullptr || tensor.ndim > 3) throw Odd();
      found.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
      std::int64_t dense = 1;
      found.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
      found.strides.resize(tensor.ndim);
      for (int axis = tensor.ndim - 1; axis >= 0; --axis) {
        found.strides[axis] = tensor.strides == nullptr ? dense : tensor.strides[axis];
        dense *= tensor.shape[axis];
      }
    }
    return found;
  }

  // Where a value of this shape is, dense, if need be as a copy; null for one that is left out.
  template <class T>
  T* dense(std::int64_t index, std::initializer_list<std::int64_t> shape) {
    if (index == kNone) return nullptr;
    Value& found = value(index);
    std::int64_t count = 1;
    bool is_dense = reinterpret_cast<std::uintptr_t>(found.data) % sizeof(T) == 0;
    if (!std::equal(shape.begin(), shape.end(), found.shape.begin(), found.shape.end()))
      throw Odd();
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      is_dense = is_dense && (found.shape[axis] == 1 || found.strides[axis] == count);
      count *= found.shape[axis];
    }
    if (count == 0) throw Odd();
    if (!is_dense) lay_out<T>(&found, count);
    return reinterpret_cast<T*>(found.data);
  }

  template <class T>
  static void lay_out(Value* value, std::int64_t count) {
    std::unique_ptr<std::byte[]> room(new std::byte[count * sizeof(T)]);
    const std::size_t axes = value->shape.size();
    const std::int64_t width = value->shape[axes - 1], stride = value->strides[axes - 1];
    const std::int64_t rows = count / width;  // of one axis, or of two
    if (axes > 2) throw Odd();
    for (std::int64_t row = 0; row < rows; ++row) {
      const char* const from =
          value->data + (axes == 2 ? row * value->strides[0] : 0) * std::int64_t{sizeof(T)};
      std::byte* const to = room.get() + row * width * sizeof(T);
      if (stride == 1) {
        std::memcpy(to, from, width * sizeof(T));
      } else {
        for (std::int64_t at = 0; at < width; ++at)
          std::memcpy(to + at * sizeof(T), from + at * stride * std::int64_t{sizeof(T)}, sizeof(T));
      }
    }
    value->data = reinterpret_cast<char*>(room.get());
    value->own = std::move(room);
    value->strides = axes == 2 ? std::vector<std::int64_t>{width, 1} : std::vector<std::int64_t>{1};
  }

  // The next value, not yet set; a tensor of its own if it is given, of one size if it is `fixed`.
  template <class T>
  T* make(std::vector<std::int64_t> shape, bool fixed) {
    Value made;
    std::int64_t count = 1;
    for (std::int64_t size : shape) count *= size;
    if (values_.size() < uses_.size() && uses_[values_.size()].given) {
      const nb::object& like = values_[0].tensor;
      if (fixed && shape.size() == 2 && count <= TensorReader::kSmall) {
        void* data = nullptr;
        made.tensor = reader_.make(bits_, shape[0], shape[1], &data);
        made.data = static_cast<char*>(data);
      } else {
        made.tensor = shape.size() == 2 ? framework_.new_empty(like, shape[0], shape[1])
                                        : framework_.new_empty(like, shape[0]);
        dlpack::Tensor tensor;
        if (!reader_.open(made.tensor, &tensor) || tensor.data == nullptr) throw Odd();
        made.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
      }
    } else {
      made.own.reset(new std::byte[count * sizeof(T)]);
      made.data = reinterpret_cast<char*>(made.own.get());
    }
    made.is_result = made.tensor.is_valid();
    made.strides.assign(shape.size(), 1);
    if (shape.size() == 2) made.strides[0] = shape[1];
    made.shape = std::move(shape);
    T* const data = reinterpret_cast<T*>(made.data);
    values_.push_back(std::move(made));
    return data;
  }

  void leave_out() { values_.emplace_back(); }

  // x h c weight_ih weight_hh bias_ih bias_hh → h' c', and the gates where it is recorded.
  template <class T>
  void step(const std::vector<std::int64_t>& n, bool record) {
    const StepSizes sizes = sizes_of(n[0], n[4]);
    const auto [batch, input, hidden, bits] = sizes;
    const T* const weight_ih = needed(dense<T>(n[3], {4 * hidden, input}));
    const T* const weight_hh = needed(dense<T>(n[4], {4 * hidden, hidden}));
    const T* const bias_ih = dense<T>(n[5], {4 * hidden});
    const T* const bias_hh = dense<T>(n[6], {4 * hidden});
    if ((bias_ih == nullptr) != (bias_hh == nullptr)) throw Odd();
    const T* const x = needed(dense<T>(n[0], {batch, input}));
    const T* const h = dense<T>(n[1], {batch, hidden});
    const T* const c = dense<T>(n[2], {batch, hidden});
    T* const h_next = make<T>({batch, hidden}, !record);
    T* const c_next = make<T>({batch, hidden}, !record);
    T* const trace = record ? make<T>({batch, 4 * hidden}, false) : nullptr;
    const Away away(sizes);
    onecell::unroll(onecell::Forward<T>{1, batch, input, hidden, weight_ih, weight_hh, bias_ih,
                                        bias_hh, x, h, c, h_next, c_next, trace});
  }

  // which, then c weight_ih weight_hh gates, gradients by h' and c' → by x h c, and by z.
  template <class T>
  void back(const std::vector<std::int64_t>& n) {
    const Value& gates = value(n[4]);
    const Value& weight_ih = value(n[2]);
    if (gates.shape.size() != 2 || gates.shape[1] > 4 * StepSizes::kLargest ||
        weight_ih.shape.size() != 2)
      throw Odd();
    const std::int64_t batch = gates.shape[0], hidden = gates.shape[1] / 4;
    const std::int64_t input = weight_ih.shape[1];
    const T* const weights[] = {needed(dense<T>(n[2], {4 * hidden, input})),
                                needed(dense<T>(n[3], {4 * hidden, hidden}))};
    const T* const c = needed(dense<T>(n[1], {batch, hidden}));
    const T* const trace = needed(dense<T>(n[4], {batch, 4 * hidden}));
    const T* const by_h = dense<T>(n[5], {batch, hidden});
    const T* const by_c = dense<T>(n[6], {batch, hidden});
    T* out[3] = {};
    for (int k = 0; k < 3; ++k) {
      if ((n[0] >> k & 1) != 0)
        out[k] = make<T>({batch, k == 0 ? input : hidden}, true);
      else
        leave_out();
    }
    T* const grad_z = make<T>({batch, 4 * hidden}, true);
    const Away away({batch, input, hidden, bits_});
    onecell::backward(onecell::StepBack<T>{batch, input, hidden, weights[0], weights[1], c, trace,
                                           by_h, by_c, grad_z, out[0], out[1], out[2]});
  }

  // Of all steps of one cell, by falling time: by z, then x, then h → by the four parameters.
  template <class T>
  void sums(std::int64_t which, const std::vector<std::int64_t>& n) {
    const std::size_t steps = n.size() / 3;
    const bool wanted[3] = {(which & 1) != 0, (which & 2) != 0, (which >> 2) != 0};
    // A value and a step's sizes; where x or h has no part in what is wanted, its size is none.
    const auto width = [&](std::size_t k) {
      const Value& found = value(n[k]);
      if (found.shape.size() != 2 || found.shape[1] > 4 * StepSizes::kLargest) throw Odd();
      return found.shape[1];
    };
    const std::int64_t hidden = width(0) / 4;
    const std::int64_t input = wanted[0] ? width(steps) : 1;
    T* out[4] = {};
    const std::vector<std::int64_t> shapes[] = {
        {4 * hidden, input}, {4 * hidden, hidden}, {4 * hidden}, {4 * hidden}};
    for (int k = 0; k < 4; ++k) {
      if ((which >> k & 1) != 0)
        out[k] = make<T>(shapes[k], false);
      else
        leave_out();
    }
    bool begun = false;
    for (std::size_t first = 0; first < steps;) {
      const std::int64_t batch = value(n[first]).shape[0];
      const auto most = static_cast<std::size_t>(StepSums::at_once(batch));
      std::size_t count = 1;
      while (count < most && first + count < steps && value(n[first + count]).shape[0] == batch)
        ++count;
      std::unique_ptr<T[]> room;
      std::vector<const T*> xs(count), hs(count);
      const T* grad_z = nullptr;
      const std::int64_t size = batch * 4 * hidden;
      if (count > 1) room.reset(new T[count * size]);
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t at = first + k, place = count - 1 - k;
        const T* const part = needed(dense<T>(n[at], {batch, 4 * hidden}));
        if (count > 1) std::memcpy(room.get() + place * size, part, size * sizeof(T));
        grad_z = count > 1 ? room.get() : part;
        if (wanted[0]) xs[place] = needed(dense<T>(n[steps + at], {batch, input}));
        if (wanted[1]) hs[place] = needed(dense<T>(n[2 * steps + at], {batch, hidden}));
      }
      T* const bias = out[2] != nullptr ? out[2] : out[3];
      const Released released;
      onecell::gather(onecell::GatheredSteps<T>{static_cast<std::int64_t>(count), batch, input,
                                                hidden, grad_z, xs.data(), hs.data(), begun, out[0],
                                                out[1], bias});
      begun = true;
      first += count;
    }
    if (out[2] != nullptr && out[3] != nullptr) std::copy_n(out[2], 4 * hidden, out[3]);
  }

  template <class T>
  void add(std::int64_t one, std::int64_t other) {
    const Value& first = value(one);
    if (first.shape.size() != 2) throw Odd();
    const std::int64_t rows = first.shape[0], width = first.shape[1];
    const T* const a = needed(dense<T>(one, {rows, width}));
    const T* const b = needed(dense<T>(other, {rows, width}));
    T* const sum = make<T>({rows, width}, true);
    for (std::int64_t at = 0; at < rows * width; ++at) sum[at] = a[at] + b[at];
  }

  // One of the matrices that lie along an axis of three.
  void pick(std::int64_t index, std::int64_t axis, std::int64_t which) {
    const Value& from = value(index);
    if (from.shape.size() != 3 || axis < 0 || axis > 2 || !from.tensor.is_valid()) throw Odd();
    if (which < 0 || which >= from.shape[axis]) throw Odd();
    Value made;
    made.tensor = from.tensor;
    made.data = from.data + which * from.strides[axis] * (bits_ / 8);
    for (int k = 0; k < 3; ++k) {
      if (k == axis) continue;
      made.shape.push_back(from.shape[k]);
      made.strides.push_back(from.strides[k]);
    }
    values_.push_back(std::move(made));
  }

  nb::object given(const std::vector<std::int64_t>& indices) {
    nb::list found;
    for (std::int64_t index : indices) {
      const Value& each = value(index);
      if (!each.is_result) throw Odd();
      found.append(each.tensor);
    }
    return found;
  }

  StepSizes sizes_of(std::int64_t x_at, std::int64_t weight_at) {
    const Value& x = value(x_at);
    const Value& weight = value(weight_at);
    if (x.shape.size() != 2 || weight.shape.size() != 2 || weight.shape[1] > StepSizes::kLargest)
      throw Odd();
    return {x.shape[0], x.shape[1], weight.shape[1], bits_};
  }

  template <class T>
  static T* needed(T* address) {
    if (address == nullptr) throw Odd();
    return address;
  }

  // Other threads of Python may run meanwhile, if it is worth while.
  struct Away {
    explicit Away(const StepSizes& sizes) {
      if (!sizes.are_tiny()) released.emplace();
    }
    std::optional<Released> released;
  };

  const TensorReader& reader_;
  const Framework& framework_;
  std::vector<Instruction> program_;
  std::vector<Value> values_;
  std::vector<Use> uses_;
  int bits_ = 0;
};

}  // namespace

nb::object run_program(const TensorReader& reader, const Framework& framework,
                       const nb::list& tensors, const char* text) {
  try {
    return Run(reader, framework, tensors, parsed(text)).all();
  } catch (const Odd&) {
    return nb::none();
  }
}
