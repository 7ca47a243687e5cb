"""`onecell convert`: one checkpoint file into another, without a proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onecell.checkpoint import save_checkpoint
from onecell.cli.exits import STATUSES, Debug, reporting
from onecell.cli.options import FRAMEWORKS, Force, From, check_framework
from onecell.dialect import get_dialect
from onecell.errors import ArgumentError
from onecell.text import plain
from onecell.verify.plan import (
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

{STATUSES}
"""

OWNERS = {".pt": "torch", ".pth": "torch", ".ckpt": "mindspore"}
"""Suffix → the one framework that reads such a file."""


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
            callback=check_framework,
            help=f"Framework of the new file: {FRAMEWORKS}.  "
            r"\[default: the one that OUT's suffix belongs to, else that of IN]",
        ),
    ] = None,
    from_: From = None,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """Convert a checkpoint file; every bit of every tensor is kept.

    .pt, .pth, .ckpt (MindSpore), .safetensors and .npz are read and written without their
    framework. Tensors that belong to no LSTM cell are copied as they are. To have the result
    proved as well, use [bold]onecell port[/bold].
    """
    with reporting(debug=debug):
        read = read_checkpoint(source)
        dialect = source_dialect(read, from_, source)
        goal = get_dialect(to or OWNERS.get(target.suffix, dialect)).name
        owner = OWNERS.get(target.suffix, goal)
        if owner != goal:
            raise ArgumentError(
                f"only {owner} reads {target.suffix} files; for {goal} name OUT "
                f"{target.stem}.safetensors or leave --to out."
            )
        check_apart(target, source)
        done = convert_tensors(source, read, dialect, goal)
        metadata, dropped = split_metadata(read, target)
        save_checkpoint(target, done.tensors, dialect=goal, metadata=metadata, force=force)
        cells = f"{len(done.cells)} LSTM cell{'' if len(done.cells) == 1 else 's'}"
        typer.echo(
            f"{plain(str(target))}: {cells} in {goal}'s form, "
            f"{len(done.carried)} other tensors copied"
        )
        if dropped:
            names = ", ".join(dropped[:8]) + (", ..." if len(dropped) > 8 else "")
            typer.echo(plain(f"left behind, not tensors: {names}"))
