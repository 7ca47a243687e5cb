// The interpreter's lock: given up while the kernel computes, and asked for again.
//
// When the interpreter ends, the threads that are still about (daemon threads) lose the lock for
// good. CPython before 3.14 ends such a thread where it asks for the lock, by unwinding its stack;
// through C++ that ends the process, by SIGABRT. So whatever may ask for the lock is called through
// `safely`, where such a thread stays until the process is gone.
#pragma once

#include <dlfcn.h>
#include <nanobind/nanobind.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <exception>

[[noreturn]] inline void stay() {
  for (;;) pause();
}

// What `ask` returns, which calls the interpreter's C interface and nothing that throws.
template <class Ask>
auto safely(const Ask& ask) {
  try {
    return ask();
  } catch (...) {  // no exception of anybody's, and not to be let through
    stay();
  }
}

// The lock is given up for as long as this lives. In it, nothing of Python may be touched.
class Released {
 public:
  Released() : state_(PyEval_SaveThread()) {}
  ~Released() {
    safely([this] { PyEval_RestoreThread(state_); });
  }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  PyThreadState* const state_;
};

// Whether the interpreter ends, and in another thread than this one.
inline bool is_ending_elsewhere() {
#ifndef __linux__
  return false;  // no other system unwinds the stack of such a thread
#else
  // Asked by name: the stable interface that one extension for several Pythons keeps to lacks it.
  static const auto ending = [] {
    void* const found = dlsym(RTLD_DEFAULT, "Py_IsFinalizing");  // since 3.13
    return reinterpret_cast<int (*)()>(found ? found : dlsym(RTLD_DEFAULT, "_Py_IsFinalizing"));
  }();
  return ending && ending() && syscall(SYS_gettid) != getpid();  // Python ends in the first thread
#endif
}

// Let threads that the interpreter ends stay as well where C++ of others, such as a framework's
// operators, would end the process. Process-wide; whatever else ends it does so as before.
inline void outlive_interpreter() {
  static std::terminate_handler before = nullptr;
  if (before != nullptr) return;
  before = std::set_terminate([] {
    if (is_ending_elsewhere() && !std::current_exception()) stay();
    before();
  });
}
