"""Exit statuses, and how an error becomes one line and one of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from enum import IntEnum
from typing import Annotated, Final

import typer

from onecell.errors import (
    EXTRAS,
    ArgumentError,
    CheckpointError,
    DtypeError,
    MissingExtraError,
    NotACellError,
    NotFiniteError,
    NothingToDoError,
    ObjectImportError,
    OutputExistsError,
    RuntimeMissingError,
    SourceError,
    TableError,
    UnlikeCellsError,
    WhichCellError,
)
from onecell.language import translated
from onecell.text import plain


class Status(IntEnum):
    """What the command says to the shell."""

    HOLDS = 0
    """Done, and everything that was to be proved holds."""
    FAILS = 1
    """The proof fails, or its self-test does, and no checkpoint was written; of `migrate --check`:
    some file would change."""
    USAGE = 2
    """The command line asks for something that does not exist."""
    INPUT = 3
    """The input file cannot be read, is damaged or unsafe, or holds no cell."""
    OUTPUT = 4
    """The output cannot be written: it exists, or the folder or the disk refuses."""
    MISSING = 5
    """A library that is needed is not installed, or does not load."""
    LEFT = 6
    """Migrated, and something is left to do by hand: uses that were refused or marked, or files
    that still use the source framework."""
    SOURCE = 7
    """A source file could not be read, parsed or written; it stays as it is, and the others are
    migrated."""
    CHANGED = 8
    """Of `diff`: every claim holds, and an answer is not the one of the table compared with."""
    WHICH = 9
    """Of `verify`: there are several cells, or none of the name that was given."""
    UNLIKE = 10
    """Of `verify`: the two cannot be compared; their sizes differ."""
    NOT_FINITE = 11
    """A parameter of a cell holds NaN or infinity."""
    NOT_A_CELL = 12
    """Of `verify`: an object is not called as a cell is."""
    IMPORT = 13
    """Of `verify`: MODULE:ATTRIBUTE does not import."""
    NOTHING = 14
    """There was nothing to do: nothing of the source framework, or it is for the other already."""
    UNPROVED = 15
    """Of `port`: all was ported, and no cell was there to prove, or what may be one could not be.
    Of `verify`: all that was compared holds, and that of what may be a cell proves nothing."""
    INTERNAL = 70
    """A mistake in onecell itself."""
    INTERRUPTED = 130
    """Stopped from the keyboard."""
    BROKEN_PIPE = 141
    """Done, and whoever read the output left before it was all written."""
    HUNG_UP = 129
    """Ended by SIGHUP."""
    TERMINATED = 143
    """Ended by SIGTERM."""


CONVERT_STATUSES = (
    "[bold]Exit status[/bold]: 0 written · 2 usage, or what cannot be kept and is not "
    "agreed to · 3 bad input file · 4 cannot write · 5 a library is missing"
)
"""The line that the help of `convert` ends with."""

PORT_STATUSES = (
    "[bold]Exit status[/bold]: 0 all was ported and proved · 1 the proof fails · 2 usage · 3 bad "
    "input file · 4 cannot write · 5 a library is missing · 6 something is left to do by hand, or "
    "a file still uses the other framework · 7 a source file could not be migrated · 11 NaN or "
    "infinity in a cell · 14 there was nothing to do · 15 ported, and not proved: no cell is "
    "there, or nothing could fail on one"
)
"""The line that the help of `port` ends with; the gravest counts: 1, 11, 3, 7, 6, 15."""

MIGRATE_STATUSES = (
    "[bold]Exit status[/bold]: 0 rewritten, and nothing of the other framework is left · 1 "
    "--check, and a file would change · 2 usage · 3 no such PATH · 4 cannot write to --out "
    "· 5 a library is missing · 6 uses are left to do by hand, or a file still uses the other "
    "framework · 7 a file could not be migrated · 14 there was nothing to do (with --check: 0)"
)
"""The line that the help of `migrate` ends with; where two hold, 1 goes before 7 before 6."""

DIFF_STATUSES = (
    "[bold]Exit status[/bold]: 0 all is as claimed · 1 a claim is wrong, or a probe crashed · "
    "2 usage · 3 bad FILE · 4 cannot write · 5 a framework is missing · 8 something has changed "
    "since FILE"
)
"""The line that the help of `diff` ends with."""

VERIFY_STATUSES = (
    "[bold]Exit status[/bold]: 0 the same cell · 1 different, or the self-test fails · 2 usage · "
    "3 bad file, or no cell in it · 4 cannot write · 5 a library is missing · 9 which cell? · "
    "10 sizes differ · 11 NaN or infinity in the weights · 12 not called as a "
    "cell is · 13 MODULE:ATTRIBUTE does not import · 15 nothing differs, and not all that may be a "
    "cell is proved"
)
"""The line that the help of `verify` ends with."""

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@contextmanager
def reporting(*, debug: bool, quiet: bool = False) -> Iterator[None]:
    """Turn an error into one line on stderr and an exit status; with `debug`, let it out.

    With `quiet`, what is printed to stdout goes nowhere.

    Raises:
        typer.Exit: with the status, for every error but those that click reports itself.
    """
    try:
        with _nowhere() if quiet else nullcontext():
            yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except KeyboardInterrupt:  # where `main` was called, not the command
        sys.stderr.write(f"onecell: {translated('interrupted.')}\n")
        raise typer.Exit(Status.INTERRUPTED) from None
    except Exception as error:
        if debug:
            raise
        status, text = explain(error)
        sys.stderr.write(f"onecell: {plain(translated(text))}\n")
        raise typer.Exit(status) from None


@contextmanager
def _nowhere() -> Iterator[None]:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        yield


_SAYS_ALL: Final[Mapping[type[Exception], Status]] = {
    CheckpointError: Status.INPUT,
    SourceError: Status.INPUT,
    TableError: Status.INPUT,
    MissingExtraError: Status.MISSING,
    RuntimeMissingError: Status.MISSING,
    WhichCellError: Status.WHICH,
    UnlikeCellsError: Status.UNLIKE,
    NotFiniteError: Status.NOT_FINITE,
    NotACellError: Status.NOT_A_CELL,
    ObjectImportError: Status.IMPORT,
    NothingToDoError: Status.NOTHING,
    ArgumentError: Status.USAGE,
    DtypeError: Status.USAGE,
}
"""Errors whose own text is the whole line."""


def explain(error: Exception) -> tuple[Status, str]:
    """Return the status and the line for an error that came out of the library."""
    for kind, status in _SAYS_ALL.items():
        if isinstance(error, kind):
            return status, str(error)
    match error:
        case OutputExistsError():
            name = error.filename or str(error)
            found = Status.OUTPUT, f"{name} is already there; say --force to replace it."
        case ModuleNotFoundError() if (library := (error.name or "").split(".")[0]) in EXTRAS:
            found = Status.MISSING, str(MissingExtraError(library, EXTRAS[library], "this verb"))
        case ImportError():
            found = Status.MISSING, f"a library does not load: {error}"
        case OSError():
            found = Status.OUTPUT, f"cannot write {_describe(error)}"
        case MemoryError():
            found = Status.INPUT, "there is not enough memory for this file."
        case _:
            text = f"a mistake in onecell itself, {type(error).__name__}: {error}"
            found = Status.INTERNAL, f"{text} (--debug shows where)"
    return found


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}." if error.filename else f"the file: {reason}."
