// A stream: the state of a cell in memory of its own, stepped in place without allocating.
#include <nanobind/nanobind.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>

#include "numpy_array.h"
#include "onecell/cell.h"
#include "steps.h"

namespace nb = nanobind;

namespace {

using Size = std::int64_t;
using Address = std::uintptr_t;

// A step with parameters that lie where they are for as long as their owner lives.
template <class T>
class LiveStep final : public Step {
 public:
  LiveStep(Size input_size, Size hidden_size, Address weight_ih, Address weight_hh, Address bias_ih,
           Address bias_hh)
      : cell_{} {
    cell_.steps = 1;
    cell_.input_size = input_size;
    cell_.hidden_size = hidden_size;
    cell_.weight_ih = reinterpret_cast<const T*>(weight_ih);
    cell_.weight_hh = reinterpret_cast<const T*>(weight_hh);
    cell_.bias_ih = reinterpret_cast<const T*>(bias_ih);
    cell_.bias_hh = reinterpret_cast<const T*>(bias_hh);
  }

  void run(Size batch, const void* x, const void* h, const void* c, void* h_next,
           void* c_next) const override {
    onecell::Forward<T> call = cell_;
    call.batch = batch;
    call.x = static_cast<const T*>(x);
    call.h = static_cast<const T*>(h);
    call.c = static_cast<const T*>(c);
    call.h_all = static_cast<T*>(h_next);
    call.c_all = static_cast<T*>(c_next);
    onecell::unroll(call);
  }

 private:
  onecell::Forward<T> cell_;
};

// Which process this is, counted from the first that loaded this module: a fork's child is the
// next.
std::atomic<std::uint64_t> generation{1};
[[maybe_unused]] const int counts_forks =
    pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });

// The first line is what `inspect.signature` reads.
constexpr const char* kStepDoc = R"(step($self, x, out=None, rows=None)
--

Move on by one step.

Args:
    x: (N, I), or (I,) for a stream without a batch axis, of the cell's dtype.
    out: where h' is written as well, of the shape of the state.
    rows: which K of the N rows move on, as NumPy takes them, none of them twice; the others stay.
        `x` is then (K, I), and `out` (K, H); without K where `rows` is one index.

Returns:
    `out`, or without it `h`: always the same array, a read-only view of the state, which the next
    step overwrites. Copy it to keep it. With `rows`, h' of these rows, in `out` or a new array.

Raises:
    ShapeError, DtypeError, ArgumentError: `x`, `out` or `rows` does not fit; the state is as it
        was.
    BusyError: another thread is stepping this stream.)";

class Stream {
 public:
  // `room` (4, at least N * H) has h, c and where the next two are computed, a row for each. `h` is
  // what `step` returns. `arrange(x)` returns x as it should be, and `refuse(out)` raises.
  // `choose(x, out, rows)` returns how many rows those are, where their indices, x and out lie, and
  // what is to be returned and kept alive.
  Stream(nb::object owner, nb::object step, nb::object room, nb::object h, nb::object arrange,
         nb::object refuse, nb::object choose, bool batched, Size batch, Size input_size,
         Size hidden_size)
      : owner_(std::move(owner)),
        held_step_(std::move(step)),
        h_(std::move(h)),
        arrange_(std::move(arrange)),
        refuse_(std::move(refuse)),
        choose_(std::move(choose)),
        reader_(room),
        step_(nb::cast<const Step*>(held_step_)),
        batched_(batched),
        batch_(batch),
        input_size_(input_size),
        hidden_size_(hidden_size),
        stride_(nb::cast<std::size_t>(room.attr("strides")[nb::int_(0)])),
        bytes_(nb::cast<std::size_t>(h_.attr("nbytes"))),
        state_(static_cast<std::byte*>(
            reader_.open(room, {4, nb::cast<Size>(room.attr("shape")[nb::int_(1)])}, true))) {}

  nb::object step(nb::handle x, nb::handle out) {
    nb::object dense;
    const void* from = open(x, input_size_);
    if (from == nullptr) {
      dense = called(arrange_, x);  // a copy that fits, or an error that says why there can be none
      from = open(dense, input_size_);
      if (from == nullptr) throw std::logic_error("what was made ready is not");
    }
    void* to = nullptr;
    if (!out.is_none()) {
      to = open(out, hidden_size_, true);
      if (to == nullptr) {
        called(refuse_, out);
        throw std::logic_error("what does not fit was not refused");
      }
    }
    const Claim claim(*this);
    {
      const Released released;
      // Into memory of its own first: x may be this very state, and an error leaves all as it was.
      step_->run(batch_, from, row(0), row(1), row(2), row(3));
      if (to != nullptr) std::memcpy(to, row(2), bytes_);
      move_on();
    }
    return to == nullptr ? h_ : nb::borrow(out);
  }

  // The step of some rows alone.
  nb::object step_rows(nb::handle x, nb::handle out, nb::handle rows) {
    const nb::object chosen = called(choose_, x, out, rows);
    const auto number = [&](int index) { return nb::cast<Address>(chosen[nb::int_(index)]); };
    const auto count = static_cast<Size>(number(0));
    const auto* const indices = reinterpret_cast<const Size*>(number(1));
    const auto* const from = reinterpret_cast<const void*>(number(2));
    auto* const to = reinterpret_cast<std::byte*>(number(3));
    const Claim claim(*this);
    choose_rows(indices, count);
    make_spare();
    {
      const Released released;
      const std::size_t bytes = row_bytes();
      const auto spare = [&](int half) { return spare_.get() + half * stride_; };
      const auto each = [&](const auto& f) {
        for (Size k = 0; k < count; ++k)
          for (int half = 0; half < 2; ++half) f(half, k * bytes, indices[k] * bytes);
      };
      each([&](int half, std::size_t here, std::size_t there) {
        std::memcpy(spare(half) + here, row(half) + there, bytes);
      });
      if (count > 0) step_->run(count, from, spare(0), spare(1), spare(2), spare(3));
      each([&](int half, std::size_t here, std::size_t there) {
        std::memcpy(row(2 + half) + there, spare(2 + half) + here, bytes);
      });
      if (count > 0) std::memcpy(to, spare(2), count * bytes);
      move_on(count);
    }
    return nb::object(chosen[nb::int_(4)]);
  }

  // What `work()` returns, while no other thread is in here. Where it moves the state on, it has
  // written the next one into the last two rows of `room`, for the `count` states whose `indices`
  // are given, or for all where `count` is kAll; where it raises, the state stays.
  nb::object hold(nb::handle work, Address indices, Size count) {
    const Claim claim(*this);
    if (count > 0) choose_rows(reinterpret_cast<const Size*>(indices), count);
    nb::object done = called(work);
    if (count != 0) move_on(count);
    return done;
  }

 private:
  // The right to be the only one in a stream.
  class Claim {
   public:
    explicit Claim(Stream& stream) : stream_(stream) {
      const std::uint64_t now = generation.load(std::memory_order_relaxed);
      std::uint64_t holder = stream.holder_.load(std::memory_order_relaxed);
      if (holder == now || !stream.holder_.compare_exchange_strong(holder, now)) refuse();
      // A holder of before is a thread of the process that this one was forked from, and is not
      // here. If it was moving the state on, all of the next state is there.
      const Size moving = stream.moving_.load(std::memory_order_acquire);
      if (moving != 0) stream.move_on(moving);
    }
    ~Claim() { stream_.holder_.store(0, std::memory_order_release); }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    [[noreturn]] static void refuse() {
      PyErr_SetString(attribute(imported("onecell.errors"), Name("BusyError")).ptr(),
                      "a stream must be used by one thread at a time; another is stepping it. "
                      "Give every thread a stream of its own: cell.stream().");
      throw nb::python_error();
    }

    Stream& stream_;
  };

  // h, c, and the next h and c.
  std::byte* row(std::size_t index) const { return state_ + index * stride_; }

  // Let the next state be the state: of everything, or of the first `count` chosen rows, so that
  // some rows cost what they are and not what all of them are.
  void move_on(Size count = kAll) {
    moving_.store(count, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (std::size_t half = 0; half < 2; ++half) {
      if (count == kAll) std::memcpy(row(half), row(2 + half), bytes_);
      for (Size k = 0; k < count; ++k) {
        const std::size_t at = rows_[k] * row_bytes();
        std::memcpy(row(half) + at, row(2 + half) + at, row_bytes());
      }
    }
    moving_.store(0, std::memory_order_release);
  }

  // Keep which rows will move on: memory of the stream's own, which a fork's child has too.
  void choose_rows(const Size* indices, Size count) {
    if (!rows_) rows_ = std::make_unique<Size[]>(batch_);
    std::copy_n(indices, count, rows_.get());
  }

  std::size_t row_bytes() const { return bytes_ / static_cast<std::size_t>(batch_); }

  void* open(nb::handle array, Size width, bool write = false) const {
    return batched_ ? reader_.open(array, {batch_, width}, write)
                    : reader_.open(array, {width}, write);
  }

  // Memory for h, c and the next two of some rows, taken once.
  void make_spare() {
    if (spare_) return;
    const std::size_t bytes = 4 * stride_;
    spare_.reset(static_cast<std::byte*>(::operator new(bytes, kSpareAlignment)));
  }
  struct FreeSpare {
    void operator()(std::byte* memory) const { ::operator delete(memory, kSpareAlignment); }
  };
  static constexpr std::align_val_t kSpareAlignment{64};
  static constexpr Size kAll = -1;

  nb::object owner_, held_step_, h_, arrange_, refuse_, choose_;
  numpy::Reader reader_;  // keeps `room` alive
  const Step* step_;
  bool batched_;
  Size batch_, input_size_, hidden_size_;
  std::size_t stride_, bytes_;
  std::byte* state_;
  std::unique_ptr<std::byte, FreeSpare> spare_;
  std::atomic<std::uint64_t> holder_ = 0;  // the generation of whoever is in here, or 0
  std::unique_ptr<Size[]> rows_;           // those that move on
  std::atomic<Size> moving_ = 0;           // how many of them are being moved, kAll for everything
};

// The arguments of a step, by place or by name; a Python error where they are not.
std::array<nb::handle, 3> step_arguments(PyObject* const* given, Py_ssize_t count,
                                         PyObject* names) {
  constexpr std::array<const char*, 3> kNames = {"x", "out", "rows"};
  std::array<nb::handle, 3> found;
  if (count > 3) throw nb::type_error("step() takes `x`, `out` and `rows`, got more.");
  for (Py_ssize_t i = 0; i < count; ++i) found[i] = given[i];
  const Py_ssize_t named = names == nullptr ? 0 : PyTuple_Size(names);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* const name = PyTuple_GetItem(names, i);
    std::size_t at = 0;
    while (at < kNames.size() && PyUnicode_CompareWithASCIIString(name, kNames[at]) != 0) ++at;
    if (at == kNames.size())
      throw nb::type_error("step() takes `x`, `out` and `rows`, got another name.");
    if (found[at].is_valid()) throw nb::type_error("step() got an argument twice.");
    found[at] = given[count + i];
  }
  if (!found[0].is_valid()) throw nb::type_error("step() needs `x`.");
  for (nb::handle& each : found)
    if (!each.is_valid()) each = Py_None;
  return found;
}

// In the interpreter's own table of methods, which has room for a signature; nanobind's has not.
PyObject* step_method(PyObject* self, PyObject* const* given, Py_ssize_t count, PyObject* names) {
  try {
    if (!nb::inst_ready(self)) throw nb::type_error("a stream must be made by its constructor.");
    const auto [x, out, rows] = step_arguments(given, count, names);
    Stream& stream = *nb::inst_ptr<Stream>(self);
    return (rows.is_none() ? stream.step(x, out) : stream.step_rows(x, out, rows)).release().ptr();
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const nb::builtin_exception& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

PyMethodDef methods[] = {
    {"step", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&step_method)),
     METH_FASTCALL | METH_KEYWORDS, kStepDoc},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, nullptr}};

template <class T>
void define(nb::module_& m, const char* name) {
  nb::class_<LiveStep<T>, Step>(m, name).def(
      nb::init<Size, Size, Address, Address, Address, Address>());
}

}  // namespace

void define_stream(nb::module_& m) {
  nb::class_<Step>(m, "Step");
  define<float>(m, "LiveStepF32");
  define<double>(m, "LiveStepF64");
  nb::class_<Stream>(m, "Stream", nb::type_slots(slots))
      .def(nb::init<nb::object, nb::object, nb::object, nb::object, nb::object, nb::object,
                    nb::object, bool, Size, Size, Size>())
      .def("_hold", &Stream::hold);
}
