"""`onecell migrate`: Python source from one framework's spelling to the other's."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from onecell.cli.exits import MIGRATE_STATUSES, Debug, Status, reporting
from onecell.cli.migrate_table import as_json, print_diff, print_migration
from onecell.cli.options import (
    FRAMEWORKS,
    Exclude,
    Force,
    Json,
    Quiet,
    as_framework,
    as_target,
    check_framework,
    check_target,
    complete_framework,
    complete_target,
)
from onecell.cli.speech import Lang, Lines
from onecell.errors import ArgumentError
from onecell.language import say
from onecell.migrate import Migration

EXAMPLES = f"""[bold]Examples[/bold]

  onecell migrate model.py --to mindspore --diff

  onecell migrate src --to mindspore --out ported

  onecell migrate src notebooks --to torch --write --exclude 'tests/'

  onecell migrate . --to mindspore --check

{MIGRATE_STATUSES}
"""

Report = Callable[[int, int], None]
_BAR_FROM: Final = 20
"""With fewer files there is nothing to watch."""


def migrate(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Python files, notebooks and folders.")
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FRAMEWORK",
            callback=check_framework,
            autocompletion=complete_framework,
            help=f"The framework to write for: {FRAMEWORKS}.",
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            "--target",
            metavar="WHICH",
            callback=check_target,
            autocompletion=complete_target,
            help="onecell: its cell for that framework, which takes what callers of the other "
            "wrote. native: the framework's own cell.",
        ),
    ] = "onecell",
    write: Annotated[bool, typer.Option("--write", help="Change the files in place.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Write the tree of Python files and notebooks to DIR; those that stay the same or "
            "cannot be migrated are copied, so that a package is whole. Other files are not.",
        ),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Print what would change, as a unified diff.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say by the exit status whether anything would change.")
    ] = False,
    json_: Json = False,
    exclude: Exclude = None,
    project: Annotated[
        bool,
        typer.Option(
            "--project/--no-project",
            help="Rewrite as well what imports a file with the cell or is imported by one, if it "
            "names the other framework.",
        ),
    ] = True,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help=r"Processes that parse.  \[default: one each processor]",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    _lang: Lang = None,
    debug: Debug = False,
) -> None:
    """Rewrite source that uses LSTMCell from one framework's spelling to the other's.

    Says for each use what became of it and, where it was refused, what is left to do by hand; such
    a place gets the comment [bold]# TODO(onecell): ...[/bold]. Everything else keeps its bytes.
    Nothing is written without --write or --out. Only parses: no framework is needed and no code is
    run.

    Of a folder it takes .py, .pyi, .pyw and .ipynb files, but not what git ignores, nothing hidden
    and no virtual environment. docs/en/guides/migrate.md tells what is converted.
    """
    from onecell.migrate import migrate_paths  # noqa: PLC0415

    with reporting(debug=debug, quiet=quiet and not (json_ or diff)):
        _check_modes(write=write, out=out, diff=diff, check=check, as_json=json_)
        with _progress(wanted=not quiet) as report:
            done = migrate_paths(
                paths,
                to=as_framework(to),
                target=as_target(target),
                exclude=exclude or (),
                apart=out,
                project=project,
                jobs=jobs,
                progress=report,
            )
        # What writes needs NumPy, for which a run that only shows does not wait.
        if write:
            from onecell.migrate import write_in_place  # noqa: PLC0415

            done = write_in_place(done)
        elif out is not None and not done.nothing:
            from onecell.migrate import write_tree  # noqa: PLC0415

            done = write_tree(done, out, force=force)
        written = say("in place") if write else None
        if out is not None:
            written = say("to {out}", out=str(out))
        written = None if done.nothing else written
        if json_:
            typer.echo(json.dumps(as_json(done, written=written is not None), indent=2))
        elif diff:
            print_diff(done, Lines(highlight=False))
        if not json_:
            console = Lines(stderr=diff, highlight=False)
            print_migration(done, console, written=written, check=check)
        status = _status(done, check=check)
        if status:
            raise typer.Exit(status)


def _status(done: Migration, *, check: bool) -> Status:
    if check and done.changed:
        return Status.FAILS
    if done.failed:
        return Status.SOURCE
    if done.left or done.remaining:
        return Status.LEFT
    return Status.NOTHING if done.nothing and not check else Status.HOLDS


def _check_modes(*, write: bool, out: Path | None, diff: bool, check: bool, as_json: bool) -> None:
    """Raise `ArgumentError` if two of the options contradict each other."""
    writes = {"--write": write, "--out": out is not None}
    shows = {"--diff": diff, "--check": check}
    given = [name for name, is_given in (writes | shows).items() if is_given]
    if len(given) > 1 and any(writes[name] for name in given if name in writes):
        raise ArgumentError(f"{given[0]} writes, so it does not go with {given[1]}.")
    if diff and as_json:
        raise ArgumentError("--diff and --json both say what is printed; choose one.")


@contextlib.contextmanager
def _progress(*, wanted: bool) -> Iterator[Report | None]:
    """Show a bar on stderr, where that is a terminal and there is something to wait for."""
    console = Console(stderr=True)
    if not (wanted and console.is_terminal and sys.stderr.isatty()):
        yield None
        return
    columns = (TextColumn(say("reading")), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= _BAR_FROM)

        yield report
