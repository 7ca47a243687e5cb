"""One step and one unroll as MindSpore's compilers can read them.

These functions are parsed by `jit` and graph mode as well as run by Python, which keeps their style
plain. What only Python can do (checks, questions about types) is behind `constexpr`: run at once in
Python, and once in a graph, when it is compiled. A size that is dynamic there arrives as None.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, float32, float64, ops

from onecell.mindspore import arguments, composite, operators, plain
from onecell.mindspore.arguments import Dtype, Shape, StateLike


def _unknown(shapes: Sequence[Shape | None]) -> bool:
    """Whether any size is dynamic. The shape of a state that was left out is None, and known."""
    return any(shape is not None and None in shape for shape in shapes)


def _check_known(
    shapes: tuple[Shape, Shape | None, Shape | None], sizes: tuple[int, int], sequence: bool
) -> None:
    if not _unknown(shapes):
        arguments.check_shapes(shapes, sizes, sequence)


def _kernel_computes(shapes: Sequence[Shape], dtypes: Sequence[Dtype]) -> bool:
    """Whether the kernel has these element types, and MindSpore an operator for it.

    A custom operator with dynamic shapes ends in an internal error of MindSpore 2.10; one in an
    exported file is a path to a library of this machine.
    """
    first, *others = dtypes
    alike = all(dtype == first for dtype in others)
    known = alike and first in (float32, float64) and not _unknown(shapes)
    return known and not plain.is_exporting()


_check_pair = ops.constexpr(arguments.check_pair, check=False)
_check_halves = ops.constexpr(arguments.check_halves, check=False)
_check_kinds = ops.constexpr(arguments.check_kinds, check=False)
_check_dtypes = ops.constexpr(arguments.check_dtypes, check=False)
_check_weights = ops.constexpr(arguments.check_weights, check=False)
_check_shapes = ops.constexpr(_check_known, check=False)
_are_dynamic = ops.constexpr(_unknown, check=False)
_may_take = ops.constexpr(_kernel_computes, check=False)


def step(
    x: Tensor,
    hx: StateLike,
    c_0: Tensor | None,
    weights: tuple[Tensor, ...],
    sizes: tuple[int, int],
    on_kernel: bool,
) -> tuple[Tensor, Tensor]:
    """Return (h', c') for x (N, I) or (I,); `weights` are 2 or 4, `sizes` I and H."""
    h, c = _read_state(hx, c_0)
    rows, h, c = _arrange(x, h, c, weights, sizes, hx is None, False)
    w_ih, w_hh = weights[0], weights[1]
    by_kernel = on_kernel and takes(rows, h, c, weights)
    if len(weights) == 4:
        b_ih, b_hh = weights[2], weights[3]
        if by_kernel:
            found = operators.step_bias(rows, h, c, w_ih, w_hh, b_ih, b_hh)
        else:
            found = composite.step(rows, h, c, w_ih, w_hh, b_ih, b_hh)
    elif by_kernel:
        found = operators.step(rows, h, c, w_ih, w_hh)
    else:
        found = composite.step(rows, h, c, w_ih, w_hh)
    if x.ndim == 1:
        return found[0].squeeze(0), found[1].squeeze(0)
    return found[0], found[1]


def unroll(
    x: Tensor,
    hx: StateLike,
    c_0: Tensor | None,
    weights: tuple[Tensor, ...],
    sizes: tuple[int, int],
    on_kernel: bool,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return (h_all, (h, c)) for x (T, N, I) or (T, I); `weights` and `sizes` as in `step`."""
    h, c = _read_state(hx, c_0)
    rows, h, c = _arrange(x, h, c, weights, sizes, hx is None, True)
    w_ih, w_hh = weights[0], weights[1]
    by_kernel = on_kernel and takes(rows, h, c, weights)
    if x.shape[0] == 0:
        found = ops.zeros((0, rows.shape[1], sizes[1]), h.dtype), h.copy(), c.copy()
    elif len(weights) == 4:
        b_ih, b_hh = weights[2], weights[3]
        if by_kernel:
            found = operators.unroll_bias(rows, h, c, w_ih, w_hh, b_ih, b_hh)
        else:
            found = composite.unroll(rows, h, c, w_ih, w_hh, b_ih, b_hh)
    elif by_kernel:
        found = operators.unroll(rows, h, c, w_ih, w_hh)
    else:
        found = composite.unroll(rows, h, c, w_ih, w_hh)
    h_all, h_last, c_last = found[0], found[1], found[2]
    if x.ndim == 2:
        return h_all.squeeze(1), (h_last.squeeze(0), c_last.squeeze(0))
    return h_all, (h_last, c_last)


def _read_state(hx: StateLike, c_0: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return (h, c), or (None, None) for zeros."""
    if isinstance(hx, (tuple, list)):
        last = _check_pair(len(hx), c_0 is None)
        return hx[0], hx[last]
    _check_halves(hx is None, c_0 is None)
    return hx, c_0


def takes(x: Tensor, h: Tensor, c: Tensor, weights: tuple[Tensor, ...]) -> bool:
    """Whether the kernel may compute on these, in a graph that is not exported."""
    shapes = (x.shape, h.shape, c.shape)
    dtypes = (x.dtype, h.dtype, c.dtype, weights[0].dtype, weights[1].dtype)
    found: bool = _may_take(shapes, dtypes)
    return found


def _arrange(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weights: tuple[Tensor, ...],
    sizes: tuple[int, int],
    stateless: bool,
    sequence: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Check, and return x, h and c with a batch axis and zeros where there was no state."""
    kinds = (isinstance(x, Tensor), isinstance(h, Tensor), isinstance(c, Tensor))
    _check_kinds(kinds, stateless)
    if stateless:
        _check_dtypes((x.dtype, None, None), weights[0].dtype)
        _check_shapes((x.shape, None, None), sizes, sequence)
    else:
        _check_dtypes((x.dtype, h.dtype, c.dtype), weights[0].dtype)
        _check_shapes((x.shape, h.shape, c.shape), sizes, sequence)
    if len(weights) == 4:
        biases = (weights[2].shape, weights[3].shape)
        _check_weights((weights[0].shape, weights[1].shape, *biases), sizes)
    else:
        _check_weights((weights[0].shape, weights[1].shape), sizes)
    alone = x.ndim == 1
    if sequence:
        alone = x.ndim == 2
    if alone:
        x = x.expand_dims(-2)
        if not stateless:
            h, c = h.expand_dims(0), c.expand_dims(0)
    if stateless:
        h = ops.zeros((x.shape[-2], sizes[1]), x.dtype)
        c = h
    elif not sequence and _are_dynamic((x.shape, h.shape, c.shape)):
        # No check above has seen the sizes. Joining refuses what operators would broadcast:
        # unequal batches along one axis, unequal widths along the other.
        x = ops.concat((x, h, c), 1)[:, : sizes[0]]
        c = ops.concat((h, c), 0)[h.shape[0] :]
    return x, h, c
