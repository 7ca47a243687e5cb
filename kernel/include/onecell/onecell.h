/* The cell for programs in C, C++ and whatever calls C: weights once, then a step at a time.
 *
 * Equations, shapes and the order of additions are those of cell.h and frozen.h, in float: the bits
 * are the same as in Python, on any machine, for any number of rows, stepping or unrolling.
 * Arrays are dense and row-major; I is the input's size, H the cell's, N the rows of a stream.
 *
 * Errors. What can fail returns a status and leaves everything as it was; `onecell_error` says
 * more. No exception leaves the library. A null pointer where none is allowed is an error, not a
 * crash; nothing else of a pointer can be checked.
 *
 * Threads. A cell never changes, so any number of threads may use one; a stream is for one thread
 * at a time.
 *
 * This interface only grows: a program built for ONECELL_ABI n runs with every library whose
 * `onecell_abi()` is n.
 */
#ifndef ONECELL_ONECELL_H
#define ONECELL_ONECELL_H

#include <stdint.h>

#if defined(__GNUC__)
#define ONECELL_API __attribute__((visibility("default")))
#else
#define ONECELL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ONECELL_ABI 1
ONECELL_API int32_t onecell_abi(void);

typedef int32_t onecell_status;
enum {
  ONECELL_OK = 0,
  ONECELL_BAD_ARGUMENT = 1, /* a size, a null pointer, weights that the storage cannot hold */
  ONECELL_NO_MEMORY = 2,
  ONECELL_NO_FILE = 3, /* it cannot be opened or read */
  ONECELL_BAD_FILE = 4 /* it is damaged, or holds no such cell */
};

/* What the calling thread's last failed call found wrong; "" before the first. Valid until its next
 * failed call. */
ONECELL_API const char* onecell_error(void);

/* How weights are kept: frozen.h says what each loses. */
typedef int32_t onecell_storage;
enum {
  ONECELL_AS_STORED = -1, /* of a file alone: of a frozen cell its own, else float32 */
  ONECELL_FLOAT32 = 0,
  ONECELL_BFLOAT16 = 1,
  ONECELL_FLOAT16 = 2,
  ONECELL_INT8 = 3,
  ONECELL_INT8_INT8 = 4,
  ONECELL_BFLOAT16_BFLOAT16 = 5
};

typedef struct onecell_cell onecell_cell;     /* weights */
typedef struct onecell_stream onecell_stream; /* h and c of N rows, and the cell that moves them */

/* Copy and pack weights: weight_ih (4H, I), weight_hh (4H, H), bias_ih (4H) and bias_hh (4H), the
 * biases null together; gates in the order i f g o, as torch and MindSpore keep them. */
ONECELL_API onecell_status onecell_cell_create(onecell_storage storage, int64_t input_size,
                                               int64_t hidden_size, const float* weight_ih,
                                               const float* weight_hh, const float* bias_ih,
                                               const float* bias_hh, onecell_cell** cell);

/* Read a cell from a .safetensors file: one of float32 tensors `<name>.weight_ih` and so on, as
 * `onecell convert` and `LSTMCell.save` write them, or a frozen cell of `FrozenCell.save`. `name`
 * is null where the file has one cell. Runs no code of the file, and takes no more memory than it.
 */
ONECELL_API onecell_status onecell_cell_load(const char* path, const char* name,
                                             onecell_storage storage, onecell_cell** cell);

ONECELL_API int64_t onecell_cell_input_size(const onecell_cell* cell);
ONECELL_API int64_t onecell_cell_hidden_size(const onecell_cell* cell);
ONECELL_API onecell_storage onecell_cell_storage(const onecell_cell* cell);
ONECELL_API void onecell_cell_destroy(
    onecell_cell* cell); /* null is allowed; streams keep theirs */

/* Make a stream of `rows` rows in the zero state. */
ONECELL_API onecell_status onecell_stream_create(const onecell_cell* cell, int64_t rows,
                                                 onecell_stream** stream);
ONECELL_API void onecell_stream_destroy(onecell_stream* stream); /* null is allowed */

/* One step: x (N, I) in, and h (N, H) out, unless it is null. It runs in the calling thread alone,
 * takes no memory (64 KiB of stack), no lock, and calls nothing of the operating system's. x and h
 * do not overlap. */
ONECELL_API onecell_status onecell_stream_step(onecell_stream* stream, const float* x, float* h);

/* Several steps: x (T, N, I) in, h_all (T, N, H) out. The bits of as many steps; it may take memory
 * and as many threads as `onecell_set_threads` allows. */
ONECELL_API onecell_status onecell_stream_unroll(onecell_stream* stream, int64_t steps,
                                                 const float* x, float* h_all);

/* The state: back to zeros; copied out; put in. h and c are (N, H). */
ONECELL_API onecell_status onecell_stream_reset(onecell_stream* stream);
ONECELL_API onecell_status onecell_stream_snapshot(const onecell_stream* stream, float* h,
                                                   float* c);
ONECELL_API onecell_status onecell_stream_restore(onecell_stream* stream, const float* h,
                                                  const float* c);

/* Threads that an unroll may use, process-wide; 0 for as many as the process may have. */
ONECELL_API onecell_status onecell_set_threads(int32_t count);

#ifdef __cplusplus
}
#endif
#endif
