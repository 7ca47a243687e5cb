"""The parameters themselves, number by number: what no choice of inputs can hide.

Inputs see a small weight only as well as the large ones beside it allow. So where both cells show
their weights these are compared too, each number by its own size: nobody computes with a matrix on
the way from one framework to another, so more than a few roundings are another number. A bias may
have had a constant such as a forget bias of 1 added and taken away, which rounds it as if it were
of size 1.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from onecell.spec import BIASES, PARAMETERS
from onecell.verify.quantities.cases import Array
from onecell.verify.quantities.limits import MARGIN, Threshold
from onecell.verify.quantities.readings import SAMPLES, Quantity, Reading
from onecell.weights import Weights

KIND: Final = "weights"
"""The quantities are called "weights.weight_ih" and so on."""


def rounding(name: str, want: Array, dtype: np.dtype) -> Array:
    """Return by how much each number of a parameter may be off and still be the same number."""
    found = np.finfo(dtype)
    return np.asarray(MARGIN * float(found.eps) * _sizes(name, want) + float(found.tiny))


def compare_stored(a: Weights, b: Weights, side: str) -> tuple[Quantity, ...]:
    """Hold every parameter of `b` against the one of `a`.

    Args:
        a: the weights that are right; of the sizes and the stored type of `b`.
        b: those that claim to be the same.
        side: the column of the report in which the readings stand.

    Returns:
        A quantity for every parameter of either; one that only one of them has does not hold.
    """
    right, wrong = a.widened(), b.widened()
    found = []
    for name in PARAMETERS:
        want, got = right.arrays().get(name), wrong.arrays().get(name)
        if want is None and got is None:
            continue
        there = want if want is not None else got
        assert there is not None  # noqa: S101 (one of the two is)
        nothing = np.zeros_like(there, np.float64)
        error = nothing + math.nan
        if want is not None and got is not None:
            error = got.astype(np.float64) - want
        readings = (
            _read(side, "a", name, there, nothing),
            _read(side, "b", name, there, error),
        )
        found.append(Quantity(f"{KIND}.{name}", readings))
    return tuple(found)


def _sizes(name: str, want: Array) -> Array:
    sizes = np.abs(np.asarray(want, np.float64))
    return np.maximum(sizes, 1.0) if name in BIASES else sizes


def _read(side: str, owner: str, name: str, want: Array, error: Array) -> Reading:
    """Return the reading at the number that is furthest off in units of its limit."""
    limits = rounding(name, want, want.dtype)
    at = np.unravel_index(int(np.argmax(np.abs(error) / limits)), error.shape)
    worst = abs(float(error[at]))
    eps = float(np.finfo(want.dtype).eps)
    sizes = _sizes(name, want)
    # Beside a zero as beside the largest, any other number would show.
    guards = float(np.max(sizes)) or 1.0
    threshold = Threshold(
        float(limits[at]), want.dtype.name, eps, float(sizes[at]), 0.0, 0.0, guards
    )
    flat = error.reshape(-1)
    return Reading(
        side=side,
        file="a" if owner == "a" else "b",
        error=worst,
        ulps=worst / float(np.spacing(np.abs(want[at]))),
        threshold=threshold,
        steps=None,
        samples=flat[:: max(1, -(-flat.size // SAMPLES))].copy(),
        by_step=None,
        limit_by_step=None,
    )
