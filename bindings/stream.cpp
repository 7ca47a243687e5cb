// A stream: the state of a cell in memory of its own, stepped in place without allocating.
#include <nanobind/nanobind.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
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
constexpr const char* kStepDoc = R"(step($self, x, out=None)
--

Move on by one step.

Args:
    x: (N, I), or (I,) for a stream without a batch axis, of the cell's dtype.
    out: where h' is written as well, of the shape of the state.

Returns:
    `out`, or without it `h`: always the same array, a read-only view of the state, which the next
    step overwrites. Copy it to keep it.

Raises:
    ShapeError, DtypeError, ArgumentError: `x` or `out` does not fit; the state is as it was.
    BusyError: another thread is stepping this stream.)";

class Stream {
 public:
  // `room` (4, at least N * H) has h, c and where the next two are computed, a row for each. `h` is
  // what `step` returns. `arrange(x)` returns x as it should be, and `refuse(out)` raises.
  Stream(nb::object owner, nb::object step, nb::object room, nb::object h, nb::object arrange,
         nb::object refuse, bool batched, Size batch, Size input_size, Size hidden_size)
      : owner_(std::move(owner)),
        held_step_(std::move(step)),
        h_(std::move(h)),
        arrange_(std::move(arrange)),
        refuse_(std::move(refuse)),
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

  // What `work()` returns, while no other thread is in here. Where it `moves` the state on, it has
  // written the next one into the last two rows of `room`; where it raises, the state stays.
  nb::object hold(nb::handle work, bool moves) {
    const Claim claim(*this);
    nb::object done = called(work);
    if (moves) move_on();
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
      if (stream.moving_.load(std::memory_order_acquire)) stream.move_on();
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

  void move_on() {
    moving_.store(true, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    std::memcpy(row(0), row(2), bytes_);
    std::memcpy(row(1), row(3), bytes_);
    moving_.store(false, std::memory_order_release);
  }

  void* open(nb::handle array, Size width, bool write = false) const {
    return batched_ ? reader_.open(array, {batch_, width}, write)
                    : reader_.open(array, {width}, write);
  }

  nb::object owner_, held_step_, h_, arrange_, refuse_;
  numpy::Reader reader_;  // keeps `room` alive
  const Step* step_;
  bool batched_;
  Size batch_, input_size_, hidden_size_;
  std::size_t stride_, bytes_;
  std::byte* state_;
  std::atomic<std::uint64_t> holder_ = 0;  // the generation of whoever is in here, or 0
  std::atomic<bool> moving_ = false;
};

// The arguments `x` and `out` of a call, by place or by name; a Python error where they are not.
std::array<nb::handle, 2> step_arguments(PyObject* const* given, Py_ssize_t count,
                                         PyObject* names) {
  constexpr std::array<const char*, 2> kNames = {"x", "out"};
  std::array<nb::handle, 2> found;
  if (count > 2) throw nb::type_error("step() takes `x` and `out`, got more.");
  for (Py_ssize_t i = 0; i < count; ++i) found[i] = given[i];
  const Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* const name = PyTuple_GET_ITEM(names, i);
    const bool is_out = PyUnicode_CompareWithASCIIString(name, kNames[1]) == 0;
    if (!is_out && PyUnicode_CompareWithASCIIString(name, kNames[0]) != 0)
      throw nb::type_error("step() takes `x` and `out`, got another name.");
    if (found[is_out].is_valid()) throw nb::type_error("step() got an argument twice.");
    found[is_out] = given[count + i];
  }
  if (!found[0].is_valid()) throw nb::type_error("step() needs `x`.");
  if (!found[1].is_valid()) found[1] = Py_None;
  return found;
}

// In the interpreter's own table of methods, which has room for a signature; nanobind's has not.
PyObject* step_method(PyObject* self, PyObject* const* given, Py_ssize_t count, PyObject* names) {
  try {
    if (!nb::inst_ready(self)) throw nb::type_error("a stream must be made by its constructor.");
    const auto [x, out] = step_arguments(given, count, names);
    return nb::inst_ptr<Stream>(self)->step(x, out).release().ptr();
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
      .def(nb::init<nb::object, nb::object, nb::object, nb::object, nb::object, nb::object, bool,
                    Size, Size, Size>())
      .def("_hold", &Stream::hold);
}
