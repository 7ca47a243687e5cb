"""Gradients of the gradients in composite.py, made of MindSpore's own operators.

Spelled out, because MindSpore's compilers cannot take a gradient inside a gradient function of an
operator. They read these functions, and what they compute can be differentiated further.
"""

from __future__ import annotations

from mindspore import Tensor, ops

from onecell.mindspore.composite import (
    gates,
    rows_of,
    split,
    stack,
    step,
    step_gradients,
    tanh,
    times,
    times_transposed,
    transposed_times,
)


def step_second(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weights: tuple[Tensor, ...],
    by_h: Tensor,
    by_c: Tensor,
    along: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """Pull `along`, gradients by the six results of `step_gradients`, back to its arguments.

    Returns:
        Gradients by x, h, c, both matrices, a bias, by_h and by_c.
    """
    i, f, g, o = gates(x, h, weights)
    t = tanh(f * c + i * g)
    flat = 1 - t * t
    inner = by_c + by_h * o * flat
    i1, f1, g1, o1 = i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)
    by_z = ops.concat((inner * g * i1, inner * c * f1, inner * i * g1, by_h * t * o1), 1)

    # Of the products, by the gates' gradients by_z.
    to_z = times_transposed(along[0], weights[0]) + times_transposed(along[1], weights[1])
    to_z = to_z + times_transposed(x, along[3]) + times_transposed(h, along[4]) + along[5]
    to_i, to_f, to_g, to_o = split(to_z)
    # Of those, by the gradient of c' (`inner`), the activated gates, and t = tanh(c').
    to_inner = along[2] * f + to_i * g * i1 + to_f * c * f1 + to_g * i * g1
    at_t = to_o * by_h * o1 - 2 * to_inner * by_h * o * t
    at_next = at_t * flat
    at_i = inner * (to_i * g * (1 - 2 * i) + to_g * g1) + at_next * g
    at_f = inner * (to_f * c * (1 - 2 * f) + along[2]) + at_next * c
    at_g = inner * (to_i * i1 - 2 * to_g * i * g) + at_next * i
    at_o = by_h * (to_o * t * (1 - 2 * o) + to_inner * flat)
    at_c = inner * to_f * f1 + at_next * f
    at_z = ops.concat((at_i * i1, at_f * f1, at_g * g1, at_o * o1), 1)
    return (
        times(at_z, weights[0]) + times(by_z, along[3]),
        times(at_z, weights[1]) + times(by_z, along[4]),
        at_c,
        transposed_times(at_z, x) + transposed_times(by_z, along[0]),
        transposed_times(at_z, h) + transposed_times(by_z, along[1]),
        at_z.sum(0),
        to_o * t * o1 + to_inner * o * flat,
        to_inner,
    )


def unroll_second(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weights: tuple[Tensor, ...],
    by_all: Tensor,
    by_h: Tensor,
    by_c: Tensor,
    along: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """Pull `along`, gradients by the six results of `unroll_gradients`, back to its arguments.

    Returns:
        Gradients by x, h, c, both matrices, a bias, by_all, by_h and by_c.
    """
    rows, by_rows, along_rows = rows_of(x), rows_of(by_all), rows_of(along[0])
    every_h, every_c = [h], [c]
    for row in rows:
        h, c = step(row, h, c, *weights)
        every_h.append(h)
        every_c.append(c)
    # What `step_gradients` is given at each step, the last first.
    last = len(rows) - 1
    given_h, given_c = [by_h + by_rows[last]], [by_c]
    for t in range(last, 0, -1):
        found = step_gradients(rows[t], every_h[t], every_c[t], weights, given_h[0], given_c[0])
        given_h = [found[1] + by_rows[t - 1], *given_h]
        given_c = [found[2], *given_c]
    # Back through those, the first step first.
    to_h, to_c = along[1], along[2]
    by_row, to_rows, at_h, at_c = [], [], [], []
    by_ih = ops.zeros_like(along[3])
    by_hh = ops.zeros_like(along[4])
    by_bias = ops.zeros_like(along[5])
    for t in range(last + 1):
        pulled = (along_rows[t], to_h, to_c, along[3], along[4], along[5])
        second = step_second(
            rows[t], every_h[t], every_c[t], weights, given_h[t], given_c[t], pulled
        )
        by_row.append(second[0])
        at_h.append(second[1])
        at_c.append(second[2])
        by_ih, by_hh, by_bias = by_ih + second[3], by_hh + second[4], by_bias + second[5]
        to_h, to_c = second[6], second[7]
        to_rows.append(to_h)
    # Back through the states, the last first.
    grad_h, grad_c = at_h[last], at_c[last]
    by_steps = [by_row[last]]
    for t in range(last - 1, -1, -1):
        found = step_gradients(rows[t], every_h[t], every_c[t], weights, grad_h, grad_c)
        by_steps = [by_row[t] + found[0], *by_steps]
        grad_h, grad_c = at_h[t] + found[1], at_c[t] + found[2]
        by_ih, by_hh, by_bias = by_ih + found[3], by_hh + found[4], by_bias + found[5]
    return stack(by_steps), grad_h, grad_c, by_ih, by_hh, by_bias, stack(to_rows), to_h, to_c
