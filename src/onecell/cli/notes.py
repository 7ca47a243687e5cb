"""What is to be known of a checkpoint, as every verb says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onecell.checkpoint import Note
from onecell.language import say, spoken, translated
from onecell.text import short
from onecell.verify.remarks import Remarks
from onecell.verify.wording import between

MOST: Final = 12
"""So many notes are printed."""


def say_notes(notes: Sequence[Note], most: int | None = MOST) -> list[str]:
    """Return a line for each note, and past `most` of them one that says how many more there are.

    One more than `most` is shown rather than counted.
    """
    shown = notes if most is None or len(notes) <= most + 1 else notes[:most]
    more = len(notes) - len(shown)
    said = [say("note: {note}", note=say_note(note)) for note in shown]
    return [*said, *[say("and {more} more notes", more=more)] * bool(more)]


def say_note(note: Note) -> str:
    """Return what it is about, and what is to be known of it."""
    return say("{name}: {text}", name=short(note.name), text=translated(note.text))


def say_looks(notes: Sequence[Note]) -> str:
    """Return what looks like a cell and is none or may be none, to end a line with."""
    looks = Remarks({}, notes).looks
    return "".join(f"{between(spoken())}{each.text(spoken())}" for each in looks)
