"""`onecell convert`: one checkpoint file into another, without a proof."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from onecell.checkpoint import save_checkpoint
from onecell.checkpoint.choose import choose
from onecell.checkpoint.contents import not_finite
from onecell.checkpoint.files import OWNERS, SUFFIXES
from onecell.checkpoint.formats.sharded import plain_stem
from onecell.cli.exits import STATUSES, Debug, reporting
from onecell.cli.notes import say_looks, say_notes
from onecell.cli.options import (
    EVERY_FRAMEWORK,
    Drop,
    Force,
    FromAny,
    Json,
    Only,
    Quiet,
    check_dialect,
    complete_dialect,
)
from onecell.dialect import get_dialect
from onecell.errors import ArgumentError
from onecell.text import listed, plain
from onecell.verify.plan import (
    carry_optimizers,
    check_apart,
    convert_tensors,
    read_checkpoint,
    source_dialect,
    split_metadata,
)

EXAMPLES = f"""[bold]Examples[/bold]

  onecell convert model.pt model.ckpt

  onecell convert model.ckpt model.safetensors --to torch

  onecell convert weights.npz model.pt --from mindspore

  onecell convert model.safetensors.index.json model.ckpt

  onecell convert run.pt encoder.ckpt --only model.encoder --drop '*.bn'

{STATUSES}
"""

SCHEMA: Final = "onecell.conversion/1"


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The checkpoint to read.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to write; its suffix says the format.")
    ],
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FRAMEWORK",
            callback=check_dialect,
            autocompletion=complete_dialect,
            help=f"Framework of the new file: {EVERY_FRAMEWORK}.  "
            r"\[default: the one that OUT's suffix belongs to, else that of IN]",
        ),
    ] = None,
    from_: FromAny = None,
    only: Only = None,
    drop: Drop = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Convert a checkpoint file; every bit of every tensor is kept.

    .pt, .pth, .ckpt (MindSpore), .safetensors and .npz are read and written without their
    framework, and of a checkpoint in several files the index (.index.json) is read. Tensors that
    belong to no LSTM cell are copied as they are; optimizer state is left behind where the
    framework changes. To have the result proved as well, use [bold]onecell port[/bold].
    """
    with reporting(debug=debug, quiet=quiet and not as_json):
        read = read_checkpoint(source)
        dialect = source_dialect(read, from_, source)
        suffix_owner = OWNERS.get(SUFFIXES.get(target.suffix, ""))
        goal = get_dialect(to or suffix_owner or dialect).name
        owner = suffix_owner or goal
        if owner != goal:
            raise ArgumentError(
                f"only {owner} reads {target.suffix} files; for {goal} name OUT "
                f"{plain_stem(target)}.safetensors or leave --to out."
            )
        check_apart(target, source)
        read, unchosen = choose(read, dialect, only=only or (), drop=drop or ())
        done = convert_tensors(source, read, dialect, goal)
        if dialect != goal and SUFFIXES.get(target.suffix) == "ckpt" and read.plain:
            read = carry_optimizers(read, done)
        metadata, dropped = split_metadata(read, target.suffix, done)
        save_checkpoint(target, done.tensors, dialect=goal, metadata=metadata, force=force)
        notes = [*done.notes, *not_finite(done.tensors)]
        left = {
            "not chosen": unchosen,
            f"the optimizer's, which only {dialect}'s reads": done.left,
            "not tensors": dropped,
        }
        if as_json:
            record = {
                "schema": SCHEMA,
                "source": {"path": str(source), "framework": dialect},
                "target": {"path": str(target), "framework": goal},
                "cells": [site.name for site in done.cells],
                "carried": done.carried,
                "left": [name for names in left.values() for name in names],
                "notes": [asdict(note) for note in notes],
            }
            typer.echo(json.dumps(record, indent=2))
            return
        for why, names in left.items():
            if names:
                typer.echo(f"left behind, {why}: {listed(names)}")
        for line in say_notes(notes):
            typer.echo(line)
        cells = f"{len(done.cells)} LSTM cell{'' if len(done.cells) == 1 else 's'}"
        typer.echo(
            f"{plain(str(target))}: {cells} in {goal}'s form, "
            f"{len(done.carried)} other tensors copied{say_looks(notes)}"
        )
