"""The process that parses, so that what a parser does to its process happens to this one.

It reads pickled requests from its standard input and answers each on its standard output, until
the input ends. Its parent is `pool`; nothing else starts it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

READY = "ready"
_STACK_BYTES = 512 * 2**20
"""Reserved, not used: LibCST walks a tree by calling itself, and Python code may be deep."""
_RECURSION = 100_000
_MEMORY_BYTES = 12 * 2**30


def main() -> None:
    """Answer requests until there are none."""
    answers = _take_output()
    _confine()
    gc.disable()  # a tree is large and lives as long as its file: looking through it frees nothing
    threading.stack_size(_STACK_BYTES)
    sys.setrecursionlimit(_RECURSION)
    server = threading.Thread(target=_serve, args=(sys.stdin.buffer, answers))
    server.start()
    server.join()


def _take_output() -> BinaryIO:
    """Keep the standard output for answers; whatever prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return answers


def _confine() -> None:
    """Leave Ctrl-C to the parent, no core dump behind, and some memory to others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows; a lower limit already
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    try:
        # Before the first time limit runs.
        import onecell.migrate.rewriting.transform  # noqa: PLC0415
        import onecell.migrate.run.jobs  # noqa: F401, PLC0415
    except ImportError as error:
        _send(answers, error)
        return
    gc.freeze()
    _send(answers, READY)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            work, argument = pickle.load(requests)  # noqa: S301 - from our parent
            _send(answers, _answer(work, argument))
            del work, argument
            gc.collect()


def _answer(work: Callable[[object], object], argument: object) -> object:
    """Return what `work` returns, or the exception that it raises."""
    from onecell.errors import SourceError  # noqa: PLC0415

    try:
        return work(argument)
    except SourceError as error:
        return error
    except BaseException as error:  # a panic in Rust is not an Exception
        return SourceError(f"a mistake in onecell itself, {type(error).__name__}: {error}")


def _send(answers: BinaryIO, value: object) -> None:
    pickle.dump(value, answers)
    answers.flush()


if __name__ == "__main__":
    main()
