"""What is to be known of a checkpoint, as every verb says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onecell.checkpoint import Note
from onecell.verify.remarks import Remarks

MOST: Final = 12
"""So many notes are printed."""


def say_notes(notes: Sequence[Note], most: int | None = MOST) -> list[str]:
    """Return a line for each note, and past `most` of them one that says how many more there are.

    One more than `most` is shown rather than counted.
    """
    shown = notes if most is None or len(notes) <= most + 1 else notes[:most]
    more = len(notes) - len(shown)
    return [*(f"note: {note}" for note in shown), *[f"and {more} more notes"] * bool(more)]


def say_looks(notes: Sequence[Note]) -> str:
    """Return what looks like a cell and is none or may be none, to end a line with."""
    return "".join(f"; {each.text()}" for each in Remarks({}, notes).looks)
