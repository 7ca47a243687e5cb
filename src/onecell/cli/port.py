"""`onecell port`: convert a checkpoint and prove every cell of the file that was written."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from onecell.cli.exits import STATUSES, Debug, Status, plain, reporting
from onecell.cli.options import FRAMEWORKS, Force, From, check_format, check_framework
from onecell.cli.table import print_proof
from onecell.verify import SIDES, carry_out, plan_port
from onecell.verify.cases import ROLLOUT_STEPS
from onecell.verify.port import Progress as Report

EXAMPLES = f"""[bold]Examples[/bold]

  onecell port model.pt --to mindspore --out ported

  onecell port model.ckpt --to torch --out ported --self-test

  onecell port model.npz --from torch --to mindspore --format safetensors

  onecell port model.pt --to mindspore --sides arrays,torch

{STATUSES}
"""


def port(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The checkpoint to port.")],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FRAMEWORK",
            callback=check_framework,
            help=f"Where it goes: {FRAMEWORKS}.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the result and its report.")
    ] = Path(),
    from_: From = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            callback=check_format,
            help=r"pt, ckpt, safetensors or npz.  \[default: what the framework itself uses]",
        ),
    ] = None,
    sides: Annotated[
        str | None,
        typer.Option(
            "--sides",
            metavar="NAMES",
            help=f"Who computes, comma-separated, of: {', '.join(SIDES)}.  "
            r"\[default: arrays, and what is installed of the two frameworks]",
        ),
    ] = None,
    rollout: Annotated[
        int, typer.Option("--rollout", metavar="STEPS", min=2, help="Steps of the rollout.")
    ] = ROLLOUT_STEPS,
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help="Swap every pair of gates in the result and see the proof fail; without this, "
            "one pair.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every cell in full.")
    ] = False,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """Convert a checkpoint to another framework and prove that its LSTM cells compute the same.

    The file is written, read back, and every cell in it is held against a float64 reference:
    outputs, all gradients, an optimizer step and a rollout, on the sides that are installed. The
    new checkpoint appears in DIR only if everything holds; the report, NAME.proof.json, always.
    """
    with reporting(debug=debug):
        plan = plan_port(
            model,
            to,
            out,
            source=from_,
            suffix=None if form is None else f".{form}",
            force=force,
            sides=None if sides is None else [name.strip() for name in sides.split(",")],
        )
        if "mindspore" in plan.libraries:
            _take_process_for_mindspore()
        with _progress(len(plan.conversion.cells)) as report:
            proof = carry_out(
                plan,
                rollout_steps=rollout,
                self_test="full" if self_test else "quick",
                progress=report,
            )
        print_proof(proof, Console(highlight=False), verbose=verbose)
        if not proof.holds:
            raise typer.Exit(Status.FAILS)


def _take_process_for_mindspore() -> None:
    """Import MindSpore before anything else does, quiet and fast: this process is ours."""
    os.environ.setdefault("GLOG_v", "3")
    with contextlib.redirect_stderr(io.StringIO()):
        from onecell.verify.sides.mindspore import take_process  # noqa: PLC0415
    take_process()


@contextlib.contextmanager
def _progress(cells: int) -> Iterator[Report | None]:
    """Show a bar on stderr, where that is a terminal and there is something to wait for."""
    console = Console(stderr=True)
    if cells < 2 or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("proving"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[cell]}"), console=console) as bar:
        task = bar.add_task("", total=cells, cell="")

        def report(name: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, cell=Text(plain(name)))

        yield report
