"""onecell's own cell over NumPy arrays, as a side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onecell.cell import LSTMCell
from onecell.verify.quantities.optimizers import Optimizer, spread
from onecell.verify.sides import Array, Side, moves
from onecell.weights import Weights


class ArraysSide:
    """`onecell.LSTMCell` on given weights."""

    epsilon_first = False

    def __init__(self, weights: Weights) -> None:
        self.cell = LSTMCell.from_weights(weights)
        self.leaves_out: Mapping[str, str] = {}

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step."""
        h_next, c_next = self.cell(x, (h, c))
        return h_next, c_next

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return the kernel's gradients through time."""
        _, pullback = self.cell.unroll_vjp(x, (h, c))
        found = pullback(grad_h_all, None, grad_c_last)
        return {name: getattr(found, name) for name in ("x", "h", "c", *self._parameters())}

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step, one call a step."""
        h_all, c_all = [], []
        for row in x:
            h, c = self.step(row, h, c)
            h_all.append(h)
            c_all.append(c)
        return np.stack(h_all), np.stack(c_all)

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Take the steps by their formula, written into the weights that the copy reads."""
        copy = LSTMCell.from_weights(self.cell.weights)
        after, before = copy.weights.arrays(), self._parameters()
        for name, array in after.items():
            gradients = np.stack([spread(row, name, array.shape) for row in given])
            for taken in optimizer.updates(gradients.astype(array.dtype)):
                np.subtract(array, taken, out=array)
        h_next, c_next = copy(x, (h, c))
        return {**moves(after, before), "h": h_next, "c": c_next}

    def _parameters(self) -> dict[str, Array]:
        return self.cell.weights.arrays()


def open_side(weights: Weights) -> Side:
    """Return onecell's cell holding a copy of `weights`."""
    return ArraysSide(weights)
