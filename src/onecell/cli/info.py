"""`onecell info`: what is installed and what computes; what a checkpoint file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from onecell.checkpoint.contents import look_into, to_json
from onecell.checkpoint.files import read_from
from onecell.cli.exits import Debug, Status, reporting
from onecell.cli.info_table import print_contents
from onecell.cli.options import FromAny, Json
from onecell.cli.speech import Lang, Lines
from onecell.errors import CheckpointError
from onecell.language import say, translated
from onecell.text import plain
from onecell.verify.plan import read_checkpoint, source_dialect
from onecell.verify.record import environment

EXAMPLES = """[bold]Examples[/bold]

  onecell info

  onecell info --json

  onecell info model.pt

  onecell info model.pt ported/model.ckpt --json

[bold]Exit status[/bold]: 0 shown · 2 usage · 3 a file cannot be read; the others are shown
"""

SCHEMA: Final = "onecell.contents/1"


def info(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Checkpoints to look into.", show_default=False),
    ] = None,
    *,
    from_: FromAny = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every tensor and every value.")
    ] = False,
    as_json: Json = False,
    _lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Show what is installed and what computes; with FILE, what the checkpoint holds.

    Of a checkpoint: its LSTM cells with sizes, element types and the framework's spelling, its
    other tensors, what is not a tensor, and what is to be known of it. It is read as data: no
    framework is needed, and nothing in it is run.
    """
    with reporting(debug=debug):
        if not files:
            _print_environment(as_json=as_json)
            return
        console = Lines(highlight=False)
        records: list[dict[str, Any]] = []
        unread = None
        for number, path in enumerate(files):
            try:
                read = read_checkpoint(path)
                parts = read_from(path)
                told = from_ and not read.frozen
                contents = look_into(read, source_dialect(read, from_, path) if told else None)
            except CheckpointError as error:
                if debug:
                    raise
                unread = Status.INPUT
                records.append({"path": str(path), "error": str(error)})
                typer.echo(f"onecell: {plain(translated(str(error)))}", err=True)
                continue
            if as_json:
                files_ = {"files": [str(part) for part in parts]}
                records.append({"path": str(path)} | files_ | to_json(contents))
            else:
                if number:
                    console.print()
                print_contents(path, contents, console, parts=parts, verbose=verbose)
        if as_json:
            typer.echo(json.dumps({"schema": SCHEMA, "files": records}, indent=2))
        if unread:
            raise typer.Exit(unread)


def _print_environment(*, as_json: bool) -> None:
    found = environment()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name in ("onecell", "python", "numpy", "torch", "mindspore", "machine"):
        table.add_row(say(name) if name == "machine" else name, found[name] or say("not installed"))
    others = [name for name in found["instruction_sets"] if name != found["instruction_set"]]
    also = say(" (also here: {names}; ONECELL_ISA chooses)", names=", ".join(others))
    table.add_row(say("instruction set"), found["instruction_set"] + (also if others else ""))
    Console().print(table)
