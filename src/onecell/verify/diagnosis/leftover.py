"""What the known mistakes leave unexplained of b's numbers: nothing, a rounding, single numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from onecell.dtypes import narrow, widen
from onecell.spec import GATES
from onecell.verify.quantities.cases import Array
from onecell.verify.quantities.limits import MARGIN
from onecell.verify.quantities.stored import rounding
from onecell.verify.wording import Finding
from onecell.weights import Weights

GRAIN: Final[dict[str, float]] = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Stored type → what arithmetic that ended in it may be off by, relatively; else `FINE`."""
FINE: Final = 1e-6
_SINGLES: Final = 4
"""So many numbers that are off are named one by one."""
_ROUNDED: Final[dict[str, float]] = {
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
    "float32": 2.0**-24,
}
"""Stored type → the largest relative error of rounding to it, the narrowest first."""
_LEVELS: Final = 127
"""The largest integer of int8 weights."""
_NEARLY: Final = 2.0**-15
"""How exact a scale of 16 bits is, relatively."""
_MATRIX: Final = 3
"""Axes of a matrix in blocks."""
_CLOSE: Final = 2.0**-7
"""Other numbers are called close if none is off by more than this part of the largest."""
_SMALLEST_HALF: Final = 2.0**-25
"""The largest absolute error of rounding a denormal to float16."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One parameter of b, explained."""

    name: str
    got: Array
    """b's numbers as blocks, put right."""
    want: Array
    """What the mistakes make of a's."""
    exact: bool = True
    """Whether the mistakes are moves of numbers, without arithmetic."""


def leftover(
    parts: list[Part], stored: str, b: Weights, *, known: bool
) -> tuple[list[Finding], bool]:
    """Return what to say of what the mistakes do not explain, and whether that explains it."""
    eps = float(np.finfo(b.spec.dtype).eps)
    worst: tuple[float, str, tuple[int, ...]] = (0.0, "", ())
    singles: list[tuple[Part, tuple[int, ...]]] = []
    count, noise, changed = 0, 0.0, False
    for part in parts:
        left = np.abs(np.asarray(part.got, np.float64) - part.want)
        size = float(np.max(np.abs(part.want), initial=0.0)) or 1.0
        changed = changed or bool(left.any())
        allowed = rounding(part.name, part.want, b.spec.dtype)
        if not part.exact:
            allowed = np.maximum(allowed, MARGIN * max(eps, GRAIN.get(stored, eps)) * size)
        off = left > allowed
        noise = max(noise, float(np.max(np.where(off, 0.0, left) / size, initial=0.0)))
        where = np.argwhere(off)
        count += len(where)
        singles += [(part, tuple(map(int, at))) for at in where[: _SINGLES + 1]]
        at = np.unravel_index(int(np.argmax(left)), left.shape)
        worst = max(worst, (float(left[at]) / size, part.name, tuple(map(int, at))))
    if not changed or (count == 0 and known and not all(part.exact for part in parts)):
        return [], True
    for name, relative in _ROUNDED.items():
        if name == stored:
            continue
        rounded = [part.name for part in parts if _is_rounded(part, name, relative)]
        if said := _say_rounded(parts, rounded, {"dtype": name}):
            return said, True
    errors = {p.name: error for p in parts if (error := _by_rows(p)) is not None}
    if errors:
        worst_row = {"value": max(errors.values())}
        if said := _say_rounded(parts, list(errors), worst_row, "rounded by rows"):
            return said, True
    if count == 0:
        return [Finding("noise", {"value": noise})], True
    if count <= _SINGLES:
        return [_single(part, at) for part, at in singles], True
    return _unexplained(parts, eps, worst, known=known)


def _unexplained(
    parts: list[Part], eps: float, worst: tuple[float, str, tuple[int, ...]], *, known: bool
) -> tuple[list[Finding], bool]:
    """Return what can still be said of many numbers that are off."""
    size, name, at = worst
    if not known and (factor := _factor(parts, eps)):
        return [Finding("scaled", {"value": factor})], True
    if not known and size <= _CLOSE:
        return [Finding("close", {"value": size, "parameter": name})], False
    where = f"{name}, gate {GATES[at[0]]}, unit {at[1]}"
    return [Finding("unexplained", {"where": where})], False


def _factor(parts: list[Part], eps: float) -> float | None:
    """Return what every number was multiplied by, if there is one such factor."""
    got = np.concatenate([np.asarray(part.got, np.float64).reshape(-1) for part in parts])
    want = np.concatenate([np.asarray(part.want, np.float64).reshape(-1) for part in parts])
    with np.errstate(all="ignore"):
        factor = float(got @ want / (want @ want))
        fits = np.abs(got - factor * want) <= MARGIN * eps * np.abs(factor * want)
    return factor if factor and bool(fits.all()) else None


def _is_rounded(part: Part, name: str, relative: float) -> bool:
    """Whether b's numbers can be stored as `name` and are what rounding makes of those wanted."""
    got = np.asarray(part.got, np.float64)
    with np.errstate(over="ignore"):  # too large for float16: infinite, and then no match
        kept = widen(narrow(part.got.astype(np.float32), name))
    left = np.abs(got - part.want)
    reach = (2 + 2 * (not part.exact)) * relative * np.abs(part.want) + _SMALLEST_HALF
    return bool(np.array_equal(kept, part.got) and np.all(left <= reach))


def _say_rounded(
    parts: list[Part], rounded: list[str], facts: dict[str, Any], kind: str = "rounded"
) -> list[Finding]:
    """Return what to say where some parameters were rounded and the others are what they were."""
    rest = [part for part in parts if part.name not in rounded]
    changed = [part.name for part in parts if part.name in rounded and _differs(part)]
    if not changed or any(_differs(part) for part in rest):
        return []
    if not rest:
        return [Finding(kind, facts)]
    return [Finding(f"{kind} in", {**facts, "parameter": " and ".join(rounded)})]


def _differs(part: Part) -> bool:
    return not np.array_equal(part.got, part.want)


def _by_rows(part: Part) -> float | None:
    """Return the largest error, of the largest number of its row, if b's rows are int8 by a scale.

    A row is then made of integers from -127 to 127 times its largest number over 127.
    """
    want, got = (np.asarray(each, np.float64) for each in (part.want, part.got))
    most = np.abs(got).max(axis=-1, keepdims=True)
    if want.ndim < _MATRIX or not part.exact or not most.all():
        return None
    steps = got * (_LEVELS / most)
    largest = np.abs(want).max(axis=-1, keepdims=True)
    apart = np.abs(got - want)
    is_whole = np.abs(steps - np.round(steps)) <= _LEVELS * _NEARLY
    if not is_whole.all() or not (apart <= largest * (0.5 + _NEARLY * _LEVELS) / _LEVELS).all():
        return None
    return float(np.max(apart / largest))


def _single(part: Part, at: tuple[int, ...]) -> Finding:
    gate, unit = at[0], at[1]
    hidden = part.got.shape[1]
    value = float(part.got[at]) - float(part.want[at])
    index = (gate * hidden + unit, *at[2:])
    facts = {"parameter": part.name, "index": index, "gate": GATES[gate], "unit": unit}
    return Finding("one element", {**facts, "value": value})
