"""Constants of an ONNX graph that are cut, put together or turned before an operator gets them.

torch's exporter writes the weights of an `LSTMCell` so: the gates of torch's arrays are cut apart
and put together in ONNX's order by the graph. Operators that move numbers are followed, after
https://onnx.ai/onnx/operators/; none that computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from onecell.checkpoint.content import MOST_DIMENSIONS

Numbers = Sequence[int]
Inputs = Sequence[np.ndarray | None]
Attributes = Mapping[str, list[int]]

LONGEST: Final = 64
"""The most numbers that an attribute of these has."""


def _given(inputs: Inputs, place: int, attributes: Attributes, name: str) -> list[int] | None:
    """Return numbers that are an input, as they are since some version, or an attribute."""
    if len(inputs) > place and (array := inputs[place]) is not None:
        return [int(n) for n in array.reshape(-1)[: LONGEST + 1]]
    return attributes.get(name)


def _slice(inputs: Inputs, attributes: Attributes, output: int, outputs: int) -> np.ndarray:
    del output, outputs
    array = _first(inputs)
    starts, ends, axes, steps = (
        _given(inputs, place, attributes, name)
        for place, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    if starts is None or ends is None:
        raise ValueError
    parts = [slice(None)] * array.ndim
    axes = list(range(len(starts))) if axes is None else axes
    for axis, start, end, step in zip(axes, starts, ends, steps or [1] * len(axes), strict=True):
        if step < 1:
            raise ValueError
        parts[axis] = slice(start, end, step)
    return array[tuple(parts)]


def _concat(inputs: Inputs, attributes: Attributes, output: int, outputs: int) -> np.ndarray:
    del output, outputs
    (axis,) = attributes["axis"]
    return np.concatenate([each for each in inputs if each is not None], axis)


def _unsqueeze(inputs: Inputs, attributes: Attributes, output: int, outputs: int) -> np.ndarray:
    del output, outputs
    axes = _given(inputs, 1, attributes, "axes") or []
    if len(axes) + _first(inputs).ndim > MOST_DIMENSIONS:
        raise ValueError
    return np.expand_dims(_first(inputs), tuple(axes))


def _squeeze(inputs: Inputs, attributes: Attributes, output: int, outputs: int) -> np.ndarray:
    del output, outputs
    axes = _given(inputs, 1, attributes, "axes")
    return np.squeeze(_first(inputs), None if axes is None else tuple(axes))


def _transpose(inputs: Inputs, attributes: Attributes, output: int, outputs: int) -> np.ndarray:
    del output, outputs
    return np.transpose(_first(inputs), attributes.get("perm"))


def _reshape(inputs: Inputs, attributes: Attributes, output: int, outputs: int) -> np.ndarray:
    del output, outputs
    array = _first(inputs)
    sizes = _given(inputs, 1, attributes, "shape")
    if sizes is None or len(sizes) > MOST_DIMENSIONS:
        raise ValueError
    if attributes.get("allowzero") != [1]:
        sizes = [array.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    return array.reshape(sizes)


def _split(inputs: Inputs, attributes: Attributes, output: int, outputs: int) -> np.ndarray:
    array = _first(inputs)
    (axis,) = attributes.get("axis", [0])
    sizes = _given(inputs, 1, attributes, "split")
    if sizes is None:
        return np.split(array, outputs, axis)[output]
    if sum(sizes) != array.shape[axis] or min(sizes) < 0:
        raise ValueError
    return np.split(array, np.cumsum(sizes)[:-1], axis)[output]


def _first(inputs: Inputs) -> np.ndarray:
    if not inputs or inputs[0] is None:
        raise ValueError
    return inputs[0]


_MOVES: Final[Mapping[str, Callable[[Inputs, Attributes, int, int], np.ndarray]]] = {
    "Slice": _slice,
    "Concat": _concat,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Split": _split,
}
MOVES: Final = frozenset(_MOVES)
"""The operators that are followed."""


def move(
    kind: str, inputs: Inputs, attributes: Attributes, output: int, outputs: int
) -> np.ndarray | None:
    """Return one output of an operator of `MOVES`; None where it could not be run so."""
    try:
        return _MOVES[kind](inputs, attributes, output, outputs)
    except (ValueError, IndexError, KeyError, TypeError):
        return None
