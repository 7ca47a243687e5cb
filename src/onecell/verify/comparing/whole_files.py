"""Compare two checkpoints cell by cell, all that have the same name."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onecell.checkpoint import Note
from onecell.errors import NotFiniteError, UnlikeCellsError, WhichCellError
from onecell.text import listed
from onecell.verify.comparing.cells_of_file import CellsOfFile, read_cells
from onecell.verify.comparing.comparison import Comparison, FileFacts, Verdict, of_both
from onecell.verify.comparing.parity import Progress, compare
from onecell.verify.remarks import Remarks


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """All that was found about two files that claim to hold the same cells."""

    a: FileFacts
    b: FileFacts
    cells: tuple[Comparison, ...]
    """Of every cell that is in both, in the order of a; at least one."""
    refused: Mapping[str, UnlikeCellsError | NotFiniteError]
    """Cells that are in both and cannot be compared: other sizes, or numbers that are none."""
    only_a: tuple[str, ...]
    """Names of the cells that b does not have."""
    only_b: tuple[str, ...]
    looks_a: tuple[Note, ...]
    """What a verdict must say of what is in a, beside its cells too."""
    looks_b: tuple[Note, ...]
    seconds: float

    @property
    def remarks(self) -> Remarks:
        """What the verdict says beside what holds."""
        cells = {each.a.cell: each.quantities for each in self.cells}
        return Remarks(cells, of_both(self.looks_a, self.looks_b))

    @property
    def whole(self) -> Comparison | None:
        """The only comparison, where it is all there is to be told."""
        rest = self.refused or self.only_a or self.only_b or len(self.cells) > 1
        return None if rest else self.cells[0]

    @property
    def verdict(self) -> Verdict:
        """What it comes to: "same bits" only where every cell has them, and none is missing."""
        verdicts = {each.verdict for each in self.cells}
        if self.refused or self.only_a or self.only_b or "different" in verdicts:
            return "different"
        if self.remarks.unproved:
            return "unproved"
        order: tuple[Verdict, ...] = ("self-test failed", "same", "same bits")
        return next(verdict for verdict in order if verdict in verdicts)

    @property
    def holds(self) -> bool:
        """Whether both hold the same cells, as far as every check here can tell."""
        return self.verdict in {"same bits", "same"}

    @property
    def command(self) -> str:
        """What repeats it, as typed in a shell."""
        words = shlex.split(self.cells[0].command)
        start = words.index("--cell", 4) if "--cell" in words[4:] else len(words)
        return shlex.join(words[:start] + words[start + 2 :])


def compare_files(
    a: str | os.PathLike[str] | CellsOfFile,
    b: str | os.PathLike[str] | CellsOfFile,
    *,
    progress: Progress | None = None,
    **options: Any,  # noqa: ANN401
) -> Comparisons:
    """Compare every cell of one checkpoint with the one of the same name in another.

    Args:
        a: the path of what is taken to be right, or what `read_cells` made of it.
        b: the path of what claims to be the same. Where no name is in both and one of them is of
            one module, a cell or a stack of layers, cells are compared in their order.
        progress: told before every part of every cell and at the end.
        **options: as `compare` has them, but for `cell`.

    Raises:
        CheckpointError: a file that cannot be read, or holds no cell.
        WhichCellError: no cell of one is called as one of the other.
        UnlikeCellsError, NotFiniteError: no cell can be compared; why the first cannot.
        MissingExtraError: a framework that is needed is not installed.
        ArgumentError: an argument is not one of its values.
    """
    began = time.perf_counter()
    right, other = (
        each if isinstance(each, CellsOfFile) else read_cells(Path(each)) for each in (a, b)
    )
    pairs = [(name, name) for name in right.sites if name in other.sites]
    pairs = pairs or _alone(right, other)
    if not pairs:
        raise WhichCellError(
            f"no cell has the same name in both: `a` holds {listed(right.sites)}; "
            f"`b` holds {listed(other.sites)}. Say which two (--cell NAME=NAME)."
        )
    cells: list[Comparison] = []
    refused: dict[str, UnlikeCellsError | NotFiniteError] = {}
    for number, names in enumerate(pairs):
        told = _of_many(progress, names[0], number, len(pairs))
        try:
            cells.append(compare(right, other, cell=names, progress=told, **options))
        except (UnlikeCellsError, NotFiniteError) as error:
            refused[names[0]] = error
    if not cells:
        raise next(iter(refused.values()))
    if progress is not None:
        progress("", len(pairs), len(pairs))
    looks_a, looks_b = (tuple(note for note in each.known if note.kind) for each in (right, other))
    if len(pairs) == len(right.sites) == len(other.sites) == len(cells) == 1:
        only = cells[0]
        a_, b_ = replace(only.a, looks=looks_a), replace(only.b, looks=looks_b)
        cells = [replace(only, a=a_, b=b_)]
    of_a, of_b = {name for name, _ in pairs}, {name for _, name in pairs}
    return Comparisons(
        right.facts,
        other.facts,
        tuple(cells),
        refused,
        tuple(name for name in right.sites if name not in of_a),
        tuple(name for name in other.sites if name not in of_b),
        looks_a,
        looks_b,
        time.perf_counter() - began,
    )


def _alone(right: CellsOfFile, other: CellsOfFile) -> list[tuple[str, str]]:
    """Return the cells of the one module of a file and those of the other in their order.

    A stack is one module in some frameworks, and a module for each layer in others.
    """
    files = right, other
    if len(right.sites) == len(other.sites) == 1:
        return list(zip(right.sites, other.sites, strict=True))
    if min(len({site.owner for site in file.sites.values()}) for file in files) > 1:
        return []
    pairs: dict[str, str] = {}
    for reverse in (False, True):
        ours, theirs = (_one_way(file, reverse=reverse) for file in files)
        if len(ours) != len(theirs):
            return []
        pairs |= zip(ours, theirs, strict=True)
    return [(name, pairs[name]) for name in right.sites]


def _one_way(file: CellsOfFile, *, reverse: bool) -> list[str]:
    """Return the cells of one direction by their layers, or as the file has them."""
    found = [name for name, site in file.sites.items() if site.reverse is reverse]
    return sorted(found, key=lambda name: file.sites[name].layer or 0)


def _of_many(progress: Progress | None, cell: str, number: int, cells: int) -> Progress | None:
    """Return what tells the parts of one of several cells: the bar counts cells."""
    if progress is None:
        return None

    def told(what: str, done: int, total: int) -> None:
        if cells == 1:
            progress(what, done, total)
        elif done < total:
            progress(f"{cell}: {what}", number, cells)

    return told
