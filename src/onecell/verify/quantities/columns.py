"""Which side computes with which of the two files of a port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from onecell.errors import ArgumentError
from onecell.verify.sides import get_side

File = Literal["source", "target"]
Cell = Literal["onecell", "native"]
"""Whose cell the result runs on: onecell's for its framework, or the framework's own."""

REASON_MISSING: Final = "`{library}` is not installed"


@dataclass(frozen=True, slots=True)
class Column:
    """One side computing with the weights of one of the two files."""

    side: str
    file: File
    decides: bool = True
    """Whether the result runs on this side; what any other gets wrong is told beside the verdict.
    """


def choose_columns(
    source: str, target: str, sides: Sequence[str] | None = None, *, runs_on: Cell = "onecell"
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return which side computes with which file, and the sides left out with the reason.

    Args:
        source: name of the dialect of the file that was read.
        target: name of the dialect of the file that was written.
        sides: names from `sides.SIDES`, each used on the file of its framework, and on both files
            if it belongs to neither. None: onecell's kernel on both, and what is installed of the
            frameworks' own cells and of onecell's front end of the target.
        runs_on: whose cell the result uses. That cell decides, and the kernel over arrays.

    Raises:
        ArgumentError: no side has a name that is given, or none that decides would read the target.
        MissingExtraError: the framework of a side that is given is not installed.
    """
    automatic = sides is None
    chosen = ("arrays", source, target, f"onecell.{target}") if sides is None else tuple(sides)
    deciding = {"arrays", target if runs_on == "native" else f"onecell.{target}"}
    found: dict[File, list[Column]] = {"source": [], "target": []}
    left_out = {}
    for name in dict.fromkeys(chosen):
        entry = get_side(name)
        if not entry.available:
            if not automatic:
                raise entry.missing()
            left_out[name] = REASON_MISSING.format(library=entry.library)
            continue
        if entry.library in (None, source):
            found["source"].append(Column(name, "source", name in deciding))
        if entry.library != source or source == target:
            found["target"].append(Column(name, "target", name in deciding))
    if not any(column.decides for column in found["target"]):
        raise ArgumentError(
            f"`sides` must name one that decides about {target}: {' or '.join(sorted(deciding))}; "
            f"got {', '.join(chosen)}."
        )
    return (*found["source"], *found["target"]), left_out
