// The LSTM cell: one contract for a step, an unrolled sequence and their gradients.
//
// Shapes. T steps, N rows (batch), I input, H hidden, G = 4H gates in the order i f g o. Every
// array is dense and row-major with the last axis contiguous, aligned to its element and not
// necessarily to more. Weights are as torch and MindSpore keep them: weight_ih (G, I), weight_hh
// (G, H).
//
//   z  = (x . weight_ih + bias_ih) + (h . weight_hh + bias_hh)         i f g o = blocks of z
//   c' = fma(sigmoid(f), c, sigmoid(i) * tanh(g))                      h' = sigmoid(o) * tanh(c')
//
// Aliasing. Inputs are never written. `c_all` may be `c` where T = 1; otherwise no output overlaps
// an input or another output. Lifetime. Nothing is kept after a call returns. Threading. Every
// function may be called from any number of threads at once on different outputs; a large call is
// shared with threads of the kernel's own, unless another call has them.
//
// Order of additions. This is the whole of it: whoever keeps it gets the same bits, on any
// instruction set, for any batch around a row, stepping or unrolling, on any number of threads.
// Let L = 64 / sizeof(T), 16 for float and 8 for double. Every product below is a fused
// multiply-add; nothing else is fused. Sums start from +0.
//
//  1. A forward dot product over K has L partial sums; element k goes to partial sum k mod L, in
//     rising k. The last, partial group of L is filled up with zeros in both factors. Then
//     s[i] += s[i + m] for all i < m, with m = L/2, L/4, ..., 1, and s[0] is the result.
//  2. x . weight_ih and h . weight_hh are such dot products apart, then added as written above;
//     without biases, z = x . weight_ih + h . weight_hh.
//  3. grad_x and grad_h are sums over the G rows of a weight: blocks of 64 rows in rising order,
//     each block one chain of fused multiply-adds in rising order, each block's sum added to the
//     total of those before it.
//  4. Gradients of weights and biases are sums over rows and steps: in a step, blocks of 64 rows in
//     rising order, each block one chain, each block's sum added to the step's; then each step's
//     sum added to the total, from the last step to the first. So an unrolled sequence gives the
//     bits that adding up the gradients of its steps, last first, gives.
//
// Non-numbers and infinities go through as IEEE 754 says; which payload a NaN carries is left open.
// The caller's rounding and flush-to-zero modes are put aside for the call and put back after it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace onecell {

// Rows that one chain of fused multiply-adds covers, in rules 3 and 4.
inline constexpr std::int64_t kBlock = 64;

template <class T>
struct Forward {
  std::int64_t steps, batch, input_size, hidden_size;
  const T* weight_ih;  // (G, I)
  const T* weight_hh;  // (G, H)
  const T* bias_ih;    // (G), or null together with bias_hh
  const T* bias_hh;    // (G)
  const T* x;          // (T, N, I)
  const T* h;          // (N, H), or null for zeros
  const T* c;          // (N, H), or null for zeros
  T* h_all;            // out (T, N, H): h after every step
  T* c_all;            // out (T, N, H) where `trace` is wanted, else (N, H): the last c
  T* trace;            // out (T, N, G): sigmoid and tanh of z, what `backward` needs; or null
};

template <class T>
struct Backward {
  std::int64_t steps, batch, input_size, hidden_size;
  const T* weight_ih;
  const T* weight_hh;
  const T* x;
  const T* h;
  const T* c;
  const T* h_all;        // (T, N, H) as the forward call left it
  const T* c_all;        // (T, N, H)
  const T* trace;        // (T, N, G)
  const T* grad_h_all;   // (T, N, H): gradient of the loss by every h, or null for zeros
  const T* grad_h_last;  // (N, H): added to that of the last h, or null
  const T* grad_c_last;  // (N, H): gradient by the last c, or null
  T* grad_x;             // out (T, N, I), or null where it is not wanted; so all below
  T* grad_h;             // out (N, H)
  T* grad_c;             // out (N, H)
  T* grad_weight_ih;     // out (G, I)
  T* grad_weight_hh;     // out (G, H)
  T* grad_bias;          // out (G): the gradient of bias_ih and of bias_hh alike
};

// Run T steps, each from the state the one before left. One step of the cell is T = 1.
// Throws std::bad_alloc where the working memory cannot be had: max(N, 64) * (G + I + H) values at
// most, and for a call of several steps a copy of the weights, laid out for it.
void unroll(const Forward<float>&);
void unroll(const Forward<double>&);

// Gradients through T steps. Outputs are overwritten, not added to. Throws as `unroll`; the working
// memory is that of a few hundred rows, twice over, and a copy of weight_hh where T > 3.
void backward(const Backward<float>&);
void backward(const Backward<double>&);

// sigmoid and tanh as the cell computes them, element by element, for those who check them.
void sigmoid(std::int64_t count, const float* x, float* y);
void sigmoid(std::int64_t count, const double* x, double* y);
void tanh(std::int64_t count, const float* x, float* y);
void tanh(std::int64_t count, const double* x, double* y);

// Instruction sets: "portable", on x86 "avx2" and "avx512", on 64-bit ARM "neon". The best that
// this machine has is used unless the environment variable ONECELL_ISA names another, or `set_isa`
// does. The bits are the same.
std::vector<std::string> available_isas();  // slowest first
std::string isa();                          // throws std::invalid_argument on a bad ONECELL_ISA
void set_isa(const std::string& name);      // throws std::invalid_argument; process-wide

// Threads that a call may use at most, itself included: as set, or else as the environment variable
// ONECELL_NUM_THREADS says, or as the library that is followed uses itself, or as OMP_NUM_THREADS
// says, or as many processors as affinity and control groups leave this process. Small work is done
// by the caller alone. The bits do not depend on it.
inline constexpr int kMostThreads = 64;
int num_threads();                // throws std::invalid_argument on a bad ONECELL_NUM_THREADS
void set_num_threads(int count);  // 0: nobody's; throws std::invalid_argument; process-wide

// Where nobody set a number, use as many threads as `theirs()` says when a call begins, but no more
// than control groups pay for: another library's setting, which its users and launchers know.
using Threads = int (*)();
void follow_threads(Threads theirs);

// How OpenMP's runtimes run a parallel region (GOMP_parallel of libgomp; others have it too): `run`
// in the caller and in other threads, `threads` in all, 0 for as many as it likes.
using Parallel = void (*)(void (*run)(void* context), void* context, unsigned threads,
                          unsigned flags);

// Let calls from the calling thread use another library's threads, while those are awake and in our
// threads' way. The child of a fork does not. The bits do not depend on it.
void lend_threads(Parallel parallel);

}  // namespace onecell
