"""Eager calls without MindSpore's operators: the kernel at once, or with a gradient recorded."""

from __future__ import annotations

from functools import reduce
from operator import attrgetter, or_
from typing import Final

from mindspore import Tensor, float32, float64, nn

from onecell.mindspore import autograd, calls
from onecell.mindspore.arguments import (
    STEP,
    UNROLL,
    Dtype,
    StateLike,
    check_dtypes,
    check_kinds,
    check_shapes,
    read_state,
)
from onecell.mindspore.plain import is_recording
from onecell.spec import PARAMETERS

_contiguous: Final = Tensor.is_contiguous
_facts: Final = attrgetter("dtype", "device", "shape")


def quick_step(
    cell: nn.LSTMCell,
    x: Tensor,
    hx: StateLike = None,
    c_0: Tensor | None = None,
    sequence: bool = False,
) -> tuple[Tensor, Tensor] | None:
    """Compute one step of an everyday call; None where anything at all is out of the ordinary.

    The everyday call: a pair hx, x (N, I), everything dense and of one kind, and no gradient. The
    same facts are checked as in `run`, by one call to C++.
    """
    if c_0 is not None or sequence or calls.quick is None or is_recording():
        return None
    found: tuple[Tensor, Tensor] | None = calls.quick(cell, x, hx)
    return found


def _kernel_of(dtype: Dtype) -> calls.Kernel | None:
    if dtype is float32:
        return calls.FLOAT32
    return calls.FLOAT64 if dtype is float64 else None


def run(
    cell: nn.LSTMCell,
    x: Tensor,
    hx: StateLike = None,
    c_0: Tensor | None = None,
    sequence: bool = False,
) -> tuple[Tensor, Tensor] | tuple[Tensor, tuple[Tensor, Tensor]] | None:
    """Compute on the kernel, or return None where MindSpore's operators must.

    Every fact about memory that the kernel relies on is checked here, at every call: parameters
    and states may be replaced, moved, cast and reshaped between two calls.

    Returns:
        (h', c') of a step; (h_all, (h, c)) of a sequence; or None.

    Raises:
        StateError, DtypeError, ShapeError: as the cell documents.
    """
    h, c = read_state(hx, c_0)
    hidden, width = cell.hidden_size, cell.input_size
    try:
        weights = _weights(cell._params)
        dtype, _, shape = _facts(x)
        after = (*shape[:-1], hidden)
        state = (dtype, "CPU", after[1:] if sequence else after)
        fits = (
            len(shape) in (UNROLL if sequence else STEP)
            and _facts(x) == (dtype, "CPU", (*shape[:-1], width))
            and (h is None or (_facts(h) == state and _facts(c) == state))
            and _facts(weights[0]) == (dtype, "CPU", (4 * hidden, width))
            and _facts(weights[1]) == (dtype, "CPU", (4 * hidden, hidden))
            and all(_facts(bias) == (dtype, "CPU", (4 * hidden,)) for bias in weights[2:])
        )
    except (AttributeError, KeyError):
        fits = False
    if not fits:
        _refuse(cell, x, h, c, sequence)
        return None
    kernel = _kernel_of(dtype)
    steps, *batch = shape[:-1] if sequence else (1, *shape[:-1])
    if kernel is None or steps == 0:
        return None
    if not calls.in_memory([*weights, x] if h is None else [*weights, x, h, c]):
        return None  # MindSpore says what is to be done
    sizes = calls.Sizes(steps, batch[0] if batch else 1, width, hidden, after)
    if is_recording():
        # One row alone goes by operators: autograd wants gradients of the shapes of its inputs.
        found = _record(kernel, sizes, x, h, c, weights, sequence) if batch else None
    else:
        found = _compute(kernel, sizes, x, h, c, weights, sequence)
    return (found[0], found[1:]) if sequence and found else found


def run_layer(x: Tensor, h: Tensor, c: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...] | None:
    """Compute a layer over x (T, N, I) on the kernel; None where MindSpore's operators must.

    Returns (h_all, h, c); `weights` are two or four, in canonical order.
    """
    dtype, _, shape = _facts(x)
    kernel = _kernel_of(dtype)
    if kernel is None or len(shape) != 3 or 0 in shape:
        return None
    steps, batch, width = shape
    hidden = weights[1].shape[-1]
    state, rows = (batch, hidden), 4 * hidden
    wants = (shape, state, state, (rows, width), (rows, hidden), (rows,), (rows,))
    there = [x, h, c, *weights]
    # Without biases the list ends before the shapes do.
    if any(_facts(t) != (dtype, "CPU", want) for t, want in zip(there, wants, strict=False)):
        return None
    if not calls.in_memory(there):
        return None
    sizes = calls.Sizes(steps, batch, width, hidden, (steps, batch, hidden))
    compute = _record if is_recording() else _compute
    return compute(kernel, sizes, x, h, c, weights, True)


def _weights(parameters: dict[str, Tensor | None]) -> list[Tensor]:
    """Return the parameters that are there, in canonical order."""
    if parameters.get("bias_ih") is None:
        return [parameters["weight_ih"], parameters["weight_hh"]]
    return [parameters[name] for name in PARAMETERS]


def _compute(
    kernel: calls.Kernel,
    sizes: calls.Sizes,
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    weights: list[Tensor],
    sequence: bool,
) -> tuple[Tensor, ...]:
    """Compute at once, on the memory of the tensors or on dense copies."""
    where = calls.addresses(x, h, c, weights)
    there = (*weights, x) if h is None else (*weights, x, h, c)
    if not all(map(_contiguous, there)) or reduce(or_, where) & kernel.misaligned:
        weights = [calls.dense(weight, kernel) for weight in weights]
        x, h, c = (None if t is None else calls.dense(t, kernel) for t in (x, h, c))
        where = calls.addresses(x, h, c, weights)
    if sequence:
        return calls.unroll(kernel, sizes, where)
    return calls.step(kernel, sizes.batch, sizes.input, sizes.hidden, sizes.after, where)


def _record(
    kernel: calls.Kernel,
    sizes: calls.Sizes,
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    weights: list[Tensor],
    sequence: bool,
) -> tuple[Tensor, ...] | None:
    """Compute through MindSpore's autograd; None where that cannot be reached."""
    if h is None:
        shape = sizes.after[1:] if sequence else sizes.after
        h, c = calls.zeros(kernel, shape), calls.zeros(kernel, shape)
    return autograd.apply(kernel, sizes, [x, h, c, *weights], sequence)


def _refuse(
    cell: nn.LSTMCell, x: Tensor, h: Tensor | None, c: Tensor | None, sequence: bool
) -> None:
    """Raise what is wrong with the arguments; return where MindSpore's operators may try."""
    kinds = (isinstance(x, Tensor), isinstance(h, Tensor), isinstance(c, Tensor))
    check_kinds(kinds, h is None)
    halves = (None, None) if h is None else (h, c)
    state = [(None, None) if t is None else (t.dtype, t.shape) for t in halves]
    check_dtypes((x.dtype, state[0][0], state[1][0]), cell.weight_ih.dtype)
    sizes = (cell.input_size, cell.hidden_size)
    check_shapes((x.shape, state[0][1], state[1][1]), sizes, sequence)
