"""The command line. `main` is its entry; nothing else in the package imports this."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from onecell.errors import MissingExtraError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with one of the statuses of `exits`.

    Args:
        arguments: the words after the program's name; None for those of the process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    # The process that parses source needs as long to start as this one: they do so side by side.
    with _spare_worker() if words[:1] == ["migrate"] else contextlib.nullcontext():
        _run(words)


def _spare_worker() -> contextlib.AbstractContextManager[None]:
    from onecell.migrate.run.pool import spare_worker  # noqa: PLC0415

    return spare_worker()


def _run(words: list[str]) -> None:
    try:
        from onecell.cli.app import VERBS, make_app  # noqa: PLC0415

        app = make_app(words[:1] if words and words[0] in VERBS else VERBS)
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library not in {"typer", "rich"}:
            raise
        sys.stderr.write(f"onecell: {MissingExtraError(library, 'cli', 'the command line')}\n")
        raise SystemExit(5) from None
    app(words, prog_name="onecell")
