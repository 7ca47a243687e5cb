"""What became of each file: values that a table, JSON or a test can show."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from onecell.migrate.rewriting.rewrite import Framework, Target
from onecell.migrate.rules.findings import Finding, Outcome, Rewrite

LEFT: Final = frozenset({Outcome.REFUSED, Outcome.MARKED, Outcome.FAILED})
"""Outcomes of a use that is left to do by hand."""


class FileOutcome(StrEnum):
    """What became of one file, as a whole."""

    CHANGED = "changed"
    """There is new content; whether it was written is another matter."""
    SAME = "same"
    """Nothing to change: it does not use the cell, or uses it as it should, or only refusals."""
    FAILED = "failed"
    """It could not be read, parsed or written; it stays as it is."""


Kind = Literal["import", "use"]


@dataclass(frozen=True, slots=True)
class Remain:
    """One name of the framework that a file has still."""

    name: str
    """The import path: "torch.nn.Embedding"."""
    kind: Kind
    places: tuple[tuple[int | None, int], ...]
    """(number of the notebook's code cell or None, line) of each, from 1."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file. Nothing has been written because of it."""

    path: Path
    """As the caller would name it: beginning with the path that was asked for."""
    relative: Path
    """Its place in the tree, seen from the folder that was asked for."""
    root: Path | None
    """The folder that was asked for; None for a file that was named itself."""
    outcome: FileOutcome
    rewrite: Rewrite | None = None
    """What the engine did; None where it was not asked, and where the file failed.

    Of a notebook, the text of its code cells one after the other.
    """
    error: str = ""
    """Why it failed, in one line; empty otherwise."""
    before: bytes = b""
    """The content that was read; kept only where there is something to write."""
    after: bytes = b""
    """The content to write, if `outcome` is CHANGED."""
    cells: tuple[tuple[int, int], ...] = ()
    """Of a notebook: (first line in `rewrite.before`, number among the code cells, from 1)."""
    remains: tuple[Remain, ...] = ()
    """What of the source framework is left in it as it comes out."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What became of each use in the file, in the order of the source."""
        return self.rewrite.findings if self.rewrite else ()

    @property
    def left(self) -> tuple[Finding, ...]:
        """The uses that are left to do by hand."""
        return tuple(found for found in self.findings if found.outcome in LEFT)

    def place(self, found: Finding) -> str:
        """Return where `found` is: `path:line`, or `path:cell 3:line` in a notebook."""
        cell, line = self.cell_line(found)
        return f"{self.path}:{line}" if cell is None else f"{self.path}:cell {cell}:{line}"

    def cell_line(self, found: Finding) -> tuple[int | None, int]:
        """Return the number of the cell of `found`, None outside notebooks, and its line there."""
        at = bisect_right(self.cells, found.line, key=lambda cell: cell[0]) - 1
        if at < 0:
            return None, found.line
        first, number = self.cells[at]
        return number, found.line - first + 1


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of everything that was asked for; still nothing is written."""

    to: Framework
    target: Target
    results: tuple[FileResult, ...]
    """One for each Python file and notebook, in the order of the paths."""
    skipped: tuple[tuple[Path, str], ...] = ()
    """Folders that were passed over although nobody asked for it, and why in a few words."""
    todo: Path | None = None
    """The list of what is left, once it is written; None where nothing is left."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Attribute of modules whose name the new framework's have taken → what it is called now, in
    the names of tensors too."""

    @property
    def changed(self) -> tuple[FileResult, ...]:
        """The files that there is something to write for."""
        return tuple(each for each in self.results if each.outcome is FileOutcome.CHANGED)

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """The files that could not be migrated; `error` says why."""
        return tuple(each for each in self.results if each.outcome is FileOutcome.FAILED)

    @property
    def remaining(self) -> tuple[FileResult, ...]:
        """The files in which something of the source framework is left."""
        return tuple(each for each in self.results if each.remains)

    @property
    def left(self) -> int:
        """How many uses are left to do by hand."""
        return sum(len(each.left) for each in self.results)

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to do: no file has anything of the source framework."""
        return not (self.changed or self.failed or self.remaining or self.left)

    def count(self, outcome: Outcome) -> int:
        """Return how many uses, over all files, have this `outcome`."""
        return sum(found.outcome is outcome for each in self.results for found in each.findings)
