"""`onecell diff`: the difference table of two frameworks, run on what is installed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from onecell.checkpoint.atomic import check_output, write_whole
from onecell.cli.diff_table import print_changes, print_table
from onecell.cli.exits import DIFF_STATUSES, Debug, Status, reporting
from onecell.cli.options import Force, Json, Quiet, choose
from onecell.cli.speech import Lang, Lines
from onecell.errors import ArgumentError, MissingExtraError, OnecellError, RuntimeMissingError
from onecell.language import Language, say, spoken, translated
from onecell.text import plain
from onecell.verify.difference import (
    Table,
    Verdict,
    changes,
    dump,
    load_table,
    not_compared,
    to_html,
    to_markdown,
)
from onecell.verify.difference.common.adapters import ADAPTERS
from onecell.verify.difference.pairs import (
    UNASKED,
    has_rows,
    is_there,
    known,
    rows_of,
    run_rows,
    stored_rows,
)
from onecell.verify.difference.run import Progress as Report
from onecell.verify.sides import SIDES

FORMATS: Final = ("table", "markdown", "html")
EVERY: Final = ", ".join(ADAPTERS)

EXAMPLES = f"""[bold]Examples[/bold]

  onecell diff torch mindspore

  onecell diff torch mindspore --only state-omitted --only one-row-crash

  onecell diff torch mindspore --format html --out differences.html

  onecell diff torch mindspore --stored --lang zh

  onecell diff torch mindspore --against stored

  onecell diff torch keras --stored

  ONECELL_PYTHON_PADDLE=~/paddle/bin/python onecell diff paddle mindspore

{DIFF_STATUSES}
"""


def _check_format(name: str) -> str:
    if name == "json":
        raise typer.BadParameter("JSON is printed by --json.")
    return choose(name, FORMATS)


def _check_framework(name: str) -> str:
    if name in UNASKED:
        raise typer.BadParameter(
            say(
                "{name} has no runtime that Python could ask. What is known of it: {known}.",
                name=name,
                known=known(name),
            )
        )
    return choose(name, ADAPTERS)


def _complete_framework(incomplete: str) -> list[str]:
    return [name for name in ADAPTERS if name.startswith(incomplete)]


def _complete_format(incomplete: str) -> list[str]:
    return [name for name in FORMATS if name.startswith(incomplete)]


def diff(
    first: Annotated[
        str,
        typer.Argument(
            metavar="A",
            callback=_check_framework,
            autocompletion=_complete_framework,
            help=f"{EVERY}.",
        ),
    ],
    second: Annotated[
        str,
        typer.Argument(
            metavar="B",
            callback=_check_framework,
            autocompletion=_complete_framework,
            help="The other one.",
        ),
    ],
    *,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            callback=_check_format,
            autocompletion=_complete_format,
            help="table, markdown or html.",
        ),
    ] = "table",
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Say what has changed since FILE, which --json wrote; `stored` is the "
            "table that comes with onecell. What cannot be run is shown as FILE has it.",
        ),
    ] = None,
    stored: Annotated[
        bool,
        typer.Option("--stored", help="Run nothing; show the table that comes with onecell."),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="Only this row; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write to FILE, not to stdout."),
    ] = None,
    as_json: Json = False,
    force: Force = False,
    quiet: Quiet = False,
    _lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Show what differs between two frameworks' LSTM cells, by running both.

    Every row is a question with a program that answers it. It runs on both frameworks, each in a
    process of its own: by this Python, or by the one that ONECELL_PYTHON_KERAS and so on name. The
    table has what each answered, and whether that is what onecell claims. Of torch and mindspore
    there are more rows, and onecell itself answers them too.
    """
    with reporting(debug=debug, quiet=quiet and form == "table" and not as_json):
        if as_json and form != "table":
            raise ArgumentError(f"--json and --format {form} both say what is printed; choose one.")
        form = "json" if as_json else form
        frameworks = first, second
        if first == second:
            raise ArgumentError(f"`A` and `B` must be two frameworks, got {first} twice.")
        names = rows_of(frameworks, only or ())
        if stored and against is not None:
            raise ArgumentError("`--stored` runs nothing; it cannot be compared. Leave one out.")
        if out is not None:
            check_output(out, force=force)
        before = None
        if against is not None:
            is_ours = str(against) == "stored"
            before = stored_rows(frameworks) if is_ours else load_table(against)
            before = _in_order(_pick(before, names), frameworks)
        if stored:
            table = _pick(stored_rows(frameworks), names)
        else:
            missing = [name for name in frameworks if not is_there(name, frameworks)]
            if len(missing) == len(frameworks) and before is None:
                raise _missing(missing[0], frameworks)
            with _progress(wanted=not quiet) as report:
                table = run_rows(frameworks, names, report)
        language = spoken()
        raise typer.Exit(_show(table, before, form, language, out, force=force))


def _show(
    table: Table,
    before: Table | None,
    form: str,
    language: Language,
    out: Path | None,
    *,
    force: bool,
) -> Status:
    """Write the table and what has changed since `before`; return how it went."""
    absent = [name for name in table.frameworks if _is_missing(table, name)]
    # What did not run is not nothing: the stored table has it.
    shown = before if before is not None and absent else table
    found = () if before is None else changes(before, table)
    if form == "table" and out is None:
        console = Lines(highlight=False)
        print_table(shown, console, language)
        if before is not None:
            print_changes(found, before, console, language)
    else:
        text = _render(shown, form, language)
        if out is None:
            sys.stdout.write(text)
        else:
            write_whole(out, [text.encode()], force=force)
        if before is not None:
            print_changes(found, before, Lines(highlight=False, stderr=True), language)
    for name in absent:
        sys.stderr.write(f"onecell: {plain(_absent(table, name))}\n")
    if before is not None and (sides := not_compared(before, table)):
        said = say("not compared, shown as stored: {sides}.", sides=", ".join(sides))
        sys.stderr.write(f"onecell: {said}\n")
    if any(each.verdict in {Verdict.WRONG, Verdict.CRASHED} for each in table.findings):
        return Status.FAILS
    if found:
        return Status.CHANGED
    return Status.MISSING if absent else Status.HOLDS


def _render(table: Table, form: str, language: Language) -> str:
    if form == "json":
        return dump(table)
    if form == "html":
        return to_html(table, language)
    if form == "markdown":
        return to_markdown(table, language)
    return _as_text(table, language)


def _as_text(table: Table, language: Language) -> str:
    """Return what a terminal would show, at a width for files."""
    console = Console(width=160, highlight=False, force_terminal=False, color_system=None)
    with console.capture() as captured:
        print_table(table, console, language)
    return captured.get()


def _pick(table: Table, names: tuple[str, ...]) -> Table:
    """Return the rows of a stored table that are asked for, and those that are no more."""
    rows = set(rows_of(table.frameworks))
    whole = set(names) == rows
    found = (f for f in table.findings if f.id in names or (whole and f.id not in rows))
    return replace(table, findings=tuple(found))


def _in_order(table: Table, frameworks: tuple[str, str]) -> Table:
    """Return a stored table with its columns in the order that is asked for."""
    if sorted(table.frameworks) != sorted(frameworks):
        raise ArgumentError(
            f"`FILE` must be about {' and '.join(frameworks)}, "
            f"got {' and '.join(table.frameworks)}."
        )
    return replace(table, frameworks=frameworks)


def _is_missing(table: Table, framework: str) -> bool:
    return any(
        each.value is None and each.outcome == "missing"
        for finding in table.findings
        if (each := finding.of(framework)) is not None
    )


def _absent(table: Table, framework: str) -> str:
    """Return the line that says why a framework did not answer, and how to install it."""
    if not is_there(framework, table.frameworks):
        return translated(str(_missing(framework, table.frameworks)))
    asked = (finding.of(framework) for finding in table.findings)
    why = next(
        (each.said for each in asked if each is not None and each.said), say("does not load")
    )
    return f"{framework} {why}"


def _missing(framework: str, frameworks: tuple[str, str]) -> OnecellError:
    side = SIDES.get(framework)
    if has_rows(frameworks) or side is None or not side.apart:
        return MissingExtraError(framework, framework, f"asking {framework}")
    return RuntimeMissingError(framework, side.why_missing)


@contextlib.contextmanager
def _progress(*, wanted: bool) -> Iterator[Report | None]:
    """Show a bar on stderr, where that is a terminal."""
    console = Console(stderr=True)
    if not (wanted and console.is_terminal):
        yield None
        return
    columns = (TextColumn(say("asking")), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[row]}"), console=console) as bar:
        task = bar.add_task("", total=None, row=say("loading the frameworks"))

        def report(row: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, row=row)

        yield report
