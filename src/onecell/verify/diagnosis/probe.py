"""Probing inputs, and what a callable answers to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.reference import sigmoid
from onecell.spec import GATES
from onecell.verify.diagnosis.layouts import bias_blocks
from onecell.verify.quantities.cases import Array, responsive
from onecell.weights import Weights

Step = Callable[[Array, Array, Array], tuple[Array, Array]]
"""(x, h, c) → (h', c')."""

ROWS: Final = 6
"""N of the probing inputs."""
_SEED: Final = 1735


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Inputs, and what the callable answered."""

    x: Array
    h: Array
    c: Array
    h_next: Array
    c_next: Array

    def units(self, most: int) -> Array:
        """Return the indices of at most `most` units, evenly spaced."""
        hidden = self.h.shape[1]
        return np.unique(np.linspace(0, hidden - 1, min(most, hidden)).astype(int))


def make_probe(weights: Weights, step: Step) -> Probe:
    """Return what `step` answers to inputs on which the gates of `weights` respond."""
    rng = np.random.default_rng(_SEED)
    dtype = weights.spec.dtype

    def draw(width: int, scale: float) -> Array:
        signs = rng.choice([-1.0, 1.0], (ROWS, width))
        return (signs * rng.uniform(0.25, 1.5, (ROWS, width)) * scale).astype(dtype)

    x = draw(weights.input_size, responsive(weights.weight_ih))
    h = draw(weights.hidden_size, min(1.0, responsive(weights.weight_hh)))
    c = draw(weights.hidden_size, 1.0)
    h_next, c_next = step(x, h, c)
    wide = (np.asarray(array, np.float64) for array in (x, h, c, h_next, c_next))
    return Probe(*wide)


def largest_errors(weights: Weights, probe: Probe) -> Array:
    """Return the largest error of every unit, (H,), if the cell had `weights` and no mistake."""
    h_next, c_next = answer(before_gates(weights, probe), probe.c)
    both = np.maximum(np.abs(h_next - probe.h_next), np.abs(c_next - probe.c_next))
    return np.asarray(both.max(axis=0))


def before_gates(weights: Weights, probe: Probe) -> Array:
    """Return what goes into the gates, (4, N, H)."""
    w = weights.astype("float64")
    flat = probe.x @ w.weight_ih.T + probe.h @ w.weight_hh.T
    split = flat.reshape(len(flat), len(GATES), -1).transpose(1, 0, 2)
    return np.asarray(split + bias_blocks(w).sum(axis=0)[:, None, :])


def answer(z: Array, c: Array) -> tuple[Array, Array]:
    """Return (h', c') from what goes into the gates, the first axis of `z`."""
    c_next = sigmoid(z[1]) * c + sigmoid(z[0]) * np.tanh(z[2])
    return sigmoid(z[3]) * np.tanh(c_next), c_next
