"""The oracle as a side: float64 NumPy, whatever the weights are stored in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

import numpy as np

from onecell import reference
from onecell.verify.quantities.optimizers import Optimizer, spread
from onecell.verify.sides import Array, Side
from onecell.weights import Weights

_CLAMPED: Final = 5.0


class _Activations(TypedDict):
    """How the reference computes them."""

    tanh: reference.Tanh
    logistic: reference.Tanh


class ReferenceSide:
    """`onecell.reference` on given weights.

    Args:
        weights: of the cell.
        tanh: what computes it.
        logistic: what computes the sigmoid.
        epsilon_first: how its Adam is to be; see `Optimizer`.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        tanh: reference.Tanh = np.tanh,
        logistic: reference.Tanh = reference.sigmoid,
        epsilon_first: bool = False,
    ) -> None:
        self.weights = weights.astype("float64")
        self.computed_by: _Activations = {"tanh": tanh, "logistic": logistic}
        self.epsilon_first = epsilon_first
        self.leaves_out: Mapping[str, str] = {}

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step."""
        return reference.step(self.weights, x, h, c, **self.computed_by)

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return the hand-derived gradients."""
        found = reference.gradients(
            self.weights, x, h, c, grad_h_all, None, grad_c_last, **self.computed_by
        )
        return {name: getattr(found, name) for name in ("x", "h", "c", *self.weights.spec.names)}

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        return reference.unroll(self.weights, x, h, c, **self.computed_by)

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Return the steps as their formula has them; they depend on the gradients alone."""
        taken = optimizer.total(np.asarray(given, np.float64))
        arrays = self.weights.arrays()
        moved = {name: -spread(taken, name, array.shape) for name, array in arrays.items()}
        after = Weights(**{name: array + moved[name] for name, array in arrays.items()})
        h_next, c_next = reference.step(after, x, h, c, **self.computed_by)
        return {**moved, "h": h_next, "c": c_next}


def coarse_tanh(x: Array) -> Array:
    """Return the fraction of polynomials that MindSpore computes on a CPU in the place of tanh.

    It is the continued fraction x / (1 + x² / (3 + x² / (5 + …))) up to 13, and ±1 beyond 5:
    off by up to 1e-4 near 5, by 1e-6 at 3.
    """
    square = np.square(x)
    below = np.full_like(square, 13.0)
    for odd in range(11, 0, -2):
        below = odd + square / below
    return np.asarray(np.where(np.abs(x) > _CLAMPED, np.sign(x), x / below))


def open_side(weights: Weights) -> Side:
    """Return the reference holding `weights`."""
    return ReferenceSide(weights)
