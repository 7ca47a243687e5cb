// One step of the cell on NumPy arrays, found, checked and computed in one call from Python.
#include "arrays.h"

#include "numpy_array.h"
#include "objects.h"
#include "onecell/cell.h"

namespace nb = nanobind;

namespace {

// The step of one cell, whose parameters stay where they are for as long as it lives.
template <class T>
class ArrayStep {
 public:
  ArrayStep(nb::object example, std::int64_t input_size, std::int64_t hidden_size,
            std::uintptr_t weight_ih, std::uintptr_t weight_hh, std::uintptr_t bias_ih,
            std::uintptr_t bias_hh)
      : reader_(std::move(example)), cell_{} {
    cell_.steps = 1;
    cell_.input_size = input_size;
    cell_.hidden_size = hidden_size;
    cell_.weight_ih = reinterpret_cast<const T*>(weight_ih);
    cell_.weight_hh = reinterpret_cast<const T*>(weight_hh);
    cell_.bias_ih = reinterpret_cast<const T*>(bias_ih);
    cell_.bias_hh = reinterpret_cast<const T*>(bias_hh);
  }

  // The step (h', c') of x (N, I) and the pair hx = (h, c), each (N, H); None where hx is no tuple
  // of two, or anything in it not a dense, aligned array of this shape and type.
  nb::object step(nb::handle x, nb::handle hx) const {
    if (!PyTuple_CheckExact(hx.ptr()) || PyTuple_Size(hx.ptr()) != 2) return nb::none();
    onecell::Forward<T> call = cell_;
    const std::int64_t batch = call.batch = reader_.rows(x), hidden = call.hidden_size;
    const nb::handle h = PyTuple_GetItem(hx.ptr(), 0), c = PyTuple_GetItem(hx.ptr(), 1);
    call.x = static_cast<const T*>(reader_.open(x, {batch, call.input_size}));
    call.h = static_cast<const T*>(reader_.open(h, {batch, hidden}));
    call.c = static_cast<const T*>(reader_.open(c, {batch, hidden}));
    if (call.x == nullptr || call.h == nullptr || call.c == nullptr) return nb::none();
    const nb::object h_next = reader_.empty(batch, hidden), c_next = reader_.empty(batch, hidden);
    call.h_all = static_cast<T*>(reader_.data(h_next));
    call.c_all = static_cast<T*>(reader_.data(c_next));
    {
      const Released released;
      onecell::unroll(call);
    }
    return tuple_of(h_next, c_next);
  }

 private:
  numpy::Reader reader_;
  onecell::Forward<T> cell_;
};

template <class T>
void define(nb::module_& m, const char* name) {
  using Class = ArrayStep<T>;
  using Address = std::uintptr_t;
  nb::class_<Class>(m, name)
      .def(nb::init<nb::object, std::int64_t, std::int64_t, Address, Address, Address, Address>())
      .def("step", &Class::step, nb::arg().none(), nb::arg().none());
}

}  // namespace

void define_arrays(nb::module_& m) {
  define<float>(m, "ArrayStepF32");
  define<double>(m, "ArrayStepF64");
}
