"""Options that more than one verb has."""

from __future__ import annotations

from typing import Annotated

import typer

from onecell.checkpoint.files import SUFFIXES
from onecell.cli.exits import plain
from onecell.dialect import DIALECTS

FRAMEWORKS = " or ".join(DIALECTS)
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))


def check_framework(name: str | None) -> str | None:
    """Return `name`, or raise the usage error of an option that names no framework."""
    if name is None or name in DIALECTS:
        return name
    raise typer.BadParameter(f"must be {FRAMEWORKS}, got {plain(name)!r}.")


def check_format(name: str | None) -> str | None:
    """Return `name`, or raise the usage error of an option that names no file format."""
    if name is None or name in FORMATS:
        return name
    raise typer.BadParameter(f"must be one of {', '.join(FORMATS)}, got {plain(name)!r}.")


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
