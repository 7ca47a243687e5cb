"""The kernel over plain tensors: memory laid out, results allocated, no gradient recorded.

Every tensor that comes in must be plain (see `plain`), of one dtype, and fit: nothing below here
can check, and the kernel reads and writes as many elements as the sizes say. Whatever its strides
or alignment, the kernel gets a contiguous, aligned array: the tensor itself or a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

import torch
from torch import Tensor

from onecell import _kernel

UNROLL: Final = {torch.float32: _kernel.unroll_f32, torch.float64: _kernel.unroll_f64}
BACKWARD: Final = {torch.float32: _kernel.backward_f32, torch.float64: _kernel.backward_f64}

Weights: TypeAlias = tuple[Tensor, Tensor, Tensor | None, Tensor | None]
Inputs: TypeAlias = tuple[Tensor, Tensor | None, Tensor | None, Tensor, Tensor]
"""x, h, c, weight_ih, weight_hh."""


class Forward(NamedTuple):
    """What the kernel computed; without a T where the input had none."""

    h_all: Tensor
    """(T, N, H) or (N, H): h after every step."""
    c_all: Tensor
    """(T, N, H) or (N, H) where recorded for `backward`, else (N, H): the last c."""
    gates: Tensor | None
    """(T, N, 4H) or (N, 4H) where recorded: the activated gates."""


class Gradients(NamedTuple):
    """Gradients by what went in; None where not wanted."""

    x: Tensor | None
    h: Tensor | None
    c: Tensor | None
    weight_ih: Tensor | None
    weight_hh: Tensor | None
    bias: Tensor | None
    """Of `bias_ih` and of `bias_hh` alike: the two only ever occur as a sum."""


def fits(x: Tensor, h: Tensor | None, c: Tensor | None, weights: Sequence[Tensor | None]) -> bool:
    """Whether `forward` may compute these, as far as shapes go, and has something to compute."""
    weight_ih, weight_hh, *biases = weights
    if weight_ih is None or weight_hh is None or weight_hh.dim() != 2 or x.dim() not in (2, 3):
        return False
    hidden_size, input_size = weight_hh.shape[1], x.shape[-1]
    if hidden_size == 0 or input_size == 0 or (x.dim() == 3 and x.shape[0] == 0):
        return False
    rows, state = 4 * hidden_size, (x.shape[-2], hidden_size)
    tensors = (h, c, weight_ih, weight_hh, *biases)
    shapes = (state, state, (rows, input_size), (rows, hidden_size), (rows,), (rows,))
    return _have(zip(tensors, shapes, strict=False)) and len({b is None for b in biases}) < 2


def fits_back(
    inputs: Inputs, done: Sequence[Tensor | None], grads: Sequence[Tensor | None]
) -> bool:
    """Whether `backward` may compute these, as far as shapes go; arguments as there."""
    x, h, c, weight_ih, weight_hh = inputs
    if not fits(x, h, c, (weight_ih, weight_hh)):
        return False
    hidden_size = weight_hh.shape[1]
    every, last = (*x.shape[:-1], hidden_size), (x.shape[-2], hidden_size)
    gates = (*x.shape[:-1], 4 * hidden_size)
    shapes = (every, every, gates, every, last, last)
    return _have(zip((*done, *grads), shapes, strict=True))


def _have(wanted: Iterable[tuple[Tensor | None, tuple[int, ...]]]) -> bool:
    return all(tensor is None or tensor.shape == shape for tensor, shape in wanted)


def only(values: Iterable[Tensor | None], wanted: Iterable[bool]) -> tuple[Tensor | None, ...]:
    """Return the values that are wanted, None in the place of the others."""
    return tuple(t if want else None for t, want in zip(values, wanted, strict=True))


def addresses(tensors: Iterable[Tensor | None]) -> tuple[list[int], list[Tensor | None]]:
    """Return where the tensors lie, 0 for None, and what must stay alive while that is used.

    A tensor that the kernel could not read as it lies is copied.
    """
    kept = [None if t is None else t.contiguous() for t in tensors]
    where = [0 if t is None else t.data_ptr() for t in kept]
    if any(at & 7 for at in where):  # Rare: torch's own memory is aligned to 64 bytes.
        for i, tensor in enumerate(kept):
            if tensor is not None and where[i] % tensor.element_size():
                kept[i] = copy = tensor.clone()
                where[i] = copy.data_ptr()
    return where, kept


def forward(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: Weights, *, record: bool
) -> Forward:
    """Compute T ≥ 1 steps from x (T, N, I), or one from x (N, I); h and c are (N, H) or None."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    *time, batch, input_size = x.shape
    hidden_size = weight_hh.shape[1]
    where, _alive = addresses((weight_ih, weight_hh, bias_ih, bias_hh, x, h, c))
    h_all = x.new_empty((*time, batch, hidden_size))
    c_all = torch.empty_like(h_all) if record else x.new_empty((batch, hidden_size))
    gates = x.new_empty((*time, batch, 4 * hidden_size)) if record else None
    UNROLL[x.dtype](
        time[0] if time else 1, batch, input_size, hidden_size, *where,
        *(0 if t is None else t.data_ptr() for t in (h_all, c_all, gates)),
    )  # fmt: skip
    return Forward(h_all, c_all, gates)


def backward(
    inputs: Inputs,
    done: Sequence[Tensor | None],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> Gradients:
    """Compute gradients through T steps.

    Args:
        inputs: x, h, c, weight_ih and weight_hh, as in `forward`.
        done: h_all, c_all and gates, as `forward` recorded them; for one step h_all may be None.
        grads: gradients of the loss by h_all, by the last h and by the last c; None for zeros.
        wanted: which of the six `Gradients` to compute.
    """
    x, h, c, weight_ih, weight_hh = inputs
    *time, batch, input_size = x.shape
    rows, hidden_size = weight_hh.shape
    where, _alive = addresses((weight_ih, weight_hh, x, h, c, *done, *grads))
    state = (batch, hidden_size)
    shapes = (x.shape, state, state, weight_ih.shape, weight_hh.shape, (rows,))
    made = [x.new_empty(s) if want else None for s, want in zip(shapes, wanted, strict=True)]
    BACKWARD[x.dtype](
        time[0] if time else 1, batch, input_size, hidden_size,
        *where, *(0 if t is None else t.data_ptr() for t in made),
    )  # fmt: skip
    return Gradients(*made)
