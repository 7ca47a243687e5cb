"""What a caller may hand to the cell over MindSpore tensors, read and checked."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from mindspore import Tensor, bfloat16, float16, float32, float64

from onecell.errors import ArgumentError, DtypeError, ShapeError
from onecell.mindspore.errors import StateError
from onecell.spec import PARAMETERS

# MindSpore carries no types of its own: these name what is meant.
Dtype: TypeAlias = Any
StateLike: TypeAlias = Tensor | tuple[Tensor, Tensor] | list[Tensor] | None
Shape: TypeAlias = tuple[int, ...]

FLOATS: Final = (float32, float64, float16, bfloat16)

# The axes before the last one, by the number of dimensions of a step's and an unroll's input.
STEP: Final = {1: "", 2: "N, "}
UNROLL: Final = {2: "T, ", 3: "T, N, "}


def read_bias(has_bias: bool | None, bias: bool | None) -> bool:
    """Return what `has_bias` and its announced new name say together; True if neither is given.

    Raises:
        ArgumentError: they contradict.
        DtypeError: the new name is no bool; MindSpore itself checks the old one.
    """
    if bias is None:
        return True if has_bias is None else has_bias
    if not isinstance(bias, bool):
        raise DtypeError(f"`bias` must be a bool, got {bias!r} ({type(bias).__name__}).")
    if has_bias is not None and has_bias is not bias:
        raise ArgumentError(
            f"`has_bias` = {has_bias} and `bias` = {bias} contradict; they are one argument."
        )
    return bias


def check_dtype(dtype: Dtype) -> None:
    """Raise `DtypeError` unless parameters can have the type `dtype`."""
    if dtype not in FLOATS:
        names = ", ".join(f"mindspore.{str(d).lower()}" for d in FLOATS)
        raise DtypeError(f"`dtype` must be one of {names}, got {dtype!r}.")


def read_state(hx: StateLike, c_0: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """Return (h, c) out of a pair, out of two arguments, or (None, None) out of nothing.

    Raises:
        StateError: one half is missing, or there is more than a state.
    """
    if isinstance(hx, (tuple, list)):
        check_pair(len(hx), c_0 is None)
        h, c = hx
        check_kinds((True, h is not None, c is not None), False)
        return h, c
    check_halves(hx is None, c_0 is None)
    return hx, c_0


def check_pair(length: int, alone: bool) -> int:
    """Return 1, where c is in `hx`; raise `StateError` unless it has two elements, and alone."""
    if not alone:
        raise StateError("`hx` is a state (h, c) already, so `c_0` must be left out.")
    if length != 2:
        raise StateError(f"`hx` must be a state (h, c), got {length} elements.")
    return 1


def check_halves(no_h: bool, no_c: bool) -> None:
    """Raise `StateError` where one half of the state is missing and the other is there."""
    if no_h == no_c:
        return
    there, gone = ("c_0", "h_0") if no_h else ("h_0", "c_0")
    hint = "" if no_h else " A stacked state must be unpacked: (hx[0], hx[1])."
    raise StateError(f"`{there}` is given and `{gone}` is not; give both or none.{hint}")


def check_kinds(tensors: tuple[bool, bool, bool], stateless: bool) -> None:
    """Raise `DtypeError` unless x, h and c are tensors; h and c need not be if `stateless`."""
    for name, is_tensor in zip(("x", "h_0", "c_0"), tensors, strict=True):
        if not is_tensor and (name == "x" or not stateless):
            raise DtypeError(
                f"`{name}` must be a mindspore.Tensor. Make it one: mindspore.Tensor({name})."
            )


def check_dtypes(dtypes: tuple[Dtype, Dtype | None, Dtype | None], weight: Dtype) -> None:
    """Raise `DtypeError` unless those of x, h and c are float types that fit the weights'.

    Mixtures with 16-bit floats go to MindSpore's operators, which know mixed precision.
    """
    wide = (float32, float64)
    for name, dtype in zip(("x", "h_0", "c_0"), dtypes, strict=True):
        if dtype is None:
            continue
        if dtype not in FLOATS:
            raise DtypeError(f"`{name}` must hold floating-point numbers, got {dtype}.")
        if dtype != weight and dtype in wide and weight in wide:
            raise DtypeError(
                f"`{name}` must have dtype {weight}, as the cell has, got {dtype}. "
                f"Convert it on purpose: {name}.astype(mindspore.{str(weight).lower()})."
            )


def check_shapes(
    shapes: tuple[Shape, Shape | None, Shape | None], sizes: tuple[int, int], sequence: bool
) -> None:
    """Raise `ShapeError` unless those of x, h and c are of one call; `sizes` are I and H."""
    x, *state = shapes
    input_size, hidden = sizes
    ranks = UNROLL if sequence else STEP
    axes = ranks.get(len(x))
    if axes is None or x[-1] != input_size:
        forms = " or ".join(f"({axes}I)" if axes else "(I,)" for axes in ranks.values())
        raise ShapeError(f"`x` must have shape {forms} with I = {input_size}, got {x}.")
    batched = axes.endswith("N, ")
    want = (x[-2], hidden) if batched else (hidden,)
    for name, shape in zip(("h_0", "c_0"), state, strict=True):
        if shape is not None and tuple(shape) != want:
            hint = " It looks transposed." if len(shape) == 2 and shape == want[::-1] else ""
            symbols = "(N, H)" if batched else "(H,)"
            raise ShapeError(
                f"`{name}` must have shape {symbols} = {want} beside `x` of shape {x}, "
                f"got {shape}.{hint}"
            )


def check_weights(shapes: tuple[Shape, ...], sizes: tuple[int, int]) -> None:
    """Raise `ShapeError` where a parameter was replaced by one that is not of such a cell."""
    width, hidden = sizes
    rows = 4 * hidden
    wants = ((rows, width), (rows, hidden), (rows,), (rows,))
    for name, shape, want in zip(PARAMETERS, shapes, wants, strict=False):
        if tuple(shape) != want:
            raise ShapeError(f"`{name}` must have shape {want} in this cell, got {tuple(shape)}.")
