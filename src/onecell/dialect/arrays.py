"""Move the arrays of one cell between the layout of a row and the canonical one.

Bits move; only two things compute. Two biases become one by their sum, rounded once, unless one of
the two is zero and the other therefore the sum as it stands. A forget gate's offset is added or
taken away in float64, rounded once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from onecell.dialect.layout import Layout, is_weight
from onecell.dtypes import dtype_name, narrow, widen
from onecell.errors import DtypeError, ShapeError
from onecell.gates import GATES

Arrays = dict[str, np.ndarray]
_FORGET: Final = GATES.index("f")


def to_canonical(pieces: Mapping[str, np.ndarray], layout: Layout, *, reverse: bool) -> Arrays:
    """Return canonical name → array out of the pieces of one cell; see `Layout`.

    Args:
        pieces: all that `layout.required` names, and all biases or none.
        layout: theirs.
        reverse: where directions lie along an axis, take the backward one.

    Raises:
        ShapeError: a piece has not the dimensions, or not the four blocks, that `layout` says.
        DtypeError: the gates of a piece differ in their element type.
    """
    if layout.is_canonical:
        return dict(pieces)
    apart = dict(pieces)
    if layout.directions:
        apart = {name: _direction(name, array, reverse) for name, array in apart.items()}
    _check_dimensions(apart)
    if layout.per_gate:
        apart = _fused(apart, layout)
    found: Arrays = {}
    for name, array in apart.items():
        if not is_weight(name):
            halves = _halves(name, array) if layout.halves else {_bias(name): array}
            found |= {half: _reorder(half, each, layout) for half, each in halves.items()}
        elif layout.joined:
            found |= _two_kernels(array, layout)
        else:
            found[name] = _reorder(name, array if layout.gates_first else array.T, layout)
    if layout.biases == 1 and "bias_ih" in found:
        if layout.forget_offset:
            found["bias_ih"] = _moved(found["bias_ih"], layout.forget_offset)
        # One bias has no unique split. Into bias_ih whole: the sum, and so every output, is exact.
        found["bias_hh"] = np.zeros_like(found["bias_ih"])
    return found


def from_canonical(arrays: Mapping[str, np.ndarray], layout: Layout) -> Arrays:
    """Return the pieces of one cell in `layout`: the inverse of `to_canonical`, one direction."""
    if layout.is_canonical:
        return dict(arrays)
    found = dict(arrays)
    if layout.always_bias and "bias_ih" not in found:
        weight = found["weight_ih"]
        found |= dict.fromkeys(("bias_ih", "bias_hh"), np.zeros(len(weight), weight.dtype))
    if layout.biases == 1 and "bias_ih" in found:
        bias = merge_biases(found.pop("bias_ih"), found.pop("bias_hh"))
        found["bias"] = _moved(bias, -layout.forget_offset) if layout.forget_offset else bias
    order = [GATES.index(gate) for gate in layout.gates]
    found = {name: _blocks(name, array, order) for name, array in found.items()}
    if layout.halves and "bias_ih" in found:
        found["bias"] = np.concatenate([found.pop("bias_ih"), found.pop("bias_hh")])
    if layout.joined:
        found = {"weight": np.hstack([found.pop("weight_ih"), found.pop("weight_hh")]), **found}
    if layout.per_gate:
        found = {
            f"{name}.{gate}": block
            for name, array in found.items()
            for gate, block in zip(layout.gates, np.split(array, len(GATES)), strict=True)
        }
    if not layout.gates_first:
        found = {n: a.T if is_weight(n) else a for n, a in found.items()}
    if layout.directions:
        found = {name: array[np.newaxis] for name, array in found.items()}
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def merge_biases(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the sum of two biases, rounded once; the other's bits where one of them is zero."""
    with np.errstate(all="ignore"):  # NaN and infinity are the file's own
        wide = [widen(array).astype(np.float64) for array in (one, other)]
        merged = narrow(wide[0] + wide[1], dtype_name(one.dtype))
    return np.where(wide[1] == 0, one, np.where(wide[0] == 0, other, merged))


def _moved(bias: np.ndarray, offset: float) -> np.ndarray:
    """Return a canonical bias whose forget gate has `offset` more."""
    with np.errstate(all="ignore"):
        wide = widen(bias).astype(np.float64) + offset
        moved = narrow(wide, dtype_name(bias.dtype))
    units = len(bias) // len(GATES)
    forget = np.arange(len(bias)) // units == _FORGET
    return np.where(forget, moved, bias)


def _bias(name: str) -> str:
    return "bias_ih" if name == "bias" else name


def _direction(name: str, array: np.ndarray, reverse: bool) -> np.ndarray:
    """Return one direction of an array that may have an axis of directions before all others."""
    axes = 3 if is_weight(name) else 2
    if array.ndim != axes:
        if reverse:
            raise ShapeError(f"`{name}` has one direction, of shape {array.shape}.")
        return array
    if len(array) > 2:
        raise ShapeError(f"`{name}` must have one or two directions, got shape {array.shape}.")
    if reverse >= len(array):
        raise ShapeError(f"`{name}` must have a backward direction, got shape {array.shape}.")
    one: np.ndarray = array[int(reverse)]
    return one


def _check_dimensions(pieces: Mapping[str, np.ndarray]) -> None:
    for name, array in pieces.items():
        axes = 2 if is_weight(name) else 1
        if array.ndim != axes:
            said = f"{axes} dimension{'s' if axes > 1 else ''}"
            raise ShapeError(f"`{name}` must have {said}, got shape {array.shape}.")


def _fused(pieces: Mapping[str, np.ndarray], layout: Layout) -> Arrays:
    """Return the arrays of the four gates as one each, along the gate axis."""
    fused = {}
    for stem in dict.fromkeys(name.partition(".")[0] for name in pieces):
        axis = 0 if layout.gates_first or not is_weight(stem) else 1
        blocks = [pieces[f"{stem}.{gate}"] for gate in layout.gates]
        if len({block.shape for block in blocks}) > 1:
            shapes = ", ".join(str(block.shape) for block in blocks)
            raise ShapeError(f"`{stem}` must have one shape for every gate, got {shapes}.")
        if len(kinds := {dtype_name(block.dtype) for block in blocks}) > 1:
            said = " and ".join(sorted(kinds))
            raise DtypeError(f"`{stem}` must have one element type for every gate, got {said}.")
        fused[stem] = np.concatenate(blocks, axis=axis)
    return fused


def _halves(name: str, array: np.ndarray) -> Arrays:
    if len(array) % 2:
        raise ShapeError(f"`{name}` must have 8H elements, got {len(array)}.")
    ih, hh = np.split(array, 2)
    return {"bias_ih": ih, "bias_hh": hh}


def _two_kernels(array: np.ndarray, layout: Layout) -> Arrays:
    """Return both kernels out of one array, the gates along its first axis."""
    array = array if layout.gates_first else array.T
    inputs = array.shape[1] - len(array) // len(GATES)
    if inputs < 1:
        raise ShapeError(
            f"`weight` must have 4H by I+H elements with I ≥ 1 and H ≥ 1, got {array.shape}."
        )
    array = _reorder("weight", array, layout)
    return {"weight_ih": array[:, :inputs], "weight_hh": array[:, inputs:]}


def _reorder(name: str, array: np.ndarray, layout: Layout) -> np.ndarray:
    """Return an array of `layout` with its gate blocks along axis 0 in canonical order."""
    return _blocks(name, array, [layout.gates.index(gate) for gate in GATES])


def _blocks(name: str, array: np.ndarray, order: list[int]) -> np.ndarray:
    """Return `array` with its four gate blocks along axis 0 in the given order."""
    if len(array) % len(GATES):
        raise ShapeError(f"a gate axis of {len(array)} is not four equal blocks (`{name}`).")
    blocks = np.split(array, len(GATES))
    return np.concatenate([blocks[block] for block in order])
