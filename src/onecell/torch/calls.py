"""The kernel over plain tensors: memory laid out, results allocated, no gradient recorded.

Every tensor that comes in must be plain (see `plain`) and of one dtype, shapes checked. Whatever
its strides or alignment, the kernel gets a contiguous, aligned array: the tensor itself or a copy.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import torch
from torch import Tensor

from onecell import _kernel

STEP: Final = {torch.float32: _kernel.step_f32, torch.float64: _kernel.step_f64}
UNROLL: Final = {torch.float32: _kernel.unroll_f32, torch.float64: _kernel.unroll_f64}
BACKWARD: Final = {torch.float32: _kernel.backward_f32, torch.float64: _kernel.backward_f64}

Weights: TypeAlias = tuple[Tensor, Tensor, Tensor | None, Tensor | None]


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


def dense(tensor: Tensor) -> Tensor:
    """Return `tensor`, or a copy of it where the kernel could not read it as it lies."""
    tensor = tensor.contiguous()
    return tensor.clone() if tensor.data_ptr() % tensor.element_size() else tensor


def address(tensor: Tensor | None) -> int:
    """Return where the first element lies; 0 for None."""
    return 0 if tensor is None else tensor.data_ptr()


def forward(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: Weights, *, record: bool
) -> Forward:
    """Compute T ≥ 1 steps from x (T, N, I), or one from x (N, I); h and c are (N, H) or None."""
    *time, batch, input_size = x.shape
    hidden_size = weights[1].shape[1]
    kept = [None if t is None else dense(t) for t in (*weights, x, h, c)]
    h_all = x.new_empty((*time, batch, hidden_size))
    c_all = x.new_empty((*time, batch, hidden_size) if record else (batch, hidden_size))
    gates = x.new_empty((*time, batch, 4 * hidden_size)) if record else None
    UNROLL[x.dtype](
        time[0] if time else 1, batch, input_size, hidden_size, *map(address, kept),
        address(h_all), address(c_all), address(gates),
    )  # fmt: skip
    return Forward(h_all, c_all, gates)


def backward(
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    done: tuple[Tensor | None, Tensor, Tensor],
    grads: tuple[Tensor | None, Tensor | None, Tensor | None],
    wanted: tuple[bool, ...],
) -> Gradients:
    """Compute gradients through T steps.

    Args:
        x: as in `forward`; so are h, c and the weights.
        h: as in `forward`.
        c: as in `forward`.
        weight_ih: as in `forward`.
        weight_hh: as in `forward`.
        done: h_all, c_all and gates, as `forward` recorded them; for one step, h_all is not read.
        grads: gradients of the loss by h_all, by the last h and by the last c; None for zeros.
        wanted: which of the six `Gradients` to compute.
    """
    *time, batch, input_size = x.shape
    rows, hidden_size = weight_hh.shape
    sources = (weight_ih, weight_hh, x, h, c, *done, *grads)
    kept = [None if t is None else dense(t) for t in sources]
    state = (batch, hidden_size)
    shapes = (x.shape, state, state, weight_ih.shape, weight_hh.shape, (rows,))
    made = [x.new_empty(s) if want else None for s, want in zip(shapes, wanted, strict=True)]
    BACKWARD[x.dtype](
        time[0] if time else 1, batch, input_size, hidden_size,
        *map(address, kept), *map(address, made),
    )  # fmt: skip
    return Gradients(*made)
