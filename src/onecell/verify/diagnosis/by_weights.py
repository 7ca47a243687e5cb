"""Diagnose from the stored numbers: which known mistake turns the weights of a into those of b.

The parameters are explained one after the other, so nothing is searched that is not there. Both
matrices have one order of gates between them, or each its own; each has an orientation. The biases
follow the order and have a treatment and constants added per gate. What is then left over, b less
what the mistakes make of a, is nothing, a rounding, single numbers, or unexplained.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from onecell.dtypes import narrow, widen
from onecell.spec import BIASES, GATES, WEIGHTS
from onecell.verify.cases import Array
from onecell.verify.comparison import Diagnosis, Finding
from onecell.verify.diagnosis.layouts import (
    IDENTITY,
    ORDERS,
    TREATMENTS,
    Treatment,
    bias_blocks,
    blocks,
    offset_finding,
    order_findings,
    orientation_findings,
    orientations,
    tidy,
)
from onecell.weights import Weights

Order = tuple[int, ...]
Key = TypeVar("Key", bound=Hashable)

_MATCH: Final = 0.1
"""A matrix is recognised if what is left over has at most this part of its own size."""
_SINGLES: Final = 4
"""So many numbers that are off are named one by one."""
_ROUNDED: Final[dict[str, float]] = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Stored type → the largest relative error of rounding to it."""
_GRAIN: Final[dict[str, float]] = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Stored type → what arithmetic that ended in it may be off by, relatively; else `_FINE`."""
_FINE: Final = 1e-6
_SMALLEST_HALF: Final = 2.0**-25
"""The largest absolute error of rounding a denormal to float16."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One parameter of b, explained."""

    name: str
    got: Array
    """b's numbers as blocks, put right."""
    want: Array
    """What the mistakes make of a's."""
    exact: bool = True
    """Whether the mistakes are moves of numbers, without arithmetic."""


def diagnose_weights(a: Weights, b: Weights) -> Diagnosis:
    """Return what turns the weights of `a` into those of `b`; sizes and stored types are equal."""
    began = time.perf_counter()
    right, wrong = a.widened(), b.widened()
    matrices, findings, orders, tried = _matrices(right, wrong)
    biases, said = _biases(
        right,
        wrong,
        orders,
        grain=_GRAIN.get(a.dtype_name, _FINE),
        interleaved=_is_interleaved(findings),
    )
    findings = [*findings, *said]
    parts = [*matrices, *biases]
    rest, explained = _leftover(parts, a.dtype_name, wrong, known=bool(findings))
    findings += rest
    if not findings:
        findings = [Finding("nothing" if a.same_bits(b) else "zero signs", {})]
    took = time.perf_counter() - began
    return Diagnosis("weights", explained, tuple(findings), tried, took)


def _matrices(a: Weights, b: Weights) -> tuple[list[_Part], list[Finding], tuple[Order, ...], int]:
    """Explain both matrices: with their places swapped only where that is far better."""
    pairs = [(a.weight_ih, a.weight_hh)]
    if a.input_size == a.hidden_size:
        pairs.append((a.weight_hh, a.weight_ih))
    best: tuple[float, list[_Part], list[Finding], tuple[Order, ...]] | None = None
    for number, pair in enumerate(pairs):
        score, parts, findings, orders = _match_pair(pair, (b.weight_ih, b.weight_hh))
        if number:
            findings = [Finding("matrices swapped", {}), *findings]
        if best is None or (score < _MATCH and score < best[0] / 2):
            best = score, parts, findings, orders
    assert best is not None  # noqa: S101 (there is at least one pair)
    readings = sum(1 for matrix in (b.weight_ih, b.weight_hh) for _ in orientations(matrix))
    tried = len(pairs) * readings * len(ORDERS) * len(TREATMENTS)
    return best[1], best[2], best[3], tried


def _match_pair(
    want: tuple[Array, Array], got: tuple[Array, Array]
) -> tuple[float, list[_Part], list[Finding], tuple[Order, ...]]:
    """Return the score, the parts, the findings, and the orders that the biases may have."""
    tables = [_scores(w, g) for w, g in zip(want, got, strict=True)]
    alone = [_best(table) for table in tables]
    shared = _best({order: sum(_least(table, order)[0] for table in tables) for order in ORDERS})
    choice = []
    for table, (order, how) in zip(tables, alone, strict=True):
        joint, joint_how = _least(table, shared)
        # One order for both unless a matrix plainly has its own.
        if joint <= max(_MATCH, 2 * table[order, how]):
            order, how = shared, joint_how  # noqa: PLW2901
        if table[order, how] >= _MATCH:
            order, how = IDENTITY, "as is"  # noqa: PLW2901
        choice.append((order, how))
    findings: list[Finding] = []
    (order, _), (other, _) = choice
    if order == other:
        findings += order_findings(order)
    else:
        for name, (each, _) in zip(WEIGHTS, choice, strict=True):
            findings += order_findings(each, name)
    parts = []
    findings += orientation_findings({n: how for n, (_, how) in zip(WEIGHTS, choice, strict=True)})
    for name, w, g, (each, how) in zip(WEIGHTS, want, got, choice, strict=True):
        right = dict(orientations(g))[how]
        parts.append(_Part(name, right, blocks(w)[list(each)]))
    score = max(table[key] for table, key in zip(tables, choice, strict=True))
    return score, parts, findings, tuple(dict.fromkeys((order, other, IDENTITY)))


def _scores(want: Array, got: Array) -> dict[tuple[Order, str], float]:
    """Return (order, orientation) → root mean square of what is left over, of a's own size."""
    right = blocks(want).astype(np.float64)
    size = float(np.sum(right**2)) or 1.0
    found = {}
    for how, read in orientations(got):
        # The distance of every block of b from every block of a: an order is a sum of four.
        apart = np.array([[np.sum((block - gate) ** 2) for gate in right] for block in read])
        for order in ORDERS:
            total = sum(apart[place, gate] for place, gate in enumerate(order))
            found[order, how] = float(np.sqrt(total / size))
    return found


def _least(table: Mapping[tuple[Order, str], float], order: Order) -> tuple[float, str]:
    """Return the least score of an order, and the orientation that has it, the plainest first."""
    found = {how: score for (each, how), score in table.items() if each == order}
    how = _best(found)
    return found[how], how


def _best(table: Mapping[Key, float]) -> Key:
    """Return the key of the least score; the plainest, which comes first, among equals."""
    least = min(table.values())
    return next(key for key in table if table[key] <= least * (1 + 1e-9) + 1e-12)


def _is_interleaved(findings: list[Finding]) -> bool:
    return any(found.kind == "interleaved" for found in findings)


def _biases(
    a: Weights, b: Weights, orders: tuple[Order, ...], *, grain: float, interleaved: bool
) -> tuple[list[_Part], list[Finding]]:
    """Explain both biases, in the order of the matrices or in one of their orders."""
    if not a.bias and not b.bias:
        return [], []
    right, got = bias_blocks(a), bias_blocks(b)
    if interleaved:
        got = got.reshape(2, -1, len(GATES)).transpose(0, 2, 1)
    if not a.bias:
        return _bias_parts(got, right), [
            Finding("bias added", {"parameter": " and ".join(BIASES)}),
        ]
    plain = _fit(got, right, orders[0], TREATMENTS[0], grain, added=False)
    fits = [
        _fit(got, right, order, treatment, grain, added=added)
        for order in orders
        for treatment in TREATMENTS
        for added in (False, True)
    ]
    best = min(fits, key=lambda fit: fit.rank)
    if best.level == _UNLIKE and best.rms > plain.rms / 4:
        best = plain  # other numbers altogether: no treatment is any explanation
    findings = list(best.treatment.findings)
    if len(orders) > 1 and best.order != orders[0] and best.order != IDENTITY:
        findings = [*order_findings(best.order, " and ".join(BIASES)), *findings]
    for place, value in enumerate(best.constants.sum(axis=0)[:, 0]):
        if value:
            findings.append(
                offset_finding(GATES[best.order[place]], tidy(float(value), max(1e-4, grain)))
            )
    mix = best.treatment.mix
    moves = not best.constants.any() and all(row in _MOVES for row in mix)
    return _bias_parts(got, got - best.left, exact=moves), findings


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


def _bias_parts(got: Array, want: Array, *, exact: bool = True) -> list[_Part]:
    return [_Part(n, got[i], want[i], exact) for i, n in enumerate(BIASES)]


def _constants(left: Array, size: float, grain: float) -> Array:
    """Return the constant of each bias and gate that `left` is, (2, 4, 1); 0 where it is none."""
    middle = np.median(left, axis=2, keepdims=True)
    spread = np.max(np.abs(left - middle), axis=2, keepdims=True)
    is_constant = (spread <= 10 * grain * (size + np.abs(middle))) & (
        np.abs(middle) > 100 * grain * size
    )
    return np.asarray(np.where(is_constant, middle, 0.0))


def _leftover(
    parts: list[_Part], stored: str, b: Weights, *, known: bool
) -> tuple[list[Finding], bool]:
    """Return what to say of what the mistakes do not explain, and whether that explains it."""
    eps = float(np.finfo(b.spec.dtype).eps)
    worst: tuple[float, str, tuple[int, ...]] = (0.0, "", ())
    singles: list[tuple[_Part, tuple[int, ...]]] = []
    count, noise, changed = 0, 0.0, False
    for part in parts:
        left = np.abs(np.asarray(part.got, np.float64) - part.want)
        size = float(np.max(np.abs(part.want), initial=0.0)) or 1.0
        changed = changed or bool(left.any())
        off = left > 8 * (eps if part.exact else max(eps, _GRAIN.get(stored, eps))) * size
        noise = max(noise, float(np.max(np.where(off, 0.0, left) / size, initial=0.0)))
        where = np.argwhere(off)
        count += len(where)
        singles += [(part, tuple(map(int, at))) for at in where[: _SINGLES + 1]]
        at = np.unravel_index(int(np.argmax(left)), left.shape)
        worst = max(worst, (float(left[at]) / size, part.name, tuple(map(int, at))))
    if not changed or (count == 0 and known and not all(part.exact for part in parts)):
        return [], True
    for name, relative in _ROUNDED.items():
        if name != stored and all(_is_rounded(part, name, relative) for part in parts):
            return [Finding("rounded", {"dtype": name})], True
    if count == 0:
        return [Finding("noise", {"value": noise})], True
    if count <= _SINGLES:
        return [_single(part, at) for part, at in singles], True
    where_is = f"{worst[1]}, gate {GATES[worst[2][0]]}, unit {worst[2][1]}"
    return [Finding("unexplained", {"where": where_is})], False


def _is_rounded(part: _Part, name: str, relative: float) -> bool:
    """Whether b's numbers can be stored as `name` and are what rounding makes of those wanted."""
    got = np.asarray(part.got, np.float64)
    stored = narrow(part.got.astype(np.float32), name)
    kept = widen(stored)
    left = np.abs(got - part.want)
    reach = (2 + 2 * (not part.exact)) * relative * np.abs(part.want) + _SMALLEST_HALF
    return bool(np.array_equal(kept, part.got) and np.all(left <= reach))


def _single(part: _Part, at: tuple[int, ...]) -> Finding:
    gate, unit = at[0], at[1]
    hidden = part.got.shape[1]
    value = float(part.got[at]) - float(part.want[at])
    index = (gate * hidden + unit, *at[2:])
    facts = {"parameter": part.name, "index": index, "gate": GATES[gate], "unit": unit}
    return Finding("one element", {**facts, "value": value})
