"""`onecell port`: convert a checkpoint and prove every cell of the file that was written."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from onecell.cli.exits import PORT_STATUSES, Debug, reporting
from onecell.cli.options import (
    FRAMEWORKS,
    Drop,
    Exclude,
    Force,
    From,
    Json,
    Only,
    Quiet,
    as_framework,
    as_target,
    check_format,
    check_framework,
    check_sides,
    check_target,
    complete_format,
    complete_framework,
    complete_sides,
    complete_target,
)
from onecell.cli.page import check_page, say_command, write_pages
from onecell.cli.process import (
    Report,
    one_blas_thread,
    progress_bar,
    take_process_for_mindspore,
)
from onecell.cli.project_table import (
    STATUS,
    print_project,
    project_to_json,
    proof_to_json,
    proof_verdict,
)
from onecell.cli.speech import Lang, Lines, page_language
from onecell.cli.table import print_proof
from onecell.errors import ArgumentError
from onecell.language import say
from onecell.project import carry_out_project, is_project, plan_project
from onecell.verify import SIDES, carry_out, plan_port
from onecell.verify.proof import SelfTest
from onecell.verify.quantities.cases import ROLLOUT_STEPS

EXAMPLES = f"""[bold]Examples[/bold]

  onecell port model.pt --to mindspore --out ported

  onecell port model.ckpt --to torch --out ported --self-test

  onecell port project --to mindspore --out ported

  onecell port model.py train.py runs/best.pt --to mindspore --target native --out ported

  onecell port model.npz --from torch --to mindspore --format safetensors

  onecell port model.pt --to mindspore --sides arrays,torch

  onecell port run.pt --to mindspore --only model --drop 'model.head*'

{PORT_STATUSES}
"""


class Effort(TypedDict):
    """How thorough a proof is."""

    rollout_steps: int
    self_test: SelfTest


def port(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="A checkpoint; or a project: folders, source files and checkpoints.",
        ),
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FRAMEWORK",
            callback=check_framework,
            autocompletion=complete_framework,
            help=f"Where it goes: {FRAMEWORKS}.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Folder for the results; a project needs one.  "
            r"\[default: for a checkpoint, the folder that you are in]",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            metavar="WHICH",
            callback=check_target,
            autocompletion=complete_target,
            help="Whose cell the result runs on, and so decides. onecell: its cell for that "
            "framework; native: the framework's own.",
        ),
    ] = "onecell",
    exclude: Exclude = None,
    only: Only = None,
    drop: Drop = None,
    from_: From = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            callback=check_format,
            autocompletion=complete_format,
            help=r"pt, ckpt, safetensors or npz.  \[default: what the framework itself uses]",
        ),
    ] = None,
    sides: Annotated[
        str | None,
        typer.Option(
            "--sides",
            metavar="NAMES",
            callback=check_sides,
            autocompletion=complete_sides,
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
            help="See the proof fail on every one of some eighty mistakes made on purpose; without "
            "this, on one of each kind.",
        ),
    ] = False,
    page: Annotated[
        bool,
        typer.Option(
            "--report/--no-report",
            help="Write a page about every checkpoint, NAME.report.html, for people.",
        ),
    ] = True,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every cell in full, and every name.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Port a checkpoint or a project to another framework, and prove that it computes the same.

    Of a project the code is rewritten (as by [bold]onecell migrate[/bold]), every checkpoint
    converted, with other layers' parameters renamed as the code tells, and what else belongs to it
    copied: DIR then holds a project for the other framework. Nothing of it is run.

    Each new checkpoint is written, read back, and every LSTM cell in it is held against a float64
    reference: outputs, all gradients, optimizer steps and a rollout, on the sides that are
    installed. What the result runs on decides; what another side gets wrong is told beside. The
    checkpoint appears in DIR only if everything holds; its proof, NAME.proof.json, and a page
    that shows it, NAME.report.html, always.
    """
    with reporting(debug=debug, quiet=quiet and not as_json):
        names = None if sides is None else [name.strip() for name in sides.split(",")]
        suffix = None if form is None else f".{form}"
        effort: Effort = {"rollout_steps": rollout, "self_test": "full" if self_test else "quick"}
        console = Lines(highlight=False, quiet=as_json)
        if is_project(paths):
            if out is None:
                raise ArgumentError("a project needs --out DIR: a folder for what it becomes.")
            if only or drop:
                raise ArgumentError("--only and --drop choose from one checkpoint; give that one.")
            planned = plan_project(
                paths,
                as_framework(to),
                out,
                target=as_target(target),
                source=from_,
                suffix=suffix,
                force=force,
                sides=names,
                exclude=exclude or (),
            )
            with one_blas_thread(), progress_bar(say("proving"), wanted=not quiet) as report:
                _prepare(planned.libraries, report)
                done = carry_out_project(planned, progress=report, **effort)
            print_project(done, console, verbose=verbose)
            proofs = [each.proof for each in done.checkpoints if each.proof is not None]
            status = STATUS[done.verdict]
            told = project_to_json(done)
        else:
            plan = plan_port(
                paths[0],
                to,
                out or Path(),
                source=from_,
                suffix=suffix,
                force=force,
                sides=names,
                only=only or (),
                drop=drop or (),
                runs_on=as_target(target),
            )
            if page:
                check_page(plan.report, force=force)
            with one_blas_thread(), progress_bar(say("proving"), wanted=not quiet) as report:
                _prepare(plan.libraries, report)
                proof = carry_out(plan, progress=report, **effort)
            print_proof(proof, console, verbose=verbose)
            proofs = [proof]
            told = proof_to_json(proof)
            status = STATUS[proof_verdict(proof)]
        if page:
            options = {
                "--to": to,
                "--out": out or ".",
                "--from": from_,
                "--target": target,
                "--exclude": exclude,
                "--only": only,
                "--drop": drop,
                "--format": form,
                "--sides": sides,
                "--rollout": rollout,
                "--self-test": self_test,
            }
            command = say_command("port", paths, options)
            write_pages(proofs, command, console, language=page_language(lang), force=force)
        if as_json:
            typer.echo(json.dumps(told, indent=2, allow_nan=False))
        if status:
            raise typer.Exit(status)


def _prepare(libraries: Collection[str], report: Report | None) -> None:
    """Get ready for the frameworks that the proof imports."""
    if "mindspore" in libraries:
        if report is not None:
            report(say("{name} loads", name="mindspore"), 0, 1)
        take_process_for_mindspore()
