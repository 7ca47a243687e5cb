// Gradients through time.
#pragma once

namespace onecell::ONECELL_ISA {

template <class T>
void copy_or_zero(std::int64_t count, const T* from, T* to) {
  if (count == 0) return;
  if (from != nullptr)
    std::memcpy(to, from, count * sizeof(T));
  else
    std::memset(to, 0, count * sizeof(T));
}

template <class T>
void add_into(std::int64_t count, const T* from, T* to) {
  each_group<T>(count, [=](std::int64_t j, int n) {
    store_some(load_some(to + j, n) + load_some(from + j, n), to + j, n);
  });
}

template <class T>
void backward(const Backward<T>& a) {
  const FloatEnvironment environment;
  const std::int64_t gates = 4 * a.hidden_size, state = a.batch * a.hidden_size;

  const auto room = [](std::int64_t count) { return Scratch::padded(count * sizeof(T)); };
  // A step of several blocks is summed apart before it joins the total of the steps after it.
  const bool apart = a.batch > kBlock && a.steps > 1;
  const std::int64_t largest = gates * std::max(a.input_size, a.hidden_size);
  Scratch scratch(room(a.batch * gates) + 3 * room(state) + (apart ? room(largest) : 0));
  T* const grad_z = scratch.take<T>(a.batch * gates);
  T* const grad_h = scratch.take<T>(state);
  T* const grad_c = scratch.take<T>(state);
  T* const zeros = scratch.take<T>(state);
  T* const step_sum = apart ? scratch.take<T>(largest) : nullptr;

  std::memset(zeros, 0, state * sizeof(T));
  copy_or_zero(state, a.grad_h_last, grad_h);
  copy_or_zero(state, a.grad_c_last, grad_c);
  // Rows of grad_z as the columns of a: sums run over the batch.
  const Strided<T> over_rows{grad_z, 1, gates};
  const T one = T(1);

  // total (rows, width) (+)= sum over the batch of factor(row, n) b[n, :], by rule 4 of cell.h.
  const auto add_step = [&](bool first, std::int64_t rows, std::int64_t width,
                            const Strided<T>& factor, const T* b, T* total) {
    if (total == nullptr) return;
    if (first || !apart) return outer_product(rows, a.batch, width, factor, b, !first, total);
    outer_product(rows, a.batch, width, factor, b, false, step_sum);
    add_into(rows * width, step_sum, total);
  };

  for (std::int64_t t = a.steps - 1; t >= 0; --t) {
    const T* const x = a.x + t * a.batch * a.input_size;
    const T* const h = t > 0 ? a.h_all + (t - 1) * state : a.h != nullptr ? a.h : zeros;
    const T* const c = t > 0 ? a.c_all + (t - 1) * state : a.c != nullptr ? a.c : zeros;
    if (a.grad_h_all != nullptr) add_into(state, a.grad_h_all + t * state, grad_h);
    for (std::int64_t n = 0; n < a.batch; ++n) {
      const std::int64_t row = n * a.hidden_size;
      gate_row_backward(a.hidden_size, a.trace + (t * a.batch + n) * gates, c + row,
                        a.c_all + t * state + row, grad_h + row, grad_c + row, grad_z + n * gates);
    }
    const Strided<T> over_gates{grad_z, gates, 1};
    if (a.grad_x != nullptr)
      outer_product(a.batch, gates, a.input_size, over_gates, a.weight_ih, false,
                    a.grad_x + t * a.batch * a.input_size);
    if (t > 0 || a.grad_h != nullptr)
      outer_product(a.batch, gates, a.hidden_size, over_gates, a.weight_hh, false, grad_h);
    const bool first = t == a.steps - 1;
    add_step(first, gates, a.input_size, over_rows, x, a.grad_weight_ih);
    add_step(first, gates, a.hidden_size, over_rows, h, a.grad_weight_hh);
    add_step(first, 1, gates, {&one, 0, 0}, grad_z, a.grad_bias);
  }
  if (a.grad_h != nullptr) copy_or_zero(state, grad_h, a.grad_h);
  if (a.grad_c != nullptr) copy_or_zero(state, grad_c, a.grad_c);
  if (a.steps > 0) return;
  if (a.grad_weight_ih != nullptr) copy_or_zero<T>(gates * a.input_size, nullptr, a.grad_weight_ih);
  if (a.grad_weight_hh != nullptr)
    copy_or_zero<T>(gates * a.hidden_size, nullptr, a.grad_weight_hh);
  if (a.grad_bias != nullptr) copy_or_zero<T>(gates, nullptr, a.grad_bias);
}

}  // namespace onecell::ONECELL_ISA
