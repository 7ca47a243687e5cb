"""Diagnose where neither side shows weights: what two callables answer, and what their gates are.

Two calls of a cell tell two of its gates: with p = c' at c = 0 and c' at another c, the forget gate
is (c' - p) / c, and the output gate is h' / tanh(c').
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from onecell.verify.comparing.comparison import Diagnosis
from onecell.verify.diagnosis.layouts import (
    INPUTS,
    OUTPUTS,
    offset_finding,
    state_findings,
    tidy,
)
from onecell.verify.diagnosis.probe import ROWS, Step
from onecell.verify.quantities.cases import Array
from onecell.verify.wording import Finding

_SEED: Final = 1735
_CELL: Final = 4.0
"""The cell state from which the gates are read: tanh(c') is then far from zero."""


def diagnose_answers(
    first: Step, second: Step, sizes: tuple[int, int], dtype: np.dtype, tolerance: float
) -> Diagnosis:
    """Return what explains that `second` answers otherwise than `first`.

    Args:
        first: (x, h, c) → (h', c'), taken to be right.
        second: the same of the other cell.
        sizes: I and H.
        dtype: the element type of the arrays that go in.
        tolerance: how far apart two answers may be that count as equal.
    """
    began = time.perf_counter()
    rng = np.random.default_rng(_SEED)
    x, h, c = (rng.uniform(-1, 1, (ROWS, k)).astype(dtype) for k in (sizes[0], sizes[1], sizes[1]))
    got, tried = second(x, h, c), 0
    for findings, want in _answers(first, x, h, c):
        tried += 1
        if max(_apart(g, w) for g, w in zip(got, want, strict=True)) <= tolerance:
            said = findings or (Finding("step right", {}),)
            return Diagnosis("behaviour", True, said, tried, time.perf_counter() - began)
    findings, explained = _by_gates(_gates(first, x, h), _gates(second, x, h), tolerance)
    return Diagnosis("behaviour", explained, findings, tried + 3, time.perf_counter() - began)


def _answers(
    step: Step, x: Array, h: Array, c: Array
) -> Iterator[tuple[tuple[Finding, ...], tuple[Array, Array]]]:
    """Yield each mistake with states, and what the right cell answers once it is made."""
    state = {"h": h, "c": c, "0": np.zeros_like(h)}
    for entering, (takes_h, takes_c) in INPUTS.items():
        h_next, c_next = step(x, state[takes_h], state[takes_c])
        known = {"h'": h_next, "c'": c_next, **state}
        for leaving, (first, second) in OUTPUTS.items():
            yield state_findings(entering, leaving), (known[first], known[second])


def _gates(step: Step, x: Array, h: Array) -> dict[str, Array]:
    """Return f, o and the product i·g, as far as two calls tell them."""
    zero = np.zeros_like(h)
    _, product = step(x, h, zero)
    h_next, c_next = step(x, h, zero + h.dtype.type(_CELL))
    with np.errstate(all="ignore"):
        return {"f": (c_next - product) / _CELL, "o": h_next / np.tanh(c_next), "i·g": product}


def _by_gates(
    want: dict[str, Array], got: dict[str, Array], tolerance: float
) -> tuple[tuple[Finding, ...], bool]:
    near = 100 * tolerance  # a quotient of answers is less exact than they are
    same = {name: _apart(got[name], want[name]) <= near for name in want}
    crossed = max(_apart(got["f"], want["o"]), _apart(got["o"], want["f"])) <= near
    if crossed and same["i·g"]:
        return (Finding("gates swapped", {"first": "f", "second": "o"}),), True
    with np.errstate(all="ignore"):
        moved = _logit(got["f"]) - _logit(want["f"])
    middle = float(np.median(moved))
    if same["o"] and same["i·g"] and np.isfinite(middle) and np.ptp(moved) <= 10 * near:
        return (offset_finding("f", tidy(middle)),), True
    worst = max(want, key=lambda name: _apart(got[name], want[name]))
    at = np.unravel_index(int(np.argmax(np.abs(got[worst] - want[worst]))), want[worst].shape)
    where = f"unit {int(at[1])}, gate {worst}"
    return (Finding("unexplained", {"where": where}),), False


def _logit(gate: Array) -> Array:
    return np.asarray(np.log(gate) - np.log1p(-gate))


def _apart(one: Array, other: Array) -> float:
    return float(np.max(np.abs(one - other)))
