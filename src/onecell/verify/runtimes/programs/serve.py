"""Compute one framework's cell for whoever is at the other end of a pipe.

Run as `python serve.py DIALECT PROGRAM HANDLE` by any Python (3.9 or later) that has the framework
and NumPy; onecell need not be there. PROGRAM is a file beside this one with

    load(dialect) -> str                     import the framework, say its version
    dtypes() -> [str]                        what it computes in, where that is not always the same
    Cell(dialect, arrays, dtype)             a cell holding arrays, by the names of the dialect
        .step(x, h, c) -> (h, c)
        .rollout(x, h, c) -> (h, c)          after each of T steps; without it, steps one by one
        .set_forget_bias(value)              where the user of the cell may say what it adds
        .gradients(x, h, c, grad_h_all, grad_c_last) -> {"x", "h", "c" and each of arrays: array}

A question is one JSON object and the arrays that it lists, raw; so is an answer.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path


def main(dialect: str, program: str, handle: int) -> None:
    """Answer questions until the other end of the pipe is closed."""
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [each for each in sys.path if os.path.realpath(each or ".") != here]
    # A crash here is an answer, not something to keep an image of.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    sys.stdout = sys.stderr
    pipe = Connection(handle)
    try:
        spec = importlib.util.spec_from_file_location("program", Path(here, program))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        version = module.load(dialect)
    except Exception as error:
        _send(pipe, {"missing": _said(error)}, {})
        return
    hello = {"version": version}
    if hasattr(module, "dtypes"):
        hello["dtypes"] = module.dtypes()
    _send(pipe, hello, {})
    cell = None
    while True:
        try:
            question, arrays = _receive(pipe)
        except EOFError:
            return
        try:
            if question["do"] == "open":
                cell = None  # its memory first
                cell = module.Cell(dialect, arrays, question["dtype"])
                if question["forget_bias"] is not None:  # the user's, not the default
                    cell.set_forget_bias(question["forget_bias"])
                answer = {}
            else:
                answer = _answer(cell, question["do"], arrays)
        except Exception as error:
            _send(pipe, {"raises": _said(error)}, {})
        else:
            _send(pipe, {}, answer)


def _answer(cell, do, given):
    if do == "step":
        found = cell.step(given["x"], given["h"], given["c"])
    elif do == "rollout" and hasattr(cell, "rollout"):
        found = cell.rollout(given["x"], given["h"], given["c"])
    elif do == "rollout":
        found = _steps(cell, given["x"], given["h"], given["c"])
    elif do == "gradients":
        return cell.gradients(*(given[n] for n in ("x", "h", "c", "grad_h_all", "grad_c_last")))
    else:
        raise ValueError("no such question: " + do)
    return dict(zip(("h", "c"), found))


def _steps(cell, x, h, c):
    import numpy

    h_all, c_all = [], []
    for row in x:
        h, c = cell.step(row, h, c)
        h_all.append(h)
        c_all.append(c)
    return numpy.stack(h_all), numpy.stack(c_all)


def _receive(pipe):
    import numpy

    question = json.loads(pipe.recv_bytes())
    arrays = {}
    for name, dtype, shape in question.get("arrays", ()):
        arrays[name] = numpy.frombuffer(pipe.recv_bytes(), dtype).reshape(shape).copy()
    return question, arrays


def _send(pipe, answer, arrays):
    if arrays:
        import numpy

        arrays = {name: numpy.ascontiguousarray(array) for name, array in arrays.items()}
    told = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    pipe.send_bytes(json.dumps(dict(answer, arrays=told)).encode())
    for array in arrays.values():
        pipe.send_bytes(array.tobytes())


def _said(error):
    first = (str(error).strip().splitlines() or [""])[0]
    return type(error).__name__ + ": " + first[:300]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
