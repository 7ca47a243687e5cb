"""`onecell convert --into`: cells put into a copy of a model that exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from onecell.checkpoint import Checkpoint, Note, find_cells
from onecell.checkpoint.choose import rename
from onecell.checkpoint.contents import not_finite
from onecell.checkpoint.into import check_into, insert, save_into
from onecell.cli.notes import say_losses, say_notes
from onecell.dialect import Dialect
from onecell.errors import ArgumentError
from onecell.language import counted, listed, say
from onecell.text import plain
from onecell.verify.plan import check_apart, read_checkpoint


def convert_into(
    source: tuple[Path, Checkpoint, Dialect],
    into: Path,
    target: Path,
    *,
    to: str | None,
    form: str,
    strip_prefix: str,
    renames: Sequence[str],
    merge_biases: bool,
    force: bool,
    say_all: bool,
) -> dict[str, Any]:
    """Write `target`, a copy of the model `into` with the cells of `source` in it.

    Args:
        source: the file, what is chosen of it, and the row of its framework.
        into: the model.
        target: the new file.
        to: the framework that the caller says `into` is of.
        form: of a graph made anew, which this is not: "auto".
        strip_prefix: see `choose.rename`.
        renames: the same; what names a cell may name one of the model.
        merge_biases: whether two biases may become one.
        force: replace what is there.
        say_all: print what is done.

    Returns:
        The record of it.
    """
    path, read, dialect = source
    if form != "auto":
        raise ArgumentError("`--form` is of a new graph, and `--into` keeps its own.")
    model = read_checkpoint(into)
    check_into(into, model.format, target)
    if to not in {None, model.dialect}:
        raise ArgumentError(f"{into} is {model.dialect}'s, and --to says {to}; leave that out.")
    for each in (path, into):
        check_apart(target, each)
    cells = {site.name for site in find_cells(read.tensors, dialect)}
    places = dict(each.split("=", 1) for each in renames if each.partition("=")[0] in cells)
    others = [each for each in renames if each.partition("=")[0] not in places]
    read = rename(read, strip_prefix=strip_prefix, names=others)
    found = insert(read.tensors, dialect, model, places)
    say_losses(path, found.lost, merge_biases=merge_biases, aloud=say_all)
    save_into(target, into, model.format, found.tensors, force=force)
    used = {name for site, _ in found.cells for name in site.parts(read.tensors, dialect)}
    left = [name for name in read.tensors if name not in used]
    told = {note.name for note in found.notes}
    moved = [(site, place) for site, place in found.cells if site.owner not in told]
    notes = [*found.notes, *_names(moved), *not_finite(found.tensors)]
    if say_all:
        if left:
            why = say("no cell's, and the model keeps its own")
            typer.echo(say("left behind, {why}: {names}", why=why, names=listed(left)))
        for line in say_notes(notes):
            typer.echo(line)
        typer.echo(
            say(
                "{path}: a copy of {model} with {cells} put into it, all else as it was",
                path=plain(str(target)),
                model=plain(str(into)),
                cells=counted(len(found.cells), "LSTM cell"),
            )
        )
    return {
        "into": str(into),
        "target": {"path": str(target), "framework": model.dialect},
        "cells": [{"from": site.name, "to": place.name} for site, place in found.cells],
        "carried": [],
        "lost": [asdict(loss) for loss in found.lost],
        "left": left,
        "notes": [asdict(note) for note in notes],
    }


def _names(cells: Sequence[tuple[Any, Any]]) -> list[Note]:
    """Say where a cell went that is called otherwise."""
    return [
        Note(site.name, f"is now {place.name} of the model")
        for site, place in cells
        if site.name != place.name
    ]
