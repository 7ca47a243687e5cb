"""Diagnose from answers: which known mistake on the right weights answers as a callable does.

A few rows of probing inputs go into the callable once. What it should answer under each mistake is
then worked out in float64 from the right weights: the products with each orientation of the
matrices, the sums of biases, the activations of every block, and only then, all at once, the 24
orders of the gates. A forget bias is not guessed but solved for: with the other gates known, the
answer tells what the forget gate was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.reference import sigmoid
from onecell.spec import GATES
from onecell.verify.cases import Array, responsive
from onecell.verify.comparison import Diagnosis, Finding
from onecell.verify.diagnosis.layouts import (
    ORDERS,
    bias_blocks,
    offset_finding,
    order_findings,
    tidy,
    visible_treatments,
    wrongly_read,
)
from onecell.weights import Weights

Step = Callable[[Array, Array, Array], tuple[Array, Array]]

ROWS: Final = 6
UNITS: Final = 64
"""The search looks at this many units at most; the plain hypotheses look at all of them."""
_SEED: Final = 1735
_FAR: Final = 1e-2
"""An estimated forget bias must agree this well over all rows and units to be tried."""

_ORDER = np.array(ORDERS)

_INPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("h", "c"),
    "states swapped in": ("c", "h"),
    "state ignored": ("0", "0"),
    "h ignored": ("0", "c"),
    "c ignored": ("h", "0"),
}
"""Kind of finding → what the cell takes for h and for c."""

_OUTPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("h'", "c'"),
    "states swapped out": ("c'", "h'"),
    "c not updated": ("h'", "c"),
    "h not updated": ("h", "c'"),
}
"""Kind of finding → what it returns as h' and as c'."""


@dataclass(frozen=True, slots=True, eq=False)
class _Probe:
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
    probe = _probe(weights, step)
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
    lonely = _units(right, probe, tolerance)
    if lonely:
        return Diagnosis("behaviour", True, lonely, count, took)
    return Diagnosis("behaviour", False, (_where(right, probe),), count, took)


def _probe(weights: Weights, step: Step) -> _Probe:
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
    return _Probe(*wide)


def _plain(
    weights: Weights, probe: _Probe, tolerance: float
) -> Iterator[tuple[tuple[Finding, ...] | None, int]]:
    """Yield whether the step is right as it is, or right for weights that were rounded."""
    if _off(weights, probe).max() <= tolerance:
        yield (Finding("step right", {}),), 1
    for tried, name in enumerate(("float16", "bfloat16"), 2):
        if name != weights.dtype_name and _off(weights.astype(name), probe).max() <= tolerance:
            yield (Finding("rounded", {"dtype": name}),), tried
    yield None, 3


def _off(weights: Weights, probe: _Probe) -> Array:
    """Return the largest error of every unit, (H,), if the cell had `weights` and no mistake."""
    h_next, c_next = _cell(_z(weights, probe), probe.c)
    both = np.maximum(np.abs(h_next - probe.h_next), np.abs(c_next - probe.c_next))
    return np.asarray(both.max(axis=0))


def _z(weights: Weights, probe: _Probe) -> Array:
    """Return what goes into the gates, (4, N, H)."""
    w = weights.astype("float64")
    z = probe.x @ w.weight_ih.T + probe.h @ w.weight_hh.T
    z = z.reshape(len(z), len(GATES), -1).transpose(1, 0, 2)
    return np.asarray(z + bias_blocks(w).sum(axis=0)[:, None, :])


def _cell(z: Array, c: Array) -> tuple[Array, Array]:
    c_next = sigmoid(z[1]) * c + sigmoid(z[0]) * np.tanh(z[2])
    return sigmoid(z[3]) * np.tanh(c_next), c_next


def _guesses(right: Weights, probe: _Probe) -> Iterator[_Guess]:
    """Yield the best order of gates of every other combination of mistakes."""
    units = probe.units(UNITS)
    biases = bias_blocks(right)[:, :, units]
    state = {"h": probe.h, "c": probe.c, "0": np.zeros_like(probe.h)}
    seen = {"h'": probe.h_next[:, units], "c'": probe.c_next[:, units]}
    given = {name: array[:, units] for name, array in state.items()}
    treatments = visible_treatments() if biases.any() else visible_treatments()[:1]
    for how, cost, by_x, by_h in _products(right, probe.x, state, units):
        for kind, (takes_h, takes_c) in _INPUTS.items():
            for treatment in treatments:
                z = by_x + by_h[takes_h] + treatment.apply(biases).sum(axis=0)[:, None, :]
                entering = (Finding(kind, {}),) if kind else ()
                found = (*how, *entering, *treatment.findings)
                total = cost + bool(kind) + treatment.cost
                yield from _orders(z, given, takes_c, seen, found, total)


def _products(
    right: Weights, x: Array, state: Mapping[str, Array], units: Array
) -> Iterator[tuple[tuple[Finding, ...], int, Array, dict[str, Array]]]:
    """Yield findings, cost, x's product (4, N, U) and the states' for every orientation."""
    by_x = {how: _times(w, x, units) for how, w in wrongly_read(right.weight_ih)}
    by_h = {
        how: {name: _times(w, array, units) for name, array in state.items()}
        for how, w in wrongly_read(right.weight_hh)
    }
    for how_x, product in by_x.items():
        for how_h, products in by_h.items():
            odd = [("weight_ih", how_x), ("weight_hh", how_h)]
            findings = tuple(Finding(how, {"parameter": n}) for n, how in odd if how != "as is")
            if how_x == "as is" or how_h in {"as is", how_x}:
                yield findings, 2 * bool(findings), product, products
    if right.input_size == right.hidden_size:
        crossed = {name: _times(_blocks(right.weight_ih), a, units) for name, a in state.items()}
        by_input = _times(_blocks(right.weight_hh), x, units)
        yield (Finding("matrices swapped", {}),), 2, by_input, crossed


def _blocks(matrix: Array) -> Array:
    return matrix.reshape(len(GATES), -1, matrix.shape[1])


def _times(blocks: Array, rows: Array, units: Array) -> Array:
    """Return rows (N, K) times the chosen units of blocks (4, H, K), as (4, N, U)."""
    return np.asarray(np.einsum("nk,guk->gnu", rows, blocks[:, units], optimize=True))


def _orders(
    z: Array,
    given: Mapping[str, Array],
    takes_c: str,
    seen: Mapping[str, Array],
    findings: tuple[Finding, ...],
    cost: int,
) -> Iterator[_Guess]:
    """Yield the best order of gates, for each way to return the states and each forget bias."""
    c = given[takes_c]
    gate, candidate = sigmoid(z), np.tanh(z)
    i, f, g, o = (_ORDER[:, place] for place in range(len(GATES)))
    inner = gate[i] * candidate[g]
    plain = gate[f] * c + inner
    plain_h = gate[o] * np.tanh(plain)
    for kind, (first, second) in _OUTPUTS.items():
        leaving = (Finding(kind, {}),) if kind else ()
        told = {first: seen["h'"], second: seen["c'"]}
        error = _error(plain_h, plain, given, told)
        yield _guess(error, cost + bool(kind), (*findings, *leaving), np.zeros(len(ORDERS)))
        if "c'" in told and np.any(c):
            values = _forget_bias(told["c'"], inner, c, z[f])
            forgetting = sigmoid(z[f] + values[:, None, None])
            moved = forgetting * c + inner
            error = _error(gate[o] * np.tanh(moved), moved, given, told)
            error = np.where(values == 0.0, np.inf, error)
            yield _guess(error, cost + bool(kind) + 2, (*findings, *leaving), values)


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


def _units(right: Weights, probe: _Probe, tolerance: float) -> tuple[Finding, ...]:
    """Return the few units that are off where all others are right; empty if there are many."""
    off = _off(right, probe)
    wrong = np.flatnonzero(~(off <= tolerance))
    if not 0 < len(wrong) <= max(1, len(off) // 16) or len(off) == 1:
        return ()
    return tuple(_unit(right, probe, int(unit), tolerance) for unit in wrong)


def _unit(right: Weights, probe: _Probe, unit: int, tolerance: float) -> Finding:
    """Name the gate of a unit that is off: o if c' is right, else the one that can be wrong."""
    z = _z(right, probe)[:, :, unit]
    _, c_next = _cell(z, probe.c[:, unit])
    if np.abs(c_next - probe.c_next[:, unit]).max() <= tolerance:
        return Finding("one unit", {"unit": unit, "gate": "o"})
    # What f and what i·g would have to be; where c is small, a wrong f can hardly be seen.
    error = probe.c_next[:, unit] - c_next
    by_f = error / (probe.c[:, unit] * sigmoid(z[1]) * (1 - sigmoid(z[1])))
    by_i = error / (np.tanh(z[2]) * sigmoid(z[0]) * (1 - sigmoid(z[0])))
    by_g = error / (sigmoid(z[0]) * (1 - np.tanh(z[2]) ** 2))
    shifts = {"f": by_f, "i": by_i, "g": by_g}
    # One weight moves what goes into its gate by its input in every row: the same multiple of it.
    inputs = np.concatenate([probe.x, probe.h, np.ones((len(probe.x), 1))], axis=1)
    misfit = {gate: _misfit(shift, inputs) for gate, shift in shifts.items()}
    return Finding("one unit", {"unit": unit, "gate": min(misfit, key=lambda g: misfit[g])})


def _misfit(shift: Array, inputs: Array) -> float:
    """Return how badly `shift` is a multiple of the best single column of `inputs`."""
    scale = (inputs * shift[:, None]).sum(axis=0) / np.maximum((inputs**2).sum(axis=0), 1e-30)
    left = np.linalg.norm(shift[:, None] - scale * inputs, axis=0)
    return float(left.min() / max(float(np.linalg.norm(shift)), 1e-30))


def _where(right: Weights, probe: _Probe) -> Finding:
    unit = int(np.argmax(np.nan_to_num(_off(right, probe), nan=np.inf)))
    gate = _unit(right, probe, unit, 0.0).facts["gate"]
    return Finding("unexplained", {"where": f"unit {unit}, gate {gate}"})
