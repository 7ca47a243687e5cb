"""Which order, treatment and constants turn the biases of a into those of b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.spec import BIASES, GATES
from onecell.verify.diagnosis.layouts import (
    IDENTITY,
    ORDERS,
    TREATMENTS,
    Treatment,
    bias_blocks,
    offset_finding,
    tidy,
)
from onecell.verify.diagnosis.leftover import Part
from onecell.verify.diagnosis.matrices import Order
from onecell.verify.quantities.cases import Array
from onecell.verify.wording import Finding
from onecell.weights import Weights


def explain_biases(
    a: Weights, b: Weights, orders: tuple[Order, ...], *, grain: float, interleaved: bool
) -> tuple[list[Part], list[Finding], Order | None]:
    """Explain both biases, in the order of the matrices or in one of their orders.

    Returns:
        The parts, the findings but for the order, and the order; None where there is none to see.
    """
    orders = tuple(dict.fromkeys((*orders, IDENTITY)))
    if not a.bias and not b.bias:
        return [], [], None
    right, got = bias_blocks(a), bias_blocks(b)
    if interleaved:
        got = got.reshape(2, -1, len(GATES)).transpose(0, 2, 1)
    if not a.bias:
        said = Finding("biases added" if got.any() else "zero biases added", {})
        return _bias_parts(got, got), [said], None
    if not b.bias and not right.any():
        return _bias_parts(got, right), [Finding("zero biases dropped", {})], None
    plain = _fit(got, right, orders[0], TREATMENTS[0], grain, added=False)
    fits = [
        _fit(got, right, order, treatment, grain, added=added)
        for order in orders
        for treatment in TREATMENTS
        for added in (False, True)
    ]
    best = min(fits, key=lambda fit: fit.rank)
    if best.level == _UNLIKE and len(orders) < len(ORDERS):
        # Perhaps the gates of the biases alone were moved, and nothing else.
        alone = [_fit(got, right, order, TREATMENTS[0], grain, added=False) for order in ORDERS]
        best = min((best, *alone), key=lambda fit: fit.rank)
    if best.level == _UNLIKE and best.rms > plain.rms / 4:
        best = plain  # other numbers altogether: no treatment is any explanation
    findings = list(best.treatment.findings)
    for place, value in enumerate(best.constants.sum(axis=0)[:, 0]):
        if value:
            findings.append(
                offset_finding(GATES[best.order[place]], tidy(float(value), max(1e-4, grain)))
            )
    mix = best.treatment.mix
    moves = not best.constants.any() and all(row in _MOVES for row in mix)
    return _bias_parts(got, got - best.left, exact=moves), findings, best.order


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """The biases under one order, treatment and set of constants."""

    order: Order
    treatment: Treatment
    constants: Array
    left: Array
    level: int
    rms: float

    @property
    def rank(self) -> tuple[float, ...]:
        """Smaller is better: how well it fits in steps, how far-fetched it is, how well it fits."""
        cost = self.treatment.cost + 2 * int(np.count_nonzero(self.constants))
        if self.level == _UNLIKE:
            return (self.level, self.rms * (1 + 0.2 * cost), cost)
        return (self.level, cost, self.rms)


_UNLIKE: Final = 2
_MOVES: Final = ((0, 0), (1, 0), (0, 1))
"""Rows of a treatment that move numbers and compute none."""


def _fit(
    got: Array, right: Array, order: Order, treatment: Treatment, grain: float, *, added: bool
) -> _Fit:
    left = got - treatment.apply(right[:, list(order)])
    size = float(np.max(np.abs(right))) or 1.0
    constants = _constants(left, size, grain) if added else np.zeros((2, len(GATES), 1))
    left = left - constants
    size += float(np.max(np.abs(constants)))
    worst = float(np.max(np.abs(left)))
    level = 0 if worst <= 2 * grain * size else 1 if worst <= 2.0**-8 * size else _UNLIKE
    return _Fit(order, treatment, constants, left, level, float(np.sqrt(np.mean(left**2))))


def _bias_parts(got: Array, want: Array, *, exact: bool = True) -> list[Part]:
    return [Part(n, got[i], want[i], exact) for i, n in enumerate(BIASES)]


def _constants(left: Array, size: float, grain: float) -> Array:
    """Return the constant of each bias and gate that `left` is, (2, 4, 1); 0 where it is none."""
    middle = np.median(left, axis=2, keepdims=True)
    spread = np.max(np.abs(left - middle), axis=2, keepdims=True)
    is_constant = (spread <= 10 * grain * (size + np.abs(middle))) & (
        np.abs(middle) > 100 * grain * size
    )
    return np.asarray(np.where(is_constant, middle, 0.0))
