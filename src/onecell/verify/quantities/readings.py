"""How far a side is from the reference, quantity by quantity, and how far it may be.

`measure` is the one place where a side's numbers are held against an oracle: the proof of a port
and the comparison of two cells both read what it returns.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from onecell.spec import PARAMETERS
from onecell.verify.quantities.cases import Array
from onecell.verify.quantities.limits import Expected, Threshold
from onecell.verify.quantities.oracle import KINDS, Oracle, quantities
from onecell.verify.sides import Side

Owner = Literal["source", "target", "a", "b"]
"""Whose weights: of the two files of a port, or of the two cells of a comparison."""

SAMPLES: Final = 2048
"""A reading keeps at most so many signed errors, evenly spaced over the quantity."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """How far one side is from the reference in one quantity."""

    side: str
    file: Owner
    error: float
    """Largest absolute error; NaN where either is not finite or the shapes differ."""
    ulps: float
    """The same in units in the last place, at the largest value of the reference."""
    threshold: Threshold
    """What a correct side may miss, and why; see `limits`."""
    steps: int | None
    """The steps of a rollout that were compared."""
    samples: Array
    """Signed errors, at most `SAMPLES` of them, for a histogram; empty where none can be had."""
    by_step: Array | None
    """Of a rollout: the largest error at each of its steps, those beyond `steps` included."""
    limit_by_step: Array | None
    """Of a rollout: the limit at each of its steps."""
    decides: bool = True
    """Whether the verdict depends on it; one that does not is told beside the verdict."""

    @property
    def limit(self) -> float:
        """The largest error of a correct side."""
        return self.threshold.value

    @property
    def holds(self) -> bool:
        """Whether the error is within the limit."""
        return self.error <= self.limit

    @property
    def proves(self) -> bool:
        """Whether it could fail: its limit is small beside what it guards."""
        return self.threshold.proves

    @property
    def excess(self) -> float:
        """The error in units of the limit; infinite where it is not a number."""
        ratio = self.error / self.limit if self.limit > 0 else math.nan
        return math.inf if math.isnan(ratio) else ratio


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity, such as "gradient.weight_hh", on every side."""

    name: str
    readings: tuple[Reading, ...]

    @property
    def family(self) -> str:
        """What it is about: "forward", "rollout"; of gradients, inputs' apart from parameters'."""
        kind, part = self.name.split(".")
        if kind != "gradient":
            return kind
        return f"gradient of the {'parameters' if part in PARAMETERS else 'inputs'}"

    @property
    def holds(self) -> bool:
        """Whether every side that decides is within its limit."""
        return all(reading.holds for reading in self.readings if reading.decides)

    @property
    def proves(self) -> bool:
        """Whether every side that decides could fail; else that it holds counts for nothing."""
        return all(reading.proves for reading in self.readings if reading.decides)

    def of(self, file: Owner) -> tuple[Reading, ...]:
        """Return the readings of one of the two, which `file` names."""
        return tuple(reading for reading in self.readings if reading.file == file)


def measure(
    name: str,
    file: Owner,
    side: Side,
    oracle: Oracle,
    *,
    coarse: bool = False,
    decides: bool = True,
    kinds: Collection[str] = KINDS,
) -> dict[str, Reading]:
    """Run every quantity that `side` has and hold it against the oracle.

    Args:
        name: the side, as the reading names it.
        file: whose weights it holds.
        side: what computes.
        oracle: what every quantity must be.
        coarse: whether the side's tanh is off by more than rounding; the oracle must know it.
        decides: whether the verdict depends on this side.
        kinds: of quantities; see `oracle.KINDS`.

    Returns:
        Quantity → reading, for those in `oracle` that `side.leaves_out` does not name.
    """
    with np.errstate(all="ignore"):
        got = dict(quantities(side, oracle.case, kinds))
        return {
            quantity: replace(
                _read(name, file, got.get(quantity), expected, coarse=coarse), decides=decides
            )
            for quantity, expected in oracle.of(side).items()
            if quantity not in side.leaves_out and quantity.partition(".")[0] in kinds
        }


def _read(
    name: str, file: Owner, got: Array | None, expected: Expected, *, coarse: bool
) -> Reading:
    threshold, steps = expected.limit(coarse=coarse)
    by_step = limits = None
    error = ulps = math.nan
    samples = np.empty(0)
    want = expected.value
    if got is not None and got.shape == want.shape:
        difference = np.asarray(got - want, np.float64)
        seen = difference[:steps]
        if expected.is_rollout:
            by_step = np.max(np.abs(difference), axis=(1, 2))
            limits = expected.limits(coarse=coarse)
            beyond = ~(by_step[:steps] <= limits[:steps])
            if beyond.any():  # an error that a later step might have made, and this one may not
                first = int(np.argmax(beyond))
                threshold, seen = expected.threshold(first, coarse=coarse), difference[[first]]
        flat = difference[:steps].reshape(-1)
        samples = flat[:: max(1, -(-flat.size // SAMPLES))].copy()
        if seen.size:
            error = float(np.max(np.abs(seen)))
            largest = np.dtype(expected.dtype).type(np.max(np.abs(want[:steps])))
            ulps = error / float(np.spacing(largest))
    return Reading(name, file, error, ulps, threshold, steps, samples, by_step, limits)


def by_quantity(
    found: Sequence[Mapping[str, Reading]], names: Iterable[str]
) -> tuple[Quantity, ...]:
    """Return the readings of every side, quantity by quantity; those that nobody has are left out.

    Args:
        found: what `measure` returned, side after side.
        names: the quantities, in the order of the report.
    """
    rows = ((name, tuple(each[name] for each in found if name in each)) for name in names)
    return tuple(Quantity(name, readings) for name, readings in rows if readings)
