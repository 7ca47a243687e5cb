"""The layouts that a search goes through: orders of gates, orientations, treatments of the biases.

Everything here works on blocks: a matrix as (4, H, K), the two biases as (2, 4, H), gates i f g o.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np

from onecell.spec import BIASES, GATES
from onecell.verify.quantities.cases import Array
from onecell.verify.wording import Finding
from onecell.weights import Weights

ORDERS: Final = tuple(permutations(range(len(GATES))))
"""All 24 orders: block j of the wrong cell is gate `order[j]` of the right one. Identity first."""

IDENTITY: Final = ORDERS[0]


def blocks(matrix: Array) -> Array:
    """Return a (4H, K) matrix as (4, H, K)."""
    return matrix.reshape(len(GATES), -1, matrix.shape[1])


def _straight(matrix: Array) -> Array:
    return blocks(matrix)


def _transposed(matrix: Array) -> Array:
    return blocks(matrix.reshape(matrix.shape[::-1]).T)


def _each_transposed(matrix: Array) -> Array:
    return blocks(matrix).transpose(0, 2, 1)


def _interleaved(matrix: Array) -> Array:
    return matrix.reshape(-1, len(GATES), matrix.shape[1]).transpose(1, 0, 2)


ORIENTATIONS: Final[Mapping[str, Callable[[Array], Array]]] = {
    "as is": _straight,
    "transposed": _transposed,
    "blocks transposed": _each_transposed,
    "interleaved": _interleaved,
}
"""How a (4H, K) matrix may have been stored → its blocks, put right. Keys are kinds of findings."""


def orientations(matrix: Array) -> Iterator[tuple[str, Array]]:
    """Yield every reading of `matrix` that its shape allows, as blocks; the straight one first."""
    square = matrix.shape[0] == len(GATES) * matrix.shape[1]
    for name, read in ORIENTATIONS.items():
        if name != "blocks transposed" or square:
            yield name, read(matrix)


def wrongly_read(matrix: Array) -> Iterator[tuple[str, Array]]:
    """Yield what a port computes with that stored `matrix` so: the inverse of `orientations`."""
    width = matrix.shape[1]
    right = blocks(matrix)
    yield "as is", right
    yield "transposed", blocks(np.ascontiguousarray(matrix.T).reshape(matrix.shape))
    if right.shape[1] == width:
        yield "blocks transposed", right.transpose(0, 2, 1)
    yield "interleaved", blocks(np.ascontiguousarray(right.transpose(1, 0, 2)).reshape(-1, width))


INPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("h", "c"),
    "states swapped in": ("c", "h"),
    "state ignored": ("0", "0"),
    "h ignored": ("0", "c"),
    "c ignored": ("h", "0"),
}
"""Kind of finding → what the cell takes for h and for c."""

OUTPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("h'", "c'"),
    "states swapped out": ("c'", "h'"),
    "c not updated": ("h'", "c"),
    "h not updated": ("h", "c'"),
}
"""Kind of finding → what it returns as h' and as c'."""


def state_findings(entering: str, leaving: str) -> tuple[Finding, ...]:
    """Return what to say of a key of `INPUTS` and one of `OUTPUTS`."""
    if (entering, leaving) == ("states swapped in", "states swapped out"):
        return (Finding("states swapped", {}),)
    return tuple(Finding(kind, {}) for kind in (entering, leaving) if kind)


def orientation_findings(ways: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what to say of parameter → orientation; parameters of one way in one finding."""
    found: dict[str, list[str]] = {}
    for parameter, how in ways.items():
        if how != "as is":
            found.setdefault(how, []).append(parameter)
    return tuple(Finding(how, {"parameter": " and ".join(n)}) for how, n in found.items())


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a port may have done to the two biases: each is a sum of multiples of the right ones."""

    mix: tuple[tuple[float, float], tuple[float, float]]
    """Row p: how often bias_ih and bias_hh go into bias p."""
    findings: tuple[Finding, ...]
    cost: int
    """How far-fetched it is; 0 for none at all."""

    def apply(self, biases: Array) -> Array:
        """Return the two biases after it, of and in shape (2, ...)."""
        (a, b), (c, d) = self.mix
        return np.stack([a * biases[0] + b * biases[1], c * biases[0] + d * biases[1]])

    @property
    def total(self) -> tuple[float, float]:
        """How often each bias counts in the sum of both."""
        return self.mix[0][0] + self.mix[1][0], self.mix[0][1] + self.mix[1][1]


def _treatment(
    a: float, b: float, c: float, d: float, kind: str = "", cost: int = 1, **facts: str
) -> Treatment:
    findings = (Finding(kind, facts),) if kind else ()
    return Treatment(((a, b), (c, d)), findings, cost)


_IH, _HH = BIASES

TREATMENTS: Final = (
    _treatment(1, 0, 0, 1, cost=0),
    _treatment(0, 0, 0, 1, "bias dropped", parameter=_IH),
    _treatment(1, 0, 0, 0, "bias dropped", parameter=_HH),
    _treatment(0, 0, 0, 0, "biases dropped"),
    _treatment(2, 0, 0, 1, "bias doubled", parameter=_IH),
    _treatment(1, 0, 0, 2, "bias doubled", parameter=_HH),
    _treatment(2, 0, 0, 2, "biases doubled"),
    _treatment(1, 1, 0, 0, "biases summed", parameter=_IH),
    _treatment(0, 0, 1, 1, "biases summed", parameter=_HH),
    _treatment(1, 1, 1, 1, "biases summed twice"),
    _treatment(0, 1, 1, 0, "biases swapped"),
    _treatment(0, 1, 0, 1, "bias replaced", 2, parameter=_IH, other=_HH),
    _treatment(1, 0, 1, 0, "bias replaced", 2, parameter=_HH, other=_IH),
)
"""Every treatment of the biases that is searched, none first."""


def visible_treatments() -> tuple[Treatment, ...]:
    """Return those that change the sum of the biases, each sum once: all that behaviour shows."""
    seen: dict[tuple[float, float], Treatment] = {}
    for treatment in TREATMENTS:
        seen.setdefault(treatment.total, treatment)
    return tuple(seen.values())


def bias_blocks(weights: Weights) -> Array:
    """Return both biases as (2, 4, H) in float64; zeros where there are none."""
    if weights.bias_ih is None or weights.bias_hh is None:
        return np.zeros((2, len(GATES), weights.hidden_size))
    both = np.stack([weights.bias_ih, weights.bias_hh]).astype(np.float64)
    return both.reshape(2, len(GATES), -1)


def order_findings(order: tuple[int, ...], parameter: str | None = None) -> tuple[Finding, ...]:
    """Return what to say of an order of gates, of some parameters only where they are named."""
    moved = [place for place, gate in enumerate(order) if place != gate]
    facts = {} if parameter is None else {"parameter": parameter}
    alone = "" if parameter is None else " in"
    if not moved:
        return ()
    if len(moved) == 2:
        first, second = (GATES[place] for place in moved)
        return (Finding(f"gates swapped{alone}", {"first": first, "second": second, **facts}),)
    letters = " ".join(GATES[gate] for gate in order)
    return (Finding(f"gates permuted{alone}", {"order": letters, **facts}),)


def orders_findings(orders: Mapping[str, tuple[int, ...]]) -> tuple[Finding, ...]:
    """Return what to say of parameter → order: those of one order in one finding."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for parameter, order in orders.items():
        groups.setdefault(order, []).append(parameter)
    if len(groups) == 1:
        return order_findings(next(iter(groups)))
    return tuple(
        finding
        for order, names in groups.items()
        for finding in order_findings(order, " and ".join(names))
    )


def offset_finding(gate: str, value: float) -> Finding:
    """Return what to say of a constant that was added to the bias of one gate."""
    if gate != "f":
        return Finding("gate bias offset", {"gate": gate, "value": value})
    if value < 0:
        return Finding("forget bias removed", {"value": -value})
    return Finding("forget bias added", {"value": value})


def tidy(value: float, within: float = 1e-4) -> float:
    """Return an estimated constant, or the nearest multiple of 1/4 if that is `within` reach."""
    near = round(value * 4) / 4
    return near if abs(value - near) < within else value
