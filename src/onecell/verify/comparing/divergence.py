"""Where two cells first part: which quantity, which step, which gate, which parameter."""

from __future__ import annotations

import numpy as np

from onecell.spec import GATES
from onecell.verify.comparing.comparison import Diagnosis, Divergence
from onecell.verify.quantities.readings import Quantity, Reading
from onecell.weights import Weights


def first_divergence(
    quantities: tuple[Quantity, ...], a: Weights | None, b: Weights | None, diagnosis: Diagnosis
) -> Divergence | None:
    """Return where the first quantity that does not hold parts, None if all hold.

    Args:
        quantities: in the order of the report: one step, gradients, rollout, optimizers.
        a: the weights that are right, where they are known.
        b: those that claim to be the same.
        diagnosis: names a gate where the weights do not.
    """
    failing = next((quantity for quantity in quantities if not quantity.holds), None)
    if failing is None:
        return None
    reading = max(failing.readings, key=lambda each: (not each.holds, each.excess))
    parameter = gate = index = difference = None
    if a is not None and b is not None:
        parameter, index, difference = _first_parameter(a, b)
    if index is not None:
        gate = GATES[index[0] // a.hidden_size]  # type: ignore[union-attr]
    elif diagnosis.findings:
        gate = diagnosis.findings[0].facts.get("gate")
    return Divergence(
        quantity=failing.name,
        step=_first_step(quantities),
        gate=gate,
        parameter=parameter,
        index=index,
        error=reading.error,
        limit=reading.limit,
        difference=difference,
    )


def _first_step(quantities: tuple[Quantity, ...]) -> int | None:
    """Return the first step of the rollout, from 1, at which a side passes its limit."""
    readings = (r for quantity in quantities for r in quantity.readings)
    steps = [step for reading in readings if (step := _passes(reading)) is not None]
    return min(steps, default=None)


def _passes(reading: Reading) -> int | None:
    if reading.by_step is None or reading.limit_by_step is None or reading.holds:
        return None
    beyond = ~(reading.by_step <= reading.limit_by_step)
    return int(np.argmax(beyond)) + 1 if beyond.any() else None


def _first_parameter(
    a: Weights, b: Weights
) -> tuple[str | None, tuple[int, ...] | None, float | None]:
    """Return the first parameter that differs, where it differs most, and by how much."""
    theirs = b.widened().arrays()
    for name, right in a.widened().arrays().items():
        if name not in theirs:
            return name, None, None
        difference = theirs[name].astype(np.float64) - right
        if difference.any():
            at = np.unravel_index(int(np.argmax(np.abs(difference))), difference.shape)
            return name, tuple(int(i) for i in at), float(difference[at])
    return None, None, None
