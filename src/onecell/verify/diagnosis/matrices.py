"""Which order of gates and which orientation turn the matrices of a into those of b.

Both matrices have one order of gates between them, or each its own; each has an orientation.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

import numpy as np

from onecell.spec import WEIGHTS
from onecell.verify.diagnosis.layouts import (
    IDENTITY,
    ORDERS,
    TREATMENTS,
    blocks,
    orientation_findings,
    orientations,
)
from onecell.verify.diagnosis.leftover import Part
from onecell.verify.quantities.cases import Array
from onecell.verify.wording import Finding
from onecell.weights import Weights

Order = tuple[int, ...]
Key = TypeVar("Key", bound=Hashable)

_MATCH: Final = 0.1
"""A matrix is recognised if what is left over has at most this part of its own size."""


def explain_matrices(
    a: Weights, b: Weights
) -> tuple[list[Part], list[Finding], tuple[Order, ...], int]:
    """Explain both matrices: with their places swapped only where that is far better.

    Returns:
        The parts, the findings but for orders, the order of each matrix, and how many were tried.
    """
    # Of one matrix that holds both side by side, each place has columns of the other.
    joined, at = np.hstack([a.weight_hh, a.weight_ih]), a.input_size
    pairs = [(a.weight_ih, a.weight_hh), (joined[:, :at], joined[:, at:])]
    best: tuple[float, list[Part], list[Finding], tuple[Order, ...]] | None = None
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
) -> tuple[float, list[Part], list[Finding], tuple[Order, ...]]:
    """Return the score, the parts, the findings but for orders, and the order of each matrix."""
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
    (order, _), (other, _) = choice
    parts = []
    ways = {name: how for name, (_, how) in zip(WEIGHTS, choice, strict=True)}
    findings = list(orientation_findings(ways))
    for name, w, g, (each, how) in zip(WEIGHTS, want, got, choice, strict=True):
        right = dict(orientations(g))[how]
        parts.append(Part(name, right, blocks(w)[list(each)]))
    score = max(table[key] for table, key in zip(tables, choice, strict=True))
    return score, parts, findings, (order, other)


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
