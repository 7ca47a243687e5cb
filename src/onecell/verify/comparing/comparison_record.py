"""A comparison as JSON: one schema, versioned, free of anything but standard JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from onecell.verify.comparing.comparison import Comparison, Diagnosis, Divergence, FileFacts, Party
from onecell.verify.quantities.readings import Quantity, Reading
from onecell.verify.remarks import Remarks

if TYPE_CHECKING:
    from onecell.verify.comparing.whole_files import Comparisons

SCHEMA: Final = "onecell.comparison/2"
"""Changes when a reader of the old form would misread the new one."""
SCHEMA_OF_FILES: Final = "onecell.comparisons/2"


def comparison_to_json(found: Comparison) -> dict[str, Any]:
    """Return `found` as plain dictionaries, lists, strings and finite numbers.

    A number that is not finite is null. Weights and single errors are not in it.
    """
    return {
        "schema": SCHEMA,
        "verdict": found.verdict,
        "holds": found.holds,
        **_remarks(found.remarks),
        "a": _party(found.a),
        "b": _party(found.b),
        "computed": found.computed,
        "reference": found.reference,
        "same_bits": found.same_bits,
        "inference": found.inference,
        "first": None if found.first is None else _first(found.first),
        "diagnosis": _diagnosis(found.diagnosis),
        "quantities": [_quantity(quantity) for quantity in found.quantities],
        "self_test": [
            {
                "mutant": caught.mutant,
                "seen": caught.seen,
                "named": caught.named,
                "excess": _number(caught.excess),
                "said": caught.said,
            }
            for caught in found.self_test
        ],
        "left_out": dict(found.left_out),
        "seed": found.seed,
        "steps": found.steps,
        "rows": found.rows,
        "command": found.command,
        "environment": dict(found.environment),
        "seconds": round(found.seconds, 3),
    }


def comparisons_to_json(found: Comparisons) -> dict[str, Any]:
    """Return the comparison of two whole files, each cell of both as `comparison_to_json` has it.

    Where there is one cell in each, that is all of it.
    """
    if found.whole is not None:
        return comparison_to_json(found.whole)
    return {
        "schema": SCHEMA_OF_FILES,
        "verdict": found.verdict,
        "holds": found.holds,
        **_remarks(found.remarks),
        "a": file_to_json(found.a),
        "b": file_to_json(found.b),
        "cells": [comparison_to_json(each) for each in found.cells],
        "refused": {name: str(error) for name, error in found.refused.items()},
        "only_in_a": list(found.only_a),
        "only_in_b": list(found.only_b),
        "command": found.command,
        "seconds": round(found.seconds, 3),
    }


def _remarks(remarks: Remarks) -> dict[str, Any]:
    return {
        "unproved": {name: why.text() for name, why in remarks.unproved.items()},
        "proves_nothing": remarks.idle,
        "notes": [asdict(note) for note in remarks.notes],
    }


def file_to_json(facts: FileFacts) -> dict[str, Any]:
    """Return what is known of a checkpoint file."""
    return {
        "path": str(facts.path),
        "dialect": facts.dialect,
        "format": facts.format,
        "bytes": facts.size,
        "sha256": facts.sha256,
    }


def _party(party: Party) -> dict[str, Any]:
    return {
        "given": party.given,
        "kind": party.kind,
        "cell": party.cell,
        "cells": list(party.cells),
        "framework": party.framework,
        "input_size": party.input_size,
        "hidden_size": party.hidden_size,
        "bias": party.bias,
        "stored": party.stored,
        "shows_weights": party.weights is not None,
        "file": None if party.file is None else file_to_json(party.file),
        "notes": list(party.notes),
        "computed_by": dict(party.computed_by),
        "alone": party.alone or None,
    }


def _first(first: Divergence) -> dict[str, Any]:
    return {
        "quantity": first.quantity,
        "step": first.step,
        "gate": first.gate,
        "parameter": first.parameter,
        "index": None if first.index is None else list(first.index),
        "error": _number(first.error),
        "limit": _number(first.limit),
        "difference": None if first.difference is None else _number(first.difference),
        "text": first.text(),
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "method": diagnosis.method,
        "explained": diagnosis.explained,
        "text": diagnosis.text(),
        "findings": [
            {"kind": found.kind, "facts": dict(found.facts), "text": found.text()}
            for found in diagnosis.findings
        ],
        "searched": diagnosis.searched,
        "seconds": round(diagnosis.seconds, 3),
    }


def _quantity(quantity: Quantity) -> dict[str, Any]:
    return {
        "name": quantity.name,
        "holds": quantity.holds,
        "proves": quantity.proves,
        "readings": [_reading(reading) for reading in quantity.readings],
    }


def _reading(reading: Reading) -> dict[str, Any]:
    found = {
        "of": reading.file,
        "side": reading.side,
        "holds": reading.holds,
        "error": _number(reading.error),
        "ulps": _number(reading.ulps),
        "limit": _number(reading.limit),
        "limit_relative_to_what_it_guards": _number(reading.threshold.relative),
        "proves": reading.proves,
        "reason": reading.threshold.reason,
        "steps": reading.steps,
    }
    if reading.by_step is not None and reading.limit_by_step is not None:
        found["error_by_step"] = [_number(value) for value in reading.by_step]
        found["limit_by_step"] = [_number(value) for value in reading.limit_by_step]
    return found


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
