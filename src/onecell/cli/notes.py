"""What is to be known of a checkpoint, as every verb says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from onecell.checkpoint import Note
from onecell.checkpoint.conversion import Loss
from onecell.dialect import takes_forget_bias
from onecell.errors import ArgumentError
from onecell.language import say, spoken, translated
from onecell.text import plain, short
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


def say_losses(path: Path, lost: Sequence[Loss], *, merge_biases: bool, aloud: bool) -> None:
    """Print what a conversion cannot keep, or raise where the caller has to ask for it.

    Raises:
        ArgumentError: two biases become one, and `merge_biases` is not set.
    """
    merged = [loss for loss in lost if loss.kind == "merged"]
    if merged and not merge_biases:
        raise ArgumentError(f"{path}: {merged[0]}. To have it so, say --merge-biases.")
    for loss in lost if aloud else ():
        typer.echo(plain(say("not kept as it is, {loss}", loss=translated(str(loss)))))


def check_forget_bias(given: float | None, dialects: Sequence[str]) -> None:
    """Raise `ArgumentError` if a forget bias is given and no framework's cell can be told one."""
    if given is not None and not any(map(takes_forget_bias, dialects)):
        raise ArgumentError(
            f"no cell of {dialects[0]} or {dialects[-1]} can be told what to add to its forget "
            f"gate; leave --forget-bias out."
        )


def say_looks(notes: Sequence[Note]) -> str:
    """Return what looks like a cell and is none or may be none, to end a line with."""
    looks = Remarks({}, notes).looks
    return "".join(f"{between(spoken())}{each.text(spoken())}" for each in looks)
