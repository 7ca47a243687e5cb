"""What became of each use: values that a table, JSON or a test can show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from onecell.migrate.rules.assumptions import Assumption


class Outcome(StrEnum):
    """What became of one use of the cell, or of something around it."""

    CONVERTED = "converted"
    """Written in the other framework's spelling; it computes the same."""
    ASSUMED = "assumed"
    """Converted; computes the same if what `message` says holds, which the source does not show."""
    ALREADY = "already"
    """The cell of the framework that was asked for; nothing to do."""
    REFUSED = "refused"
    """A use of the cell that could change a result in silence; left as it is, with a comment."""
    MARKED = "marked"
    """Something around the cell that the table lacks; left as it is, with a comment."""
    FAILED = "failed"
    """The file could not be read, parsed or written; nothing in it was touched."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one use."""

    rule: str
    """Name of the rule that decided."""
    outcome: Outcome
    line: int
    """Line in the source as it was, from 1."""
    column: int
    """Column in that line, in characters, from 0."""
    message: str
    """What was done, or why not: one sentence."""
    by_hand: str = ""
    """What is left to do by hand; empty where nothing is."""
    assumes: tuple[Assumption, ...] = ()
    """What an ASSUMED use takes for granted; `message` says the same in words."""
    before: str = ""
    """What the source has there, shortened to one line; empty where that says nothing."""
    after: str = ""
    """What it has become; empty where it is left out."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A module before and after, and what became of each use in it."""

    before: str
    after: str
    findings: tuple[Finding, ...]
    """In the order of the source."""
    keepers: tuple[str, ...] = ()
    """`Class.attribute` for each in which methods keep what a module computed, not detached."""

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.after != self.before
