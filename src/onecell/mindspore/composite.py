"""The cell made of MindSpore's own operators, and its gradients made of them too.

Where the kernel cannot go, this goes: other devices and element types, mixed precision, gradients
of gradients. The operators and their order are those of `mindspore.nn.LSTMCell`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, ops

_times_transposed = ops.MatMul(transpose_a=False, transpose_b=True)
_times = ops.MatMul()
_transposed_times = ops.MatMul(transpose_a=True, transpose_b=False)
_split = ops.Split(1, 4)
_sigmoid = ops.Sigmoid()
_tanh = ops.Tanh()


def step(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Compute one step; x (N, I), h and c (N, H)."""
    i, f, g, o = _gates(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    c_next = f * c + i * g
    return o * _tanh(c_next), c_next


def unroll(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute T steps, T ≥ 1; x (T, N, I). Returns h after every step, the last h, the last c."""
    every = []
    for row in _rows(x):
        h, c = step(row, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
        every.append(h)
    return _stack(every), h, c


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
    rows = _rows(x) if sequence else [x]
    states = [(h, c)]
    for row in rows:
        states.append(step(row, *states[-1], *weights))
    zeros = ops.zeros_like(h)
    by_all, *by_last = [zeros if grad is None else grad for grad in grads]
    grad_h, grad_c = by_last if sequence else (zeros, *by_last)
    by_rows = _rows(by_all) if by_all.ndim == 3 else [by_all] * len(rows)
    by_row: list[Tensor] = []
    sums: list[Tensor] = []
    for row, (h, c), by_h in zip(
        reversed(rows), reversed(states[:-1]), reversed(by_rows), strict=True
    ):
        by_z, grad_c = _gate_gradients(row, h, c, weights, grad_h + by_h, grad_c)
        grad_h = _times(by_z, weights[1])
        by_row.insert(0, _times(by_z, weights[0]))
        terms = [_transposed_times(by_z, row), _transposed_times(by_z, h), by_z.sum(0)]
        sums = [a + b for a, b in zip(sums, terms, strict=True)] if sums else terms
    grad_x = _stack(by_row) if sequence else by_row[0]
    return [grad_x, grad_h, grad_c, *sums[:2], *[sums[2]] * (len(weights) - 2)]


# By these operators and not by indexing, unbind and stack: second gradients of those fail in 2.10.
def _rows(x: Tensor) -> list[Tensor]:
    """Return the T arrays of x along its first axis, T ≥ 1."""
    return [row.squeeze(0) for row in ops.Split(0, x.shape[0])(x)]


def _stack(rows: Sequence[Tensor]) -> Tensor:
    """Return the inverse of `_rows`."""
    return ops.concat([row.expand_dims(0) for row in rows])


def _gates(
    x: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the activated gates i, f, g, o, each (N, H)."""
    z = _times_transposed(x, weight_ih) + _times_transposed(h, weight_hh)
    if bias_ih is not None:
        z = z + bias_ih + bias_hh
    i, f, g, o = _split(z)
    return _sigmoid(i), _sigmoid(f), _tanh(g), _sigmoid(o)


def _gate_gradients(
    x: Tensor, h: Tensor, c: Tensor, weights: Sequence[Tensor], grad_h: Tensor, grad_c: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients of one step by z (N, 4H) and by c, from those by h' and c'."""
    i, f, g, o = _gates(x, h, *weights)
    t = _tanh(f * c + i * g)
    by_c = grad_c + grad_h * o * (1 - t * t)
    by_z = (
        by_c * g * i * (1 - i),
        by_c * c * f * (1 - f),
        by_c * i * (1 - g * g),
        grad_h * t * o * (1 - o),
    )
    return ops.concat(by_z, 1), by_c * f
