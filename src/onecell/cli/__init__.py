"""The command line. `main` is its entry; nothing else in the package imports this."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from onecell.errors import EXTRAS, ArgumentError, MissingExtraError

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
        from onecell.cli.speech import begin  # noqa: PLC0415

        begin(os.environ)

        app = make_app(words[:1] if words and words[0] in VERBS else VERBS)
    except ArgumentError as error:  # a variable of the environment
        sys.stderr.write(f"onecell: {error}\n")
        raise SystemExit(2) from None
    except ImportError as error:
        library = (error.name or "").split(".")[0]
        said = f"a library does not load: {error}"
        if isinstance(error, ModuleNotFoundError) and library in EXTRAS:
            said = str(MissingExtraError(library, EXTRAS[library], "the command line"))
        sys.stderr.write(f"onecell: {said}\n")
        raise SystemExit(5) from None
    app(words, prog_name="onecell")
