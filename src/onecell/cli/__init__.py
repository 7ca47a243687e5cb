"""The command line. `main` is its entry; nothing else in the package imports this."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence

from onecell.errors import MissingExtraError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with one of the statuses of `exits`.

    Args:
        arguments: the words after the program's name; None for those of the process.
    """
    for library in ("typer", "rich"):
        if importlib.util.find_spec(library) is None:
            missing = MissingExtraError(library, "cli", "the command line")
            sys.stderr.write(f"onecell: {missing}\n")
            raise SystemExit(5)
    from onecell.cli.app import app  # noqa: PLC0415

    app(None if arguments is None else list(arguments), prog_name="onecell")
