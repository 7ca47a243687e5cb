"""The process in which probes run: one framework, one program after another, answers on a pipe.

Started by `session` as `python -m onecell.verify.difference.worker FRAMEWORK FD`. It first says
{"version": ...}, or {"missing": why}; then for each program that comes it says what the program
printed, {"value": ..., "said": ...}. A program that ends the process is noticed by the end of the
pipe.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import resource
import sys
import warnings
from multiprocessing.connection import Connection
from typing import Any

from onecell.verify.difference.answers import SAID, raised


def main(framework: str, handle: int) -> None:
    """Serve programs until the other end of the pipe is closed."""
    # A crash here is an answer, not something to keep an image of.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    # Nothing that a framework or a program prints may reach the terminal of who asks.
    sys.stdout = sys.stderr
    connection = Connection(handle)
    try:
        hello = {"version": _load(framework)}
    except Exception as error:
        hello = {"missing": f"{type(error).__name__}: {error}"}
    _send(connection, hello)
    while True:
        try:
            text = connection.recv_bytes().decode()
        except EOFError:
            return
        _send(connection, run_program(text))


def run_program(text: str) -> dict[str, Any]:
    """Return what a program prints last, or the error that it ends in, and the errors' messages."""
    printed: list[object] = []
    SAID.clear()
    try:
        exec(compile(text, "<probe>", "exec"), {"print": printed.append, "__name__": "probe"})  # noqa: S102
        value = json.loads(json.dumps(printed[-1], allow_nan=False))
    except Exception as error:
        value = raised(error)
    return {"value": value, "said": SAID[0] if SAID else ""}


def _load(framework: str) -> str:
    """Import the framework and make it ready; return its version."""
    importlib.import_module(framework)
    if framework == "mindspore":
        side = importlib.import_module("onecell.verify.sides.mindspore")
        side.take_process()
    return importlib.metadata.version(framework)


def _send(connection: Connection, message: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(message).encode())


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(sys.argv[1], int(sys.argv[2]))
