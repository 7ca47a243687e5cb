"""`onecell info`: what is installed and what computes."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from onecell.cli.exits import Debug, reporting
from onecell.verify.record import environment

EXAMPLES = """[bold]Examples[/bold]

  onecell info

  onecell info --json
"""


def info(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Debug = False,
) -> None:
    """Show versions, the instruction set in use and the frameworks that are installed."""
    with reporting(debug=debug):
        found = environment()
        if as_json:
            typer.echo(json.dumps(found, indent=2))
            return
        table = Table(show_header=False, box=None, pad_edge=False)
        for name in ("onecell", "python", "numpy", "torch", "mindspore", "machine"):
            table.add_row(name, found[name] or "not installed")
        others = [name for name in found["instruction_sets"] if name != found["instruction_set"]]
        also = f" (also here: {', '.join(others)}; ONECELL_ISA chooses)" if others else ""
        table.add_row("instruction set", found["instruction_set"] + also)
        Console().print(table)
