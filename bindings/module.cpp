// The Python module: addresses and sizes in. `_kernel.pyi` says what each argument is.
#include <dlfcn.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "arrays.h"
#include "asked.h"
#include "gil.h"
#include "onecell/cell.h"
#include "steps.h"
#include "tensors.h"

namespace nb = nanobind;

namespace {

using Size = std::int64_t;
using Address = std::uintptr_t;

template <class T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

template <class T>
void step(Size batch, Size input_size, Size hidden_size, Address weight_ih, Address weight_hh,
          Address bias_ih, Address bias_hh, Address x, Address h, Address c, Address h_next,
          Address c_next, Address trace) {
  const Released released;
  onecell::unroll(onecell::Forward<T>{
      1, batch, input_size, hidden_size, at<T>(weight_ih), at<T>(weight_hh), at<T>(bias_ih),
      at<T>(bias_hh), at<T>(x), at<T>(h), at<T>(c), at<T>(h_next), at<T>(c_next), at<T>(trace)});
}

template <class T>
void unroll(Size steps, Size batch, Size input_size, Size hidden_size, Address weight_ih,
            Address weight_hh, Address bias_ih, Address bias_hh, Address x, Address h, Address c,
            Address h_all, Address c_all, Address trace) {
  const Released released;
  onecell::unroll(onecell::Forward<T>{
      steps, batch, input_size, hidden_size, at<T>(weight_ih), at<T>(weight_hh), at<T>(bias_ih),
      at<T>(bias_hh), at<T>(x), at<T>(h), at<T>(c), at<T>(h_all), at<T>(c_all), at<T>(trace)});
}

template <class T>
void backward(Size steps, Size batch, Size input_size, Size hidden_size, Address weight_ih,
              Address weight_hh, Address x, Address h, Address c, Address h_all, Address c_all,
              Address trace, Address grad_h_all, Address grad_h_last, Address grad_c_last,
              Address grad_x, Address grad_h, Address grad_c, Address grad_weight_ih,
              Address grad_weight_hh, Address grad_bias) {
  const Released released;
  onecell::backward(onecell::Backward<T>{steps,
                                         batch,
                                         input_size,
                                         hidden_size,
                                         at<T>(weight_ih),
                                         at<T>(weight_hh),
                                         at<T>(x),
                                         at<T>(h),
                                         at<T>(c),
                                         at<T>(h_all),
                                         at<T>(c_all),
                                         at<T>(trace),
                                         at<T>(grad_h_all),
                                         at<T>(grad_h_last),
                                         at<T>(grad_c_last),
                                         at<T>(grad_x),
                                         at<T>(grad_h),
                                         at<T>(grad_c),
                                         at<T>(grad_weight_ih),
                                         at<T>(grad_weight_hh),
                                         at<T>(grad_bias)});
}

template <class T, void (*F)(Size, const T*, T*)>
void activation(Size count, Address x, Address y) {
  const Released released;
  F(count, at<T>(x), at<T>(y));
}

Address address(nb::handle array) {
  Py_buffer buffer;
  if (PyObject_GetBuffer(array.ptr(), &buffer, PyBUF_ND) != 0) throw nb::python_error();
  const auto first = reinterpret_cast<Address>(buffer.buf);
  PyBuffer_Release(&buffer);
  return first;
}

nb::tuple available_isas() {
  nb::list names;
  for (const std::string& name : onecell::available_isas()) names.append(name);
  return nb::tuple(names);
}

std::string library_path() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&library_path), &info) == 0)
    throw std::runtime_error("the dynamic linker does not know where this module came from");
  return info.dli_fname;
}

template <class T>
void define(nb::module_& m, const std::string& suffix) {
  m.def(("step" + suffix).c_str(), &step<T>);
  m.def(("unroll" + suffix).c_str(), &unroll<T>);
  m.def(("backward" + suffix).c_str(), &backward<T>);
  m.def(("sigmoid" + suffix).c_str(), &activation<T, &onecell::sigmoid>);
  m.def(("tanh" + suffix).c_str(), &activation<T, &onecell::tanh>);
}

}  // namespace

// What the interpreter asks for comes below: this name is nanobind's.
#define PyInit__kernel init_kernel
NB_MODULE(_kernel, m) {
  // Frameworks keep our classes in registries that outlive the interpreter: no leak of ours.
  nb::set_leak_warnings(false);
  try {
    onecell::isa();
    onecell::num_threads();
  } catch (const std::invalid_argument& error) {
    throw nb::import_error(error.what());
  }
  define<float>(m, "_f32");
  define<double>(m, "_f64");
  define_arrays(m);
  define_asked(m);
  define_tensors(m);
  define_stream(m);
  define_frozen(m);
  m.def("address", &address);
  m.def("outlive_interpreter", &outlive_interpreter);
  m.def("isa", &onecell::isa);
  m.def("available_isas", &available_isas);
  m.def("set_isa", &onecell::set_isa);
  m.def("num_threads", &onecell::num_threads);
  m.def("set_num_threads", &onecell::set_num_threads);
  m.def("follow_threads", [](Address theirs) {
    onecell::follow_threads(reinterpret_cast<onecell::Threads>(theirs));
  });
  m.def("lend_threads", [](Address parallel) {
    onecell::lend_threads(reinterpret_cast<onecell::Parallel>(parallel));
  });
  m.def("library_path", &library_path);
}
#undef PyInit__kernel

// nanobind keeps its classes in one place for all interpreters of a process: another one would find
// those of the first, and leave it without them. Asked before any of it is touched.
extern "C" NB_EXPORT PyObject* PyInit__kernel() {
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0) return init_kernel();
  PyErr_SetString(PyExc_ImportError,
                  "onecell's compiled part must be imported by the main interpreter of a process, "
                  "not by a subinterpreter. Use threads or processes.");
  return nullptr;
}
