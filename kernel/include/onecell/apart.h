// The way back of single steps, with the gradients of the weights left for later.
//
// Whoever steps through a sequence one call at a time could have each step's gradients of the
// weights and add them up; that writes and reads arrays as large as the weights at every step. Here
// a step leaves its gradients by z, and those of many steps are gathered at once. The bits are the
// same: the order of additions is that of cell.h, whose shapes and rules hold here too.
#pragma once

#include <cstdint>

#include "onecell/cell.h"

namespace onecell {

template <class T>
struct StepBack {
  std::int64_t batch, input_size, hidden_size;
  const T* weight_ih;
  const T* weight_hh;
  const T* c;            // (N, H)
  const T* trace;        // (N, G) as the forward call left it
  const T* grad_h_next;  // (N, H): gradient of the loss by h', or null for zeros
  const T* grad_c_next;  // (N, H): gradient by c', or null for zeros
  T* grad_z;             // out (N, G)
  T* grad_x;             // out (N, I), or null where it is not wanted; so all below
  T* grad_h;             // out (N, H)
  T* grad_c;             // out (N, H)
};

template <class T>
struct GatheredSteps {
  std::int64_t steps, batch, input_size, hidden_size;
  const T* grad_z;    // (T, N, G), by rising time
  const T* const* x;  // T addresses of (N, I)
  const T* const* h;  // T addresses of (N, H): the state before the step
  bool begun;         // whether the outputs hold the sums of later steps, which these are added to
  T* grad_weight_ih;  // out (G, I), or null where it is not wanted; so all below
  T* grad_weight_hh;  // out (G, H)
  T* grad_bias;       // out (G)
};

// Gradients through one step. Throws std::bad_alloc where 2 N H values cannot be had.
void backward(const StepBack<float>&);
void backward(const StepBack<double>&);

// Gradients of the weights over T >= 1 steps, from the last to the first (rule 4 of cell.h). Throws
// std::bad_alloc where the working memory cannot be had: a copy of grad_z, and of some columns of x
// and h for each thread.
void gather(const GatheredSteps<float>&);
void gather(const GatheredSteps<double>&);

}  // namespace onecell
