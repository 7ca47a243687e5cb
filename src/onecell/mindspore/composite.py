"""The cell made of MindSpore's own operators, and its gradients made of them too.

Where the kernel cannot go, this goes: other devices and element types, mixed precision, gradients
of gradients. The operators and their order are those of `mindspore.nn.LSTMCell`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, ops

times_transposed = ops.MatMul(transpose_a=False, transpose_b=True)
times = ops.MatMul()
transposed_times = ops.MatMul(transpose_a=True, transpose_b=False)
split = ops.Split(1, 4)
_sigmoid = ops.Sigmoid()
tanh = ops.Tanh()


def step(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
    """Compute one step; x (N, I), h and c (N, H), and two or four weights."""
    i, f, g, o = gates(x, h, weights)
    c_next = f * c + i * g
    return o * tanh(c_next), c_next


def unroll(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Compute T steps, T ≥ 1; x (T, N, I). Returns h after every step, the last h, the last c."""
    every = []
    for row in rows_of(x):
        h, c = step(row, h, c, *weights)
        every.append(h)
    return stack(every), h, c


def gradients(
    inputs: Sequence[Tensor], grads: Sequence[Tensor | None], *, sequence: bool
) -> list[Tensor]:
    """Return the gradients by x, h, c and the weights, as operators that can be differentiated.

    Args:
        inputs: x (N, I) or with `sequence` (T, N, I), h, c, and two or four weights.
        grads: by the results of `step` or, with `sequence`, of `unroll`; None for zeros.
        sequence: which of the two.
    """
    x, h, c, *weights = inputs
    zeros = ops.zeros_like(h)
    by_all, *by_last = [zeros if grad is None else grad for grad in grads]
    if sequence:
        if by_all.ndim == 2:
            by_all = ops.zeros((len(x), *h.shape), h.dtype)
        found = unroll_gradients(x, h, c, tuple(weights), by_all, *by_last)
    else:
        found = step_gradients(x, h, c, tuple(weights), by_all, *by_last)
    return [*found[:5], *[found[5]] * (len(weights) - 2)]


def step_gradients(
    x: Tensor, h: Tensor, c: Tensor, weights: tuple[Tensor, ...], by_h: Tensor, by_c: Tensor
) -> tuple[Tensor, ...]:
    """Return the gradients by x, h, c, both matrices and a bias, from those by h' and c'."""
    by_z, grad_c = _gate_gradients(x, h, c, weights, by_h, by_c)
    grad_x, grad_h = times(by_z, weights[0]), times(by_z, weights[1])
    by_ih, by_hh = transposed_times(by_z, x), transposed_times(by_z, h)
    return grad_x, grad_h, grad_c, by_ih, by_hh, by_z.sum(0)


def unroll_gradients(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weights: tuple[Tensor, ...],
    by_all: Tensor,
    by_h: Tensor,
    by_c: Tensor,
) -> tuple[Tensor, ...]:
    """Return the same of T steps, T ≥ 1, from those by h after every step, the last h, the last c.

    MindSpore's compilers read this.
    """
    rows, by_rows = rows_of(x), rows_of(by_all)
    every_h, every_c = [h], [c]
    for row in rows:
        h, c = step(row, h, c, *weights)
        every_h.append(h)
        every_c.append(c)
    last = len(rows) - 1
    found = step_gradients(
        rows[last], every_h[last], every_c[last], weights, by_h + by_rows[last], by_c
    )
    by_row = [found[0]]
    by_ih, by_hh, by_bias = found[3], found[4], found[5]
    for t in range(last - 1, -1, -1):
        found = step_gradients(
            rows[t], every_h[t], every_c[t], weights, found[1] + by_rows[t], found[2]
        )
        by_row = [found[0], *by_row]
        by_ih, by_hh, by_bias = by_ih + found[3], by_hh + found[4], by_bias + found[5]
    return stack(by_row), found[1], found[2], by_ih, by_hh, by_bias


# By these operators and not by indexing, unbind and stack: second gradients of those fail in 2.10.
def rows_of(x: Tensor) -> list[Tensor]:
    """Return the T arrays of x along its first axis, T ≥ 1."""
    return [row.squeeze(0) for row in ops.Split(0, x.shape[0])(x)]


def stack(rows: Sequence[Tensor]) -> Tensor:
    """Return the inverse of `rows_of`."""
    return ops.concat([row.expand_dims(0) for row in rows])


def gates(
    x: Tensor, h: Tensor, weights: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the activated gates i, f, g, o, each (N, H); `weights` are 2 or 4."""
    z = times_transposed(x, weights[0]) + times_transposed(h, weights[1])
    if len(weights) == 4:
        z = z + weights[2] + weights[3]
    i, f, g, o = split(z)
    return _sigmoid(i), _sigmoid(f), tanh(g), _sigmoid(o)


def _gate_gradients(
    x: Tensor, h: Tensor, c: Tensor, weights: tuple[Tensor, ...], grad_h: Tensor, grad_c: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients of one step by z (N, 4H) and by c, from those by h' and c'."""
    i, f, g, o = gates(x, h, weights)
    t = tanh(f * c + i * g)
    by_c = grad_c + grad_h * o * (1 - t * t)
    by_z = (
        by_c * g * i * (1 - i),
        by_c * c * f * (1 - f),
        by_c * i * (1 - g * g),
        grad_h * t * o * (1 - o),
    )
    return ops.concat(by_z, 1), by_c * f
