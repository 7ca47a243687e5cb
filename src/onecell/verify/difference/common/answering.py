"""Put questions to one framework's cell, for whoever is at the other end of a pipe.

Run as `python answering.py ADAPTER DISTRIBUTIONS HANDLE` by any Python (3.10 or later) that has the
framework and NumPy; onecell need not be there. It reads `asking.py` and the adapter beside it, says
{"versions": ...} or {"missing": why}, and answers each program that comes with what it printed
last, {"value": ..., "said": ...}. A program that ends the process is noticed by the pipe's end.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SETTINGS = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
"""Everybody answers on the CPU, unless the environment says otherwise."""


def main(adapter: str, distributions: str, handle: int) -> None:
    """Answer until the other end of the pipe is closed."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [each for each in sys.path if Path(each).resolve() != here]
    for name, value in {**SETTINGS, "KERAS_HOME": os.getcwd()}.items():  # noqa: PTH109
        os.environ.setdefault(name, value)
    # A crash here is an answer, not something to keep an image of.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    # Nothing that a framework or a program prints may reach the terminal of who asks.
    sys.stdout = sys.stderr
    pipe = Connection(handle)
    space: dict[str, Any] = {"__name__": "probe"}
    try:
        for path in (here / "asking.py", here / "adapters" / adapter):
            exec(compile(path.read_text("utf-8"), str(path), "exec"), space)  # noqa: S102
        first, *others = distributions.split(",")
        names = [first, *(each for each in others if each in sys.modules)]
        hello = {"versions": {each: importlib.metadata.version(each) for each in names}}
    except Exception as error:
        _send(pipe, {"missing": f"{type(error).__name__}: {str(error)[:300]}"})
        return
    _send(pipe, hello)
    while True:
        try:
            text = pipe.recv_bytes().decode()
        except EOFError:
            return
        _send(pipe, answer(text, space))


def answer(text: str, space: dict[str, Any]) -> dict[str, Any]:
    """Return what a program prints last, or the error that it ends in, and the errors' messages."""
    printed: list[object] = []
    said = space["SAID"]
    said.clear()
    try:
        exec(compile(text, "<question>", "exec"), {**space, "print": printed.append})  # noqa: S102
        value = json.loads(json.dumps(printed[-1], allow_nan=False))
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        value, said = f"raises {type(error).__name__}", [first[:200], *said]
    return {"value": value, "said": said[0] if said else ""}


def _send(pipe: Connection, message: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(message).encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
