"""The oracle as a side: float64 NumPy, whatever the weights are stored in."""

from __future__ import annotations

from collections.abc import Mapping

from onecell import reference
from onecell.verify.optimizers import Optimizer
from onecell.verify.sides import Array, Side
from onecell.weights import Weights


class ReferenceSide:
    """`onecell.reference` on given weights."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights.astype("float64")
        self.leaves_out: Mapping[str, str] = {}

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step."""
        return reference.step(self.weights, x, h, c)

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return the hand-derived gradients."""
        found = reference.gradients(self.weights, x, h, c, grad_h_all, None, grad_c_last)
        return {name: getattr(found, name) for name in ("x", "h", "c", *self.weights.spec.names)}

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        return reference.unroll(self.weights, x, h, c)

    def train(self, optimizer: Optimizer, gradients: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the step as its formula has it, in float64."""
        pairs = self.weights.arrays().items()
        return {
            name: optimizer.step(parameter, gradients[name])
            for name, parameter in pairs
            if name in gradients
        }


def open_side(weights: Weights) -> Side:
    """Return the reference holding `weights`."""
    return ReferenceSide(weights)
