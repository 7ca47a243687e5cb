"""Which units of a cell are off, and in which gate, where all others are right."""

from __future__ import annotations

import numpy as np

from onecell.reference import sigmoid
from onecell.verify.diagnosis.probe import Probe, answer, before_gates, largest_errors
from onecell.verify.quantities.cases import Array
from onecell.verify.wording import Finding
from onecell.weights import Weights


def units_that_are_off(right: Weights, probe: Probe, tolerance: float) -> tuple[Finding, ...]:
    """Return the few units that are off where all others are right; empty if there are many."""
    errors = largest_errors(right, probe)
    wrong = np.flatnonzero(~(errors <= tolerance))
    if not 0 < len(wrong) <= max(1, len(errors) // 16) or len(errors) == 1:
        return ()
    gates = [(int(unit), _gate(right, probe, int(unit), tolerance)) for unit in wrong]
    return tuple(Finding("one unit", {"unit": unit, "gate": gate}) for unit, gate in gates)


def worst_unit(right: Weights, probe: Probe, tolerance: float) -> Finding:
    """Return the unit that is furthest off, with the gate that explains it best."""
    unit = int(np.argmax(np.nan_to_num(largest_errors(right, probe), nan=np.inf)))
    where = f"unit {unit}, gate {_gate(right, probe, unit, tolerance)}"
    return Finding("unexplained", {"where": where})


def _gate(right: Weights, probe: Probe, unit: int, tolerance: float) -> str:
    """Return the gate of a unit that is off: o if c' is right, else the one that can be wrong."""
    z, c = before_gates(right, probe)[:, :, unit], probe.c[:, unit]
    _, c_next = answer(z, c)
    if np.abs(c_next - probe.c_next[:, unit]).max() <= tolerance:
        return "o"
    # What f and what i·g would have to be; where c is small, a wrong f can hardly be seen.
    error = probe.c_next[:, unit] - c_next
    by_f = error / (c * sigmoid(z[1]) * (1 - sigmoid(z[1])))
    by_i = error / (np.tanh(z[2]) * sigmoid(z[0]) * (1 - sigmoid(z[0])))
    by_g = error / (sigmoid(z[0]) * (1 - np.tanh(z[2]) ** 2))
    shifts = {"f": by_f, "i": by_i, "g": by_g}
    # One weight moves what goes into its gate by its input in every row: the same multiple of it.
    inputs = np.concatenate([probe.x, probe.h, np.ones((len(probe.x), 1))], axis=1)
    misfit = {gate: _misfit(shift, inputs) for gate, shift in shifts.items()}
    return min(misfit, key=lambda gate: misfit[gate])


def _misfit(shift: Array, inputs: Array) -> float:
    """Return how badly `shift` is a multiple of the best single column of `inputs`."""
    scale = (inputs * shift[:, None]).sum(axis=0) / np.maximum((inputs**2).sum(axis=0), 1e-30)
    left = np.linalg.norm(shift[:, None] - scale * inputs, axis=0)
    return float(left.min() / max(float(np.linalg.norm(shift)), 1e-30))
