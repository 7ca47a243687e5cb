"""What a comparison of two cells found, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from onecell.checkpoint import Note
from onecell.dialect import DIALECTS
from onecell.verify.quantities.cases import Array
from onecell.verify.quantities.readings import Quantity
from onecell.verify.remarks import Remarks
from onecell.verify.wording import Finding, between, say
from onecell.weights import Weights

Label = Literal["a", "b"]
Kind = Literal["file", "weights", "module", "callable"]
Verdict = Literal["same bits", "same", "unproved", "different", "self-test failed"]
Lang = Literal["en", "zh"]

HEAT_MAP: Final = 64
"""Rows and columns of a heat-map, at most."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A checkpoint file as a report names it."""

    path: Path
    dialect: str
    format: str
    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Party:
    """One of the two that are compared."""

    label: Label
    given: str
    """What the caller gave: a path, "module:attribute", or the class of a live object."""
    kind: Kind
    cell: str
    """The cell's name: where it sits in the checkpoint or module, or the class of the object."""
    cells: tuple[str, ...]
    """Every cell that was found there, this one included."""
    framework: str | None
    """"torch", "mindspore", or None for plain arrays."""
    input_size: int
    hidden_size: int
    bias: bool | None
    """Whether it has biases; None where only its behaviour can be seen."""
    stored: str
    """Element type of its parameters, or of what it takes and returns."""
    weights: Weights | None
    """Its parameters in canonical layout; None where only its behaviour can be seen."""
    file: FileFacts | None
    notes: tuple[str, ...] = ()
    """What a reader should know about how it was read, in English."""
    looks: tuple[Note, ...] = ()
    """What a verdict must say of the cell, or of all that is in its file."""
    computed_by: Mapping[str, str] = field(default_factory=dict)
    """Side → the versions behind it where it runs in a process of its own, else empty."""
    alone: str = ""
    """Why the framework's own cell did not compute; empty where it did, or where there is none."""

    @property
    def biases(self) -> int | None:
        """How many biases its framework keeps for a cell; None where that cannot be told."""
        if not self.bias:
            return None if self.bias is None else 0
        row = DIALECTS.get(self.framework or "")
        return row.layout.biases if row else 2


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the two first part, in the order forward, gradient, rollout, optimizer step."""

    quantity: str
    """The first quantity that does not hold, such as "forward.c"."""
    step: int | None
    """The first step of the rollout at which the limit is passed, from 1; None if none does."""
    gate: str | None
    """One of i f g o, or a combination that answers cannot tell apart; None if it is not known."""
    parameter: str | None
    """The first parameter that differs, where both have parameters."""
    index: tuple[int, ...] | None
    """Where in that parameter the difference is largest."""
    error: float
    """The largest error in `quantity`."""
    limit: float
    """What would have been within the limit."""
    difference: float | None
    """b's number less a's, at `index` of `parameter`."""

    def text(self, lang: Lang = "en") -> str:
        """Return one line about it; `lang` is "en" or "zh"."""
        facts = {name: getattr(self, name) for name in self.__slots__}
        kind = "first divergence: no number" if math.isnan(self.error) else "first divergence"
        clauses = [say(kind, lang, **facts)]
        if self.step is not None:
            clauses.append(say("first divergence: step", lang, **facts))
        if self.difference is not None:
            clauses.append(say("first divergence: parameter", lang, **facts))
        elif self.gate is not None:
            clauses.append(say("first divergence: gate", lang, **facts))
        return between(lang).join(clauses)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why the two differ."""

    method: Literal["none needed", "weights", "behaviour"]
    """What was searched: the stored numbers, or how a callable answers to probing inputs."""
    explained: bool
    """Whether the findings explain the difference down to rounding."""
    findings: tuple[Finding, ...]
    searched: int
    """How many layouts were tried."""
    seconds: float

    def text(self, lang: Lang = "en") -> str:
        """Return all findings as one line; `lang` is "en" or "zh"."""
        return between(lang).join(found.text(lang) for found in self.findings)


@dataclass(frozen=True, slots=True)
class Caught:
    """What a comparison said of one wrong port that was made on purpose."""

    mutant: str
    """Its name, such as "gates i and f swapped"."""
    seen: bool
    """Whether the comparison failed, as it must."""
    named: bool
    """Whether the diagnosis says what was done."""
    excess: float
    """The largest error that it made, in units of its limit."""
    said: str
    """The diagnosis, in English."""
    said_zh: str
    """The same in Chinese."""

    @property
    def holds(self) -> bool:
        """Whether it was seen and named."""
        return self.seen and self.named


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All that was found about two things that claim to be the same cell."""

    a: Party
    """The one that is taken to be right."""
    b: Party
    computed: str
    """Element type of the computation; 16-bit floats widen exactly to float32."""
    reference: str
    """What both are held against: "float64 on the weights of a"."""
    same_bits: bool | None
    """Whether both hold the same bits; None where one of them shows no weights."""
    quantities: tuple[Quantity, ...]
    """Readings of "a" and "b"; `Reading.by_step` has the error along the rollout."""
    first: Divergence | None
    diagnosis: Diagnosis
    self_test: tuple[Caught, ...]
    left_out: Mapping[str, str]
    """Sides and quantities that took no part, and why."""
    sampling: Mapping[str, str]
    """Quantity → which part of it was compared, where not all of it was."""
    seed: int
    steps: int
    """Steps of the rollout that were asked for."""
    rows: int
    """N, the rows of the batch."""
    command: str
    """What repeats it, as typed in a shell or in Python."""
    environment: Mapping[str, Any]
    """Versions of Python, NumPy, onecell and the frameworks; instruction set; machine."""
    seconds: float
    inference: bool = False
    """Whether training was left out, two biases were taken as their sum and none as zeros."""

    @property
    def remarks(self) -> Remarks:
        """What the verdict says beside what holds."""
        return Remarks({self.a.cell: self.quantities}, of_both(self.a.looks, self.b.looks))

    @property
    def verdict(self) -> Verdict:
        """What it comes to. A self-test sees nothing where nothing could fail: that comes first."""
        stored = self.a.stored == self.b.stored or self.same_bits is None
        if not stored or not all(quantity.holds for quantity in self.quantities):
            return "different"
        if self.remarks.unproved:
            return "unproved"
        if not all(each.holds for each in self.self_test):
            return "self-test failed"
        return "same bits" if self.same_bits else "same"

    @property
    def holds(self) -> bool:
        """Whether the two are the same cell, as far as every check here can tell."""
        return self.verdict in {"same bits", "same"}

    @property
    def limit_reasons(self) -> Mapping[str, str]:
        """Quantity → how the tightest of its limits came to be, in English."""
        return {
            quantity.name: min(quantity.readings, key=lambda r: r.limit).threshold.reason
            for quantity in self.quantities
        }


def of_both(a: Sequence[Note], b: Sequence[Note]) -> tuple[Note, ...]:
    """Return the notes of both; one that only one of the two has says which."""
    notes = [*a, *(note for note in b if note not in a)]
    where = {note: [label for label, its in (("a", a), ("b", b)) if note in its] for note in notes}
    return tuple(
        note if len(labels) == 2 else replace(note, name=f"{note.name} (in {labels[0]})")
        for note, labels in where.items()
    )


def heat_map(array: Array, most: int = HEAT_MAP) -> Array:
    """Return a matrix of at most `most` by `most` that shows `array`, the gate axis first.

    Each cell of the map is the number of largest size in its block, with its sign, so that one
    number that is wrong stays visible. A bias becomes one column.
    """
    matrix = np.asarray(array, np.float64).reshape(len(array), -1)
    for axis in (0, 1):
        parts = np.array_split(matrix, min(most, matrix.shape[axis]), axis=axis)
        reduced = [_largest(part, axis) for part in parts]
        matrix = np.stack(reduced, axis=axis)
    return matrix


def _largest(part: Array, axis: int) -> Array:
    where = np.expand_dims(np.argmax(np.abs(part), axis=axis), axis)
    return np.take_along_axis(part, where, axis=axis).squeeze(axis)
