"""Options that more than one verb has."""

from __future__ import annotations

from typing import Annotated

import typer

from onecell.dialect import DIALECTS
from onecell.errors import ArgumentError
from onecell.migrate.rewriting.rewrite import Framework, Target
from onecell.text import plain

FRAMEWORKS = " or ".join(DIALECTS)


def check_framework(name: str | None) -> str | None:
    """Return `name`, or raise the usage error of an option that names no framework."""
    if name is None or name in DIALECTS:
        return name
    raise typer.BadParameter(f"must be {FRAMEWORKS}, got {plain(name)!r}.")


def check_format(name: str | None) -> str | None:
    """Return `name`, or raise the usage error of an option that names no file format."""
    from onecell.checkpoint.files import SUFFIXES  # noqa: PLC0415 - migrate does without

    formats = tuple(dict.fromkeys(SUFFIXES.values()))
    if name is None or name in formats:
        return name
    raise typer.BadParameter(f"must be one of {', '.join(formats)}, got {plain(name)!r}.")


def as_framework(name: str) -> Framework:
    """Return a name that `check_framework` has passed, as the type that the migrator asks for."""
    return "torch" if name == "torch" else "mindspore"


def as_target(name: str) -> Target:
    """Return `name`, or raise `ArgumentError` unless it says whose cell to use."""
    if name not in ("onecell", "native"):
        raise ArgumentError(f"`--target` must be onecell or native, got {name!r}.")
    return "onecell" if name == "onecell" else "native"


From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FRAMEWORK",
        callback=check_framework,
        help=f"Framework that wrote the input, where the file does not tell: {FRAMEWORKS}.",
    ),
]

Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]

Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Leave out of folders what this matches, as a line of .gitignore would; may be "
        "repeated.",
    ),
]

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Take only the tensors and cells whose name, or the name of a module above, matches "
        "this glob; may be repeated.",
    ),
]

Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="PATTERN", help="Leave out what this matches; may be repeated."),
]
