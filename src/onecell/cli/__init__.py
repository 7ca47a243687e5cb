"""The command line. `main` is its entry; nothing else in the package imports this."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from onecell.errors import MissingExtraError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with one of the statuses of `exits`.

    Args:
        arguments: the words after the program's name; None for those of the process.
    """
    try:
        from onecell.cli.app import app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library not in {"typer", "rich"}:
            raise
        sys.stderr.write(f"onecell: {MissingExtraError(library, 'cli', 'the command line')}\n")
        raise SystemExit(5) from None
    app(None if arguments is None else list(arguments), prog_name="onecell")
