"""What the page shows, as plain values: the template reads these and nothing else.

A comparison of two cells and the proof of a port are told in the same words, so both become a
`Page` first. Nothing here computes or draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from onecell.verify.difference import Table, Text
from onecell.verify.report.plots import Plot

Tone = Literal["good", "bad", "doubt"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one thing that a reader takes away."""

    tone: Tone
    word: Text
    sentence: Text


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list of facts."""

    name: Text
    value: Text
    code: bool = False
    """Whether the value is something to copy, such as a path or a checksum."""


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two that were compared, or one of the two files of a port."""

    heading: Text
    name: str
    facts: tuple[Fact, ...]
    cells: tuple[str, ...] = ()
    """Names of all cells that were found there."""
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a parity table: who computed, and with whose weights."""

    side: str
    owner: Text


@dataclass(frozen=True, slots=True)
class Measured:
    """One cell of a parity table."""

    error: str
    ulps: str
    limit: str
    holds: bool
    steps: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity on every side; None where a side does not have it."""

    name: str
    measured: tuple[Measured | None, ...]
    holds: bool
    proves: bool
    """Whether it could fail on every side that decides."""
    sampled: str | None = None
    """Which part was compared, where not all of it was."""


@dataclass(frozen=True, slots=True)
class Group:
    """The quantities of one kind."""

    heading: Text
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong port that was made on purpose."""

    name: Text
    caught: bool
    excess: str
    said: Text | None
    """What the diagnosis says; None where there is none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """All about one cell."""

    id: str
    """Unique in the page, of letters, digits and hyphens."""
    name: str
    holds: bool
    facts: tuple[Fact, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    plots: tuple[Plot, ...]
    maps: tuple[Plot, ...]
    maps_note: Text
    """What the heat-maps show, or why there are none."""
    mutants: tuple[Mutant, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """Why one quantity may miss by so much and no more."""

    quantity: str
    value: str
    relative: str
    """The limit as a part of what it guards."""
    proves: bool
    """Whether it is small beside that."""
    reason: Text


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    title: Text
    verdict: Verdict
    highlights: tuple[Fact, ...]
    """A few numbers that a reader sees at once."""
    findings: tuple[Fact, ...]
    """Where it goes wrong and why; empty where everything holds."""
    parties: tuple[Party, ...]
    cells: tuple[Cell, ...]
    left_out: tuple[Fact, ...]
    method: tuple[Fact, ...]
    limits: tuple[Limit, ...]
    environment: tuple[Fact, ...]
    command: str
    created: str
    difference: Table | None = None
    extra: tuple[Fact, ...] = field(default=())
    """What else a port did: tensors carried over, files read by their own framework."""
