"""`onecell convert`: one checkpoint file into another, without a proof."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from onecell.checkpoint import save_checkpoint
from onecell.checkpoint.choose import choose, rename
from onecell.checkpoint.contents import not_finite, remarks
from onecell.checkpoint.files import OWNERS, SUFFIXES, WRITTEN
from onecell.checkpoint.formats.sharded import plain_stem
from onecell.checkpoint.formats.table import FORMATS, Form
from onecell.cli.convert_into import convert_into
from onecell.cli.exits import CONVERT_STATUSES, Debug, reporting
from onecell.cli.notes import check_forget_bias, say_looks, say_losses, say_notes
from onecell.cli.options import (
    EVERY_FRAMEWORK,
    Drop,
    Force,
    ForgetBias,
    FromAny,
    Json,
    Only,
    Quiet,
    check_dialect,
    complete_dialect,
)
from onecell.cli.options import choose as one_of
from onecell.cli.speech import Lang
from onecell.dialect import FRONT_ENDS, get_dialect, with_forget_bias
from onecell.errors import ArgumentError
from onecell.language import counted, listed, say
from onecell.text import plain
from onecell.verify.plan import (
    carry_optimizers,
    check_apart,
    check_offsets,
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

  onecell convert model.pt cell.onnx --only decoder.cell

  onecell convert model.pt new.keras --into model.keras

  onecell convert run.pt encoder.ckpt --only model.encoder --drop '*.bn'

{CONVERT_STATUSES}
"""

SCHEMA: Final = "onecell.conversion/1"

_FORMS: Final[dict[str, Form]] = {"step": "step", "sequence": "sequence"}


def check_form(name: str) -> str:
    """Return `name`, or raise the usage error of an option that names no form of a graph."""
    return one_of(name, ("auto", *_FORMS))


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The checkpoint to read.")],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help=f"The file to write; its suffix says the format: {', '.join(WRITTEN)}.",
        ),
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
    merge_biases: Annotated[
        bool,
        typer.Option(
            "--merge-biases",
            help="Let two biases become one, their sum, where the new framework has one.",
        ),
    ] = False,
    forget_bias: ForgetBias = None,
    form: Annotated[
        str,
        typer.Option(
            "--form",
            metavar="FORM",
            callback=check_form,
            help="Of a graph that runs (.onnx, .xml): step, sequence, or auto: a step of a cell, a "
            "sequence of a layer.",
        ),
    ] = "auto",
    strip_prefix: Annotated[
        str | None,
        typer.Option(
            "--strip-prefix", metavar="PREFIX", help="Take this off the names that begin with it."
        ),
    ] = None,
    renames: Annotated[
        list[str] | None,
        typer.Option(
            "--rename",
            metavar="OLD=NEW",
            help="Call what is called OLD, and all below it, NEW; may be repeated.",
        ),
    ] = None,
    only: Only = None,
    drop: Drop = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="MODEL",
            help="Put the cells into a copy of this model (.keras, .h5, .onnx, .xml, .nam, .json), "
            "all else as it is there.",
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    _lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Convert a checkpoint file from any framework to any other.

    Files are read and written without their framework, and of a checkpoint in several files the
    index (.index.json) is read. Gates move to where the new framework has them, bit for bit; what
    its layout cannot keep is said before anything is written. Tensors that belong to no LSTM cell
    are copied as they are; optimizer state is left behind where the framework changes. To have the
    result proved as well, use [bold]onecell port[/bold].
    """
    with reporting(debug=debug, quiet=quiet and not as_json):
        read = read_checkpoint(source)
        dialect = source_dialect(read, from_, source)
        check_offsets(read, forget_bias, source)
        if into is not None:
            check_forget_bias(forget_bias, (dialect, dialect))
            read, _ = choose(read, dialect, only=only or (), drop=drop or ())
            record = convert_into(
                (source, read, with_forget_bias(dialect, forget_bias)),
                into,
                target,
                to=to,
                form=form,
                strip_prefix=strip_prefix or "",
                renames=renames or (),
                merge_biases=merge_biases,
                force=force,
                say_all=not as_json,
            )
            _print_json(as_json, source, dialect, record)
            return
        suffix_owner = _owner(target)
        goal = get_dialect(to or suffix_owner or dialect).name
        owner = suffix_owner or goal
        if owner not in {goal, get_dialect(goal).inside}:
            raise ArgumentError(
                f"only {owner} reads {target.suffix} files; for {goal} name OUT "
                f"{plain_stem(target)}.safetensors or leave --to out."
            )
        check_apart(target, source)
        read, unchosen = choose(read, dialect, only=only or (), drop=drop or ())
        read = rename(read, strip_prefix=strip_prefix or "", names=renames or ())
        old, new = (with_forget_bias(name, forget_bias) for name in (dialect, goal))
        check_forget_bias(forget_bias, (dialect, goal))
        done = convert_tensors(source, read, old, new)
        kind = SUFFIXES.get(target.suffix, "")
        if dialect != goal and kind == "ckpt" and read.plain:
            read = carry_optimizers(read, done)
        metadata, dropped = split_metadata(read, target.suffix, done)
        tensors, without_place = done.tensors, []
        if kind in FORMATS and FORMATS[kind].cells_alone:
            place = FORMATS[kind].has_place
            without_place = [n for n in done.carried if not place(done.renamed.get(n, n))]
            carried = {done.renamed.get(name, name) for name in without_place}
            tensors = {name: array for name, array in tensors.items() if name not in carried}
        say_losses(source, done.lost, merge_biases=merge_biases, aloud=not as_json)
        save_checkpoint(
            target, tensors, dialect=goal, metadata=metadata, force=force, form=_FORMS.get(form)
        )
        notes = [*done.notes, *remarks(read), *not_finite(tensors)]
        left = {
            say("not chosen"): unchosen,
            say("the optimizer's, which only {framework}'s reads", framework=dialect): done.left,
            say("not tensors"): dropped,
            say("no cell's, and {kind} holds nothing else", kind=target.suffix): without_place,
        }
        if as_json:
            record = {
                "target": {"path": str(target), "framework": goal},
                "cells": [site.name for site in done.cells],
                "carried": [name for name in done.carried if name not in without_place],
                "lost": [asdict(loss) for loss in done.lost],
                "left": [name for names in left.values() for name in names],
                "notes": [asdict(note) for note in notes],
            }
            _print_json(as_json, source, dialect, record)
            return
        for why, names in left.items():
            if names:
                typer.echo(say("left behind, {why}: {names}", why=why, names=listed(names)))
        for line in say_notes(notes):
            typer.echo(line)
        line = say(
            "{path}: {cells} in {framework}'s form",
            path=plain(str(target)),
            cells=counted(len(done.cells), "LSTM cell"),
            framework=goal,
        )
        copied = [name for name in done.carried if name not in without_place]
        if copied:
            line += say(", {others} other tensors copied", others=len(copied))
        matrices = any(read.tensors[name].ndim > 1 for name in copied)
        if matrices and not ({dialect, goal} <= FRONT_ENDS.keys() or dialect == goal):
            said = "other layers are copied as they are; {framework} may have their matrices turned"
            typer.echo(say(said, framework=goal))
        typer.echo(line + say_looks(notes))


def _owner(target: Path) -> str | None:
    """Return the one framework that reads files of this suffix, None where several do.

    Raises:
        ArgumentError: no file is written under such a name.
    """
    kind = SUFFIXES.get(target.suffix, "")
    if kind in FORMATS and FORMATS[kind].read_only:
        raise ArgumentError(FORMATS[kind].read_only)
    if not kind:
        given = repr(target.suffix) if target.suffix else "none"
        raise ArgumentError(f"the suffix of OUT must be one of {', '.join(WRITTEN)}, got {given}.")
    return OWNERS.get(kind)


def _print_json(wanted: bool, source: Path, dialect: str, record: dict[str, Any]) -> None:
    """Print the one document about a conversion, where that is wanted."""
    if wanted:
        head = {"schema": SCHEMA, "source": {"path": str(source), "framework": dialect}}
        typer.echo(json.dumps(head | record, indent=2))
