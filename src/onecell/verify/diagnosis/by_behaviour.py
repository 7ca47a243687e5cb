"""Diagnose from answers: which known mistake on the right weights answers as a callable does.

A few rows of probing inputs go into the callable once. What it should answer under each mistake is
then worked out in float64 from the right weights: the products with each orientation of the
matrices, the sums of biases, the activations of every block, and only then, all at once, the 24
orders of the gates. A forget bias is not guessed but solved for: with the other gates known, the
answer tells what the forget gate was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.errors import ArgumentError
from onecell.frozen import FrozenCell, WeightDtype
from onecell.reference import sigmoid
from onecell.spec import GATES, WEIGHTS
from onecell.verify.comparing.comparison import Diagnosis
from onecell.verify.diagnosis.layouts import (
    INPUTS,
    ORDERS,
    OUTPUTS,
    bias_blocks,
    offset_finding,
    order_findings,
    orientation_findings,
    state_findings,
    tidy,
    visible_treatments,
    wrongly_read,
)
from onecell.verify.diagnosis.probe import Probe, Step, largest_errors, make_probe
from onecell.verify.diagnosis.units import units_that_are_off, worst_unit
from onecell.verify.quantities.cases import Array
from onecell.verify.wording import Finding
from onecell.weights import Weights

UNITS: Final = 64
"""The search looks at this many units at most; the plain hypotheses look at all of them."""
_FAR: Final = 1e-2
"""An estimated forget bias must agree this well over all rows and units to be tried."""

_ORDER = np.array(ORDERS)


@dataclass(frozen=True, slots=True, eq=False)
class _Guess:
    """One hypothesis and how far off it is."""

    error: float
    cost: int
    findings: tuple[Finding, ...]


def diagnose_behaviour(weights: Weights, step: Step, tolerance: float) -> Diagnosis:
    """Return which mistake on `weights` answers as `step` does.

    Args:
        weights: the right ones.
        step: (x, h, c) → (h', c'), of arrays in the element type that the weights compute in.
        tolerance: the largest error of a hypothesis that explains the answers.
    """
    began = time.perf_counter()
    right = weights.astype("float64")
    probe = make_probe(weights, step)
    for findings, tried in _plain(weights, probe, tolerance):
        if findings is not None:
            return Diagnosis("behaviour", True, findings, tried, time.perf_counter() - began)
    best: _Guess | None = None
    count = 2
    for guess in _guesses(right, probe):
        count += len(ORDERS)
        fits = guess.error <= tolerance
        if best is None or (not fits, guess.cost if fits else guess.error) < (
            best.error > tolerance,
            best.cost if best.error <= tolerance else best.error,
        ):
            best = guess
    assert best is not None  # noqa: S101 (the search is never empty)
    took = time.perf_counter() - began
    if best.error <= tolerance:
        return Diagnosis("behaviour", True, best.findings, count, took)
    lonely = units_that_are_off(right, probe, tolerance)
    if lonely:
        return Diagnosis("behaviour", True, lonely, count, took)
    return Diagnosis("behaviour", False, (worst_unit(right, probe, tolerance),), count, took)


def _plain(
    weights: Weights, probe: Probe, tolerance: float
) -> Iterator[tuple[tuple[Finding, ...] | None, int]]:
    """Yield whether the step is right as it is, or right for weights that were rounded."""
    if largest_errors(weights, probe).max() <= tolerance:
        yield (Finding("step right", {}),), 1
    tried = 1
    for finding, rounded in _rounded(weights):
        tried += 1
        if isinstance(rounded, FrozenCell):
            errors = _errors_of(rounded, probe)
        else:
            errors = largest_errors(rounded, probe)
        if errors.max() <= tolerance:
            yield (finding,), tried
    yield None, tried


def _errors_of(cell: FrozenCell, probe: Probe) -> Array:
    """Return the largest error of every unit, (H,), if it is that of `cell`, which rounds rows."""
    x, h, c = (array.astype(np.float32) for array in (probe.x, probe.h, probe.c))
    h_next, c_next = cell(x, (h, c))
    both = np.maximum(np.abs(h_next - probe.h_next), np.abs(c_next - probe.c_next))
    return np.asarray(both.max(axis=0))


def _rounded(weights: Weights) -> Iterator[tuple[Finding, Weights | FrozenCell]]:
    """Yield the weights as they are rounded all over, and as `freeze` rounds matrices alone."""
    for name in ("float16", "bfloat16", "float32"):
        if name != weights.dtype_name:
            with np.errstate(over="ignore"):  # too large for float16: infinite, and then no match
                yield Finding("rounded", {"dtype": name}), weights.astype(name)
    narrow = weights.astype("float32")
    matrices = " and ".join(WEIGHTS)
    kinds: tuple[WeightDtype, ...] = (
        "float16", "bfloat16", "bfloat16_bfloat16", "int8", "int8_int8",
    )  # fmt: skip
    for kind in kinds:
        try:
            cell = FrozenCell(narrow, kind)
        except ArgumentError:  # too large for it
            continue
        frozen = cell.weights
        if kind in ("float16", "bfloat16"):
            yield Finding("rounded in", {"dtype": kind, "parameter": matrices}), frozen
            continue
        if kind == "bfloat16_bfloat16":
            yield Finding("rounded in", {"dtype": "bfloat16", "parameter": matrices}), cell
            continue
        value = max(
            float(np.max(np.abs(getattr(frozen, n) - want).max(axis=1) / _most(want)))
            for n, want in ((n, getattr(narrow, n)) for n in WEIGHTS)
        )
        yield Finding("rounded by rows in", {"value": value, "parameter": matrices}), cell


def _most(matrix: Array) -> Array:
    """Return the largest number of each row, 1 where that is 0."""
    largest = np.abs(matrix).max(axis=1)
    return np.where(largest > 0, largest, 1.0)


def _guesses(right: Weights, probe: Probe) -> Iterator[_Guess]:
    """Yield the best order of gates of every other combination of mistakes."""
    units = probe.units(UNITS)
    biases = bias_blocks(right)[:, :, units]
    state = {"h": probe.h, "c": probe.c, "0": np.zeros_like(probe.h)}
    seen = {"h'": probe.h_next[:, units], "c'": probe.c_next[:, units]}
    given = {name: array[:, units] for name, array in state.items()}
    treatments = visible_treatments() if biases.any() else visible_treatments()[:1]
    for products in _products(right, probe.x, state, units):
        own = _interleaved_biases(right)[:, :, units] if products.interleaved else biases
        for entering, (takes_h, takes_c) in INPUTS.items():
            for treatment in treatments:
                bias = treatment.apply(own).sum(axis=0)[:, None, :]
                z = products.by_x + products.by_h[takes_h] + bias
                found = (*products.findings, *treatment.findings)
                total = products.cost + treatment.cost
                yield from _orders(z, given, (entering, takes_c), seen, found, total)


@dataclass(frozen=True, slots=True, eq=False)
class _Products:
    """What x and every state make with the matrices, read in one way."""

    findings: tuple[Finding, ...]
    by_x: Array
    """(4, N, U)."""
    by_h: Mapping[str, Array]
    """The name of a state → (4, N, U)."""
    interleaved: bool = False
    """Whether the biases are read interleaved too."""

    @property
    def cost(self) -> int:
        """How far-fetched it is."""
        return 2 * len(self.findings)


def _products(
    right: Weights, x: Array, state: Mapping[str, Array], units: Array
) -> Iterator[_Products]:
    """Yield every way to read the two matrices: one way for both, or one of them as it is."""
    by_x = {how: _times(w, x, units) for how, w in wrongly_read(right.weight_ih)}
    by_h = {
        how: {name: _times(w, array, units) for name, array in state.items()}
        for how, w in wrongly_read(right.weight_hh)
    }
    for how_x, product in by_x.items():
        for how_h, products in by_h.items():
            findings = orientation_findings({"weight_ih": how_x, "weight_hh": how_h})
            if "as is" in {how_x, how_h} or how_x == how_h:
                yield _Products(findings, product, products)
            if how_x == how_h == "interleaved":
                yield _Products(findings, product, products, interleaved=True)
    if right.input_size == right.hidden_size:
        crossed = {name: _times(_blocks(right.weight_ih), a, units) for name, a in state.items()}
        by_input = _times(_blocks(right.weight_hh), x, units)
        yield _Products((Finding("matrices swapped", {}),), by_input, crossed)


def _interleaved_biases(right: Weights) -> Array:
    straight = bias_blocks(right)
    return straight.transpose(0, 2, 1).reshape(straight.shape)


def _blocks(matrix: Array) -> Array:
    return matrix.reshape(len(GATES), -1, matrix.shape[1])


def _times(blocks: Array, rows: Array, units: Array) -> Array:
    """Return rows (N, K) times the chosen units of blocks (4, H, K), as (4, N, U)."""
    return np.asarray(np.einsum("nk,guk->gnu", rows, blocks[:, units], optimize=True))


def _orders(
    z: Array,
    given: Mapping[str, Array],
    entry: tuple[str, str],
    seen: Mapping[str, Array],
    findings: tuple[Finding, ...],
    cost: int,
) -> Iterator[_Guess]:
    """Yield the best order of gates, for each way to return the states and each forget bias."""
    entering, takes_c = entry
    c = given[takes_c]
    gate, candidate = sigmoid(z), np.tanh(z)
    i, f, g, o = (_ORDER[:, place] for place in range(len(GATES)))
    inner = gate[i] * candidate[g]
    plain = gate[f] * c + inner
    plain_h = gate[o] * np.tanh(plain)
    for leaving, (first, second) in OUTPUTS.items():
        said = (*findings, *state_findings(entering, leaving))
        total = cost + bool(entering) + bool(leaving)
        told = {first: seen["h'"], second: seen["c'"]}
        error = _error(plain_h, plain, given, told)
        yield _guess(error, total, said, np.zeros(len(ORDERS)))
        if "c'" in told and np.any(c):
            values = _forget_bias(told["c'"], inner, c, z[f])
            forgetting = sigmoid(z[f] + values[:, None, None])
            moved = forgetting * c + inner
            error = _error(gate[o] * np.tanh(moved), moved, given, told)
            error = np.where(values == 0.0, np.inf, error)
            yield _guess(error, total + 2, said, values)


def _error(
    h_next: Array, c_next: Array, given: Mapping[str, Array], told: Mapping[str, Array]
) -> Array:
    """Return the largest error of every order, (24,)."""
    known = {"h'": h_next, "c'": c_next, **given}
    each = [np.abs(known[name] - array).max(axis=(-2, -1)) for name, array in told.items()]
    return np.asarray(np.broadcast_to(np.maximum(*each), (len(ORDERS),)))


def _forget_bias(c_next: Array, inner: Array, c: Array, z_f: Array) -> Array:
    """Return the constant that, added to the forget gate, gives `c_next`; 0 where none does."""
    with np.errstate(all="ignore"):
        f = (c_next - inner) / c
        constant = np.log(f) - np.log1p(-f) - z_f
    flat = constant.reshape(len(constant), -1)
    usable = np.isfinite(flat).all(axis=1)
    middle = np.median(np.where(usable[:, None], flat, 0.0), axis=1)
    spread = np.median(np.abs(flat - middle[:, None]), axis=1)
    steady = usable & (spread < _FAR) & (np.abs(middle) > _FAR)
    return np.array([tidy(float(v)) if ok else 0.0 for v, ok in zip(middle, steady, strict=True)])


def _guess(error: Array, cost: int, findings: tuple[Finding, ...], values: Array) -> _Guess:
    # The identity comes first, so it wins among equals.
    best = int(np.argmin(error))
    order = ORDERS[best]
    moved = sum(place != gate for place, gate in enumerate(order))
    value = float(values[best])
    said = (*order_findings(order), *findings)
    if value:
        said = (*said, offset_finding("f", value))
    return _Guess(float(error[best]), cost + (moved + 1) // 2, said)
