"""A proof as JSON: one schema, versioned, free of anything but standard JSON."""

from __future__ import annotations

import importlib.metadata
import math
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from onecell import available_isas, isa
from onecell.verify.comparing.comparison_record import file_to_json
from onecell.verify.quantities.cases import GRADIENT_STEPS
from onecell.verify.quantities.limits import MARGIN, PROVES, RESOLUTION, TANH_MARGIN
from onecell.verify.quantities.optimizers import BETAS, EPSILON, OPTIMIZERS, STEPS
from onecell.verify.sides import SIDES

if TYPE_CHECKING:
    from onecell.verify.port import Proof
    from onecell.verify.proof import CellProof
    from onecell.verify.quantities.readings import Reading

SCHEMA: Final = "onecell.proof/2"
"""Changes when a reader of the old form would misread the new one."""


def to_json(proof: Proof) -> dict[str, Any]:
    """Return `proof` as plain dictionaries, lists, strings and finite numbers.

    An error that is not a finite number is null, and what it belongs to does not hold.
    """
    return {
        "schema": SCHEMA,
        "holds": proof.holds and not proof.unproved,
        "unproved": dict(proof.unproved),
        "proves_nothing": proof.remarks.idle,
        "source": file_to_json(proof.source),
        "target": file_to_json(proof.target) | {"written": proof.holds},
        "runs_on": proof.runs_on,
        "unable": list(proof.unable),
        "tensors": {
            "total": proof.tensors,
            "proved": proof.proved,
            "carried": list(proof.carried),
            "renamed": dict(proof.renamed),
            "reshaped": {name: list(shape) for name, shape in proof.reshaped.items()},
            "perhaps": list(proof.perhaps),
            "dropped": list(proof.dropped),
            "left": list(proof.left),
            "counters": list(proof.counters),
            "unchosen": list(proof.unchosen),
            "intact": proof.intact,
            "read_by": dict(proof.read_by),
        },
        "method": {
            "reference": "float64",
            "gradient_steps": GRADIENT_STEPS,
            "optimizer_steps": STEPS,
            "rates_for_weights_of_size_1": {n: each.rate for n, each in OPTIMIZERS.items()},
            "adam": {"betas": list(BETAS), "epsilon": EPSILON},
            "margin": MARGIN,
            "tanh_margin": TANH_MARGIN,
            "tanh_error": {e.name: e.tanh_error for e in SIDES.values() if e.tanh_error},
            "resolution": RESOLUTION,
            "proves": PROVES,
        },
        "cells": [_cell(cell) for cell in proof.cells],
        "left_out": dict(proof.left_out),
        "notes": [asdict(note) for note in proof.notes],
        "environment": environment(),
        "seconds": round(proof.seconds, 3),
    }


def environment() -> dict[str, Any]:
    """Return what computed: versions, instruction set, machine. Imports no framework."""
    return {
        "onecell": version("onecell"),
        "instruction_set": isa(),
        "instruction_sets": list(available_isas()),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "mindspore": version("mindspore"),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def version(distribution: str) -> str | None:
    """Return the installed version of a distribution; None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cell(cell: CellProof) -> dict[str, Any]:
    return {
        "name": cell.name,
        "holds": cell.holds,
        "input_size": cell.input_size,
        "hidden_size": cell.hidden_size,
        "bias": cell.bias,
        "stored": cell.stored,
        "computed": cell.computed,
        "same_bits": cell.same_bits,
        "not_finite": cell.not_finite or None,
        "unproved": list(cell.unproved),
        "beside": {side: list(names) for side, names in cell.faults.items()},
        "quantities": [
            {
                "name": q.name,
                "holds": q.holds,
                "proves": q.proves,
                "readings": [_reading(r) for r in q.readings],
            }
            for q in cell.quantities
        ],
        "self_test": [
            {
                "mutation": each.mutation,
                "kind": each.kind,
                "seen": each.seen,
                "excess": _number(each.excess),
            }
            for each in cell.sabotage
        ],
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "side": reading.side,
        "file": reading.file,
        "decides": reading.decides,
        "holds": reading.holds,
        "error": _number(reading.error),
        "ulps": _number(reading.ulps),
        "limit": _number(reading.limit),
        "limit_relative_to_what_it_guards": _number(reading.threshold.relative),
        "proves": reading.proves,
        "steps": reading.steps,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
