"""`onecell verify`: compare two things that claim to be the same cell, and say why they differ."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from onecell.checkpoint.atomic import check_output
from onecell.cli.exits import VERIFY_STATUSES, Debug, Status, reporting
from onecell.cli.notes import check_forget_bias
from onecell.cli.options import (
    Force,
    ForgetBias,
    Json,
    Quiet,
    check_dialects,
    check_sides,
    complete_sides,
)
from onecell.cli.process import (
    one_blas_thread,
    progress_bar,
    quieten_mindspore,
    take_process_for_mindspore,
)
from onecell.cli.speech import Lang, Lines, page_language
from onecell.cli.verify_table import print_comparison, print_comparisons
from onecell.errors import ArgumentError, MissingExtraError
from onecell.language import say
from onecell.text import listed, plain
from onecell.verify import SIDES, Comparison, Comparisons, compare, compare_files
from onecell.verify.comparing.cells_of_file import CellsOfFile, read_cells
from onecell.verify.comparing.comparison_record import comparison_to_json, comparisons_to_json
from onecell.verify.comparing.parties import import_object, names_an_object
from onecell.verify.quantities.cases import ROLLOUT_STEPS, SEED
from onecell.verify.sides import is_installed

EXAMPLES = f"""[bold]Examples[/bold]

  onecell verify model.pt ported/model.ckpt

  onecell verify model.pt model.ckpt --cell decoder.cell=cell --report verify.html

  onecell verify model.pt weights.npz --from ,haiku

  onecell verify model.pt model.keras --inference

  onecell verify model.pt my_project.model:cell --self-test

  ONECELL_PYTHON_PADDLE=~/paddle/bin/python onecell verify model.keras model.pdparams

{VERIFY_STATUSES}
"""

_WORDS = "A checkpoint, or MODULE:ATTRIBUTE of a live cell (this imports MODULE)."


def verify(
    first: Annotated[str, typer.Argument(metavar="A", help=f"What is taken to be right. {_WORDS}")],
    second: Annotated[
        str, typer.Argument(metavar="B", help="What claims to be the same, given in the same way.")
    ],
    *,
    cell: Annotated[
        list[str] | None,
        typer.Option(
            "--cell",
            metavar="NAME[=NAME]",
            help="Which cell; in A and in B, if they call it differently.  "
            r"\[default: of two files, all cells that have the same name in both]",
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FRAMEWORK[,FRAMEWORK]",
            callback=check_dialects,
            help="Framework that wrote A and that wrote B (`,keras`: B alone), where the file does "
            "not tell.",
        ),
    ] = None,
    forget_bias: ForgetBias = None,
    steps: Annotated[
        int, typer.Option("--steps", metavar="T", min=2, help="Steps of the rollout.")
    ] = ROLLOUT_STEPS,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Seed of the inputs.")
    ] = SEED,
    sides: Annotated[
        str | None,
        typer.Option(
            "--sides",
            metavar="NAMES",
            callback=check_sides,
            autocompletion=complete_sides,
            help=f"Who computes with the weights of a file, comma-separated, of: "
            f"{', '.join(SIDES)}.  \\[default: arrays, and the file's framework if installed]",
        ),
    ] = None,
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help="See the comparison catch and name every one of a set of wrong ports of A.",
        ),
    ] = False,
    inference: Annotated[
        bool,
        typer.Option(
            "--inference",
            help="Compare what they compute and not how they train: two biases count as their sum, "
            "and none as zeros.",
        ),
    ] = False,
    as_json: Json = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write a page about it, one file."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every cell in full.")
    ] = False,
    force: Force = False,
    quiet: Quiet = False,
    lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Compare two things that claim to be the same LSTM cell, and say why they differ.

    Outputs, all gradients, steps of SGD and of Adam and a rollout of both are held against a
    float64 reference, on ordinary and on adversarial inputs. Where they differ, the weights (or,
    of a live object, its answers) are searched for the mistakes that ports make: gates in another
    order, transposition, biases lost or counted twice, a forget bias, swapped states.
    """
    with reporting(debug=debug, quiet=quiet and not as_json):
        if report is not None:
            _check_report(report, force=force)
        chosen = _cells(cell or [])
        names = None if sides is None else [name.strip() for name in sides.split(",")]
        # What a module prints while it is imported or called is none of our answer.
        aside = contextlib.redirect_stdout(sys.stderr)
        with aside, one_blas_thread(), progress_bar(say("verifying"), wanted=not quiet) as told:
            a, b = _read((first, second), from_, forget_bias)
            _prepare((a, b), names)
            options: dict[str, Any] = {
                "steps": steps,
                "seed": seed,
                "sides": names,
                "self_test": self_test,
                "inference": inference,
                "progress": told,
            }
            found: Comparison | Comparisons
            if not cell and not any(map(names_an_object, (first, second))):
                found = compare_files(a, b, **options)
            else:
                found = compare(a, b, cell=chosen, **options)
        if report is not None:
            from onecell.verify.difference.pairs import table_beside  # noqa: PLC0415
            from onecell.verify.report import write_report  # noqa: PLC0415

            language = page_language(lang)
            one = found if isinstance(found, Comparison) else found.cells[0]
            table = table_beside(one.a.framework, one.b.framework)
            write_report(report, found, difference=table, language=language, force=force)
        if as_json:
            document = (
                comparison_to_json(found)
                if isinstance(found, Comparison)
                else comparisons_to_json(found)
            )
            typer.echo(json.dumps(document, indent=2, allow_nan=False))
        else:
            console = Lines(highlight=False)
            if isinstance(found, Comparison):
                print_comparison(found, console)
            else:
                print_comparisons(found, console, verbose=verbose)
            if report is not None:
                said = say("Page: {path}", path=plain(str(report)))
                console.print(said, soft_wrap=True, markup=False)
        if not found.holds:
            unproved = found.verdict == "unproved"
            raise typer.Exit(Status.UNPROVED if unproved else Status.FAILS)


def _read(
    given: Sequence[str], sources: str | None, forget_bias: float | None
) -> list[str | CellsOfFile]:
    """Return what was given, files read once and as the options say.

    One framework is that of either file that does not tell its own.
    """
    names = [None] if sources is None else [n.strip() or None for n in sources.split(",", 1)]
    for_either = len(names) == 1
    read: list[str | CellsOfFile] = []
    for each, name in zip(given, names * 2 if for_either else names, strict=True):
        if names_an_object(each):
            read.append(each)
            continue
        path = Path(each)
        read.append(read_cells(path, name, forget_bias=forget_bias, perhaps=for_either))
    files = [each.dialect for each in read if isinstance(each, CellsOfFile)]
    check_forget_bias(forget_bias, files or ["torch"])
    return read


def _cells(words: list[str]) -> str | tuple[str | None, str | None] | None:
    """Return what NAME[=NAME] says: one name for both, or one for each.

    Raises:
        ArgumentError: it is given twice; the last alone would be compared.
    """
    if len(words) > 1:
        raise ArgumentError(
            f"`--cell` chooses one cell, got {len(words)}: {listed(words)}. Compare one at a time."
        )
    if not words or "=" not in words[0]:
        return words[0] if words else None
    a, b = words[0].split("=", 1)
    return a or None, b or None


def _check_report(report: Path, *, force: bool) -> None:
    """Raise before anything is computed if the report cannot be written."""
    if re.fullmatch(r"\.html?", report.suffix) is None:
        raise ArgumentError(f"`--report` must name a file called *.html, got {report}.")
    check_output(report, force=force)
    for library in ("jinja2", "matplotlib"):
        if not is_installed(library):
            raise MissingExtraError(library, "report", "`--report`")


def _prepare(read: Sequence[str | CellsOfFile], sides: list[str] | None) -> None:
    """Import what is to be imported, MindSpore with the settings that a process of our own wants.

    Objects are looked for in the working folder too, as `python -m` does.
    """
    quieten_mindspore()
    wants = sides is not None and any("mindspore" in name for name in sides)
    for given in read:
        if isinstance(given, str):
            if "" not in sys.path:
                sys.path.insert(0, "")
            import_object(given)
        elif sides is None:
            wants = wants or given.dialect == "mindspore"
    if is_installed("mindspore") and (wants or "mindspore" in sys.modules):
        take_process_for_mindspore()
