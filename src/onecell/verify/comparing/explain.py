"""Choose what to search for the reason why two cells differ: their weights, or their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from onecell.dialect import get_dialect
from onecell.errors import NotACellError
from onecell.spec import GATES
from onecell.verify.comparing.comparison import Diagnosis
from onecell.verify.comparing.contenders import NEAR, Contender, Opened
from onecell.verify.diagnosis import (
    diagnose_answers,
    diagnose_behaviour,
    diagnose_weights,
    is_repeatable,
    refine,
)
from onecell.verify.quantities.oracle import Oracle
from onecell.verify.quantities.readings import Quantity
from onecell.verify.runtimes.table import RUNTIMES
from onecell.verify.wording import Finding
from onecell.weights import Weights

_ROUNDINGS: Final = ("zero signs", "noise")
"""Findings about weights that explain no difference between answers."""


def diagnose(
    a: Contender, b: Contender, oracle: Oracle, quantities: tuple[Quantity, ...]
) -> Diagnosis:
    """Search for what is wrong with b: in the weights where they differ, else in the answers."""
    failing = [quantity.name for quantity in quantities if not quantity.holds]
    if a.weights is not None and b.weights is not None:
        told = diagnose_weights(a.weights, b.weights)
        same = a.weights.same_bits(b.weights)
        if not failing:
            return replace(told, method="none needed") if same else told
        if not same and any(found.kind not in _ROUNDINGS for found in told.findings):
            return told
    if not failing:
        return Diagnosis("none needed", True, (Finding("nothing", {}),), 0, 0.0)
    try:
        told = _diagnose_answers(a, b, oracle, quantities)
    except NotACellError:  # it answers the inputs above and not those of a search
        where = Finding("unexplained", {"where": failing[0]})
        return Diagnosis("behaviour", False, (where,), 0, 0.0)
    return refine(told, failing)


def _diagnose_answers(
    a: Contender, b: Contender, oracle: Oracle, quantities: tuple[Quantity, ...]
) -> Diagnosis:
    wrong, right = _suspect(a, b, quantities)
    suspected, case = wrong.live or _failing(wrong, quantities), oracle.case
    tolerance = NEAR * max(
        oracle.expected[name].limit(coarse=suspected.coarse)[0].value
        for name in ("forward.h", "forward.c")
    )
    if not is_repeatable(suspected.side, case):
        return Diagnosis("behaviour", True, (Finding("not repeatable", {}),), 1, 0.0)
    if right.weights is not None or wrong.weights is not None:
        weights = right.weights if right.weights is not None else wrong.weights
        assert weights is not None  # noqa: S101 (one of the two is)
        readings = _as_read(weights.astype(case.x.dtype.name), suspected.name)
        step = suspected.side.step
        told = diagnose_behaviour(next(readings), step, tolerance)
        others = (diagnose_behaviour(each, step, tolerance) for each in readings)
        return told if told.explained else next((o for o in others if o.explained), told)
    sizes = case.x.shape[2], case.h.shape[1]
    trusted = right.sides[0].side.step
    return diagnose_answers(trusted, suspected.side.step, sizes, case.x.dtype, tolerance)


def _as_read(weights: Weights, side: str) -> Iterator[Weights]:
    """Yield the weights, and what they are if a constant was put to the wrong gate in reading.

    Who takes one gate for another in a framework that adds a forget bias when it runs has added it
    to the numbers of another gate.
    """
    yield weights
    offset = get_dialect(side).layout.forget_offset if side in RUNTIMES else 0.0
    if offset and weights.bias_ih is not None:
        forget = GATES.index("f")
        for gate in range(len(GATES)):
            if gate != forget:
                bias = np.array(weights.bias_ih)
                blocks = bias.reshape(len(GATES), -1)
                blocks[forget] -= offset
                blocks[gate] += offset
                yield Weights(**weights.arrays() | {"bias_ih": bias})


def _failing(wrong: Contender, quantities: tuple[Quantity, ...]) -> Opened:
    """Return the first of its sides that misses a limit."""
    label = wrong.claim.label
    names = {r.side for quantity in quantities for r in quantity.of(label) if not r.holds}
    return next((side for side in wrong.sides if side.name in names), wrong.sides[0])


def _suspect(
    a: Contender, b: Contender, quantities: tuple[Quantity, ...]
) -> tuple[Contender, Contender]:
    """Return the one that misses a limit, b if both do, and the other."""
    fails = any(not reading.holds for quantity in quantities for reading in quantity.of("b"))
    return (b, a) if fails else (a, b)
