"""Wrong weights on purpose, for the tests of comparison and diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from onecell import LSTMCell, Spec, Weights
from onecell.spec import BIASES, GATES, WEIGHTS
from onecell.verify.sides import Array

State = tuple[Array, Array]
Cell = Callable[[Array, State], State]


def right(inputs: int = 5, hidden: int = 4, *, bias: bool = True, seed: int = 1) -> Weights:
    """Return fresh float32 weights."""
    return Weights.random(Spec(inputs, hidden, bias), seed)


def changed(weights: Weights, **arrays: Array) -> Weights:
    """Return the weights with other arrays in the place of some."""
    return Weights(**weights.arrays() | arrays)


def reordered(weights: Weights, order: tuple[int, ...], names: tuple[str, ...] = ()) -> Weights:
    """Return the weights with gate `order[j]` in block j, in the parameters named or in all."""
    arrays = {}
    for name, array in weights.arrays().items():
        blocks = np.split(array, len(GATES))
        moved = np.concatenate([blocks[gate] for gate in order])
        arrays[name] = moved if not names or name in names else array
    return Weights(**arrays)


def transposed(weights: Weights, names: tuple[str, ...] = WEIGHTS) -> Weights:
    """Return the weights as a file has them that keeps (K, 4H) where (4H, K) is read."""
    turned = {n: getattr(weights, n).T.copy().reshape(getattr(weights, n).shape) for n in names}
    return changed(weights, **turned)


def interleaved(weights: Weights) -> Weights:
    """Return the weights with the four gates of a unit side by side."""
    mixed = {
        name: np.ascontiguousarray(np.stack(np.split(array, len(GATES)), axis=1)).reshape(
            array.shape
        )
        for name, array in weights.arrays().items()
    }
    return Weights(**mixed)


def with_forget_bias(weights: Weights, value: float, name: str = "bias_ih") -> Weights:
    """Return the weights with `value` added to the forget gate's bias."""
    bias = getattr(weights, name).copy()
    bias[weights.hidden_size : 2 * weights.hidden_size] += np.float32(value)
    return changed(weights, **{name: bias})


def off_by(weights: Weights, name: str, at: tuple[int, ...], value: float) -> Weights:
    """Return the weights with `value` added to one number."""
    array = getattr(weights, name).copy()
    array[at] += np.float32(value)
    return changed(weights, **{name: array})


BIAS_MISTAKES: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "": lambda b, r: (b, r),
    "bias_ih was dropped": lambda b, r: (0 * b, r),
    "bias_hh was dropped": lambda b, r: (b, 0 * r),
    "both biases were dropped": lambda b, r: (0 * b, 0 * r),
    "bias_ih is doubled": lambda b, r: (2 * b, r),
    "bias_hh is doubled": lambda b, r: (b, 2 * r),
    "both biases are doubled": lambda b, r: (2 * b, 2 * r),
    "the biases were summed into bias_ih": lambda b, r: (b + r, 0 * r),
    "the biases were summed into bias_hh": lambda b, r: (0 * b, b + r),
    "each bias is the sum of both": lambda b, r: (b + r, b + r),
    "bias_ih and bias_hh are in each other's place": lambda b, r: (r, b),
    "bias_hh stands in the place of bias_ih": lambda b, r: (r, r),
    "bias_ih stands in the place of bias_hh": lambda b, r: (b, b),
}
"""What a diagnosis must say → what is done to the two biases."""

VISIBLE = {
    said: mistake
    for said, mistake in BIAS_MISTAKES.items()
    if not said.startswith(("the biases were summed", "each bias", "bias_ih and bias_hh"))
}
"""Those that an answer can tell apart."""


def with_biases(weights: Weights, said: str) -> Weights:
    """Return the weights with one of `BIAS_MISTAKES`."""
    biases: Any = BIAS_MISTAKES[said](*(getattr(weights, name) for name in BIASES))
    return changed(weights, bias_ih=biases[0], bias_hh=biases[1])


def as_function(weights: Weights) -> Cell:
    """Return a function that computes with `weights` and shows nothing of them."""
    cell = LSTMCell.from_weights(weights)

    def step(x: Array, state: State) -> State:
        h, c = cell(x, state)
        return h, c

    return step


def say_order(order: tuple[int, ...]) -> str:
    """Return what a diagnosis must say of an order of gates."""
    moved = [GATES[place] for place, gate in enumerate(order) if place != gate]
    if not moved:
        return ""
    if len(moved) == 2:
        return f"gates {moved[0]} and {moved[1]} are swapped"
    return f"gates are stored in the order {' '.join(GATES[gate] for gate in order)}"
