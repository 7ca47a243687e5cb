"""MindSpore: our cell and its own, eager, under launch_blocking, and jitted."""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import Any

import numpy as np

from bench.contenders import Prepared
from bench.contenders.ours import thread_settings
from bench.problem import Outputs, Problem, Work


def _mindspore(*, blocking: bool) -> Any:  # noqa: ANN401
    """Return MindSpore, set up for this process."""
    os.environ.setdefault("GLOG_v", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mindspore as ms  # noqa: PLC0415 - only where it runs
    if blocking:
        ms.runtime.launch_blocking()
    # On NumPy 2 a process's first operator fails in MindSpore 2.10; the next works.
    with contextlib.suppress(SystemError):
        (ms.Tensor(np.ones(1, np.float32)) + 1).asnumpy()
    return ms


def _prepared(ms: Any, cell: Any, p: Problem, work: Work, jit: str, settings: str) -> Prepared:  # noqa: ANN401
    parameters = {n: ms.Parameter(ms.Tensor(a), name=n) for n, a in p.weights.arrays().items()}
    ms.load_param_into_net(cell, parameters, strict_load=True)
    x, state = ms.Tensor(p.x[0]), (ms.Tensor(p.h), ms.Tensor(p.c))
    if work == "train":
        return _gradient(ms, cell, p, x, state, settings)

    def eager(x: Any, h: Any, c: Any) -> Any:  # noqa: ANN401
        return cell(x, (h, c))

    step = ms.jit(eager, capture_mode=jit) if jit else eager

    def call() -> Any:  # noqa: ANN401
        # What a step gives is wanted before the next: an asynchronous promise of it is not enough.
        h_next, c_next = step(x, *state)
        return h_next.asnumpy(), c_next.asnumpy()

    def read() -> Outputs:
        h_next, c_next = call()
        return {"h": np.array(h_next)[None], "c": np.array(c_next)}

    return Prepared(call, read, settings)


def _gradient(ms: Any, cell: Any, p: Problem, x: Any, state: Any, settings: str) -> Prepared:  # noqa: ANN401
    assert p.size.steps == 1
    weight = ms.Tensor(p.grad_h_all[0])

    def loss(x: Any) -> Any:  # noqa: ANN401
        h_next, _ = cell(x, state)
        return (h_next * weight).sum()

    parameters = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
    grad = ms.grad(loss, 0, weights=parameters)

    def call() -> Any:  # noqa: ANN401
        by_x, by_parameters = grad(x)
        return by_x.asnumpy(), [each.asnumpy() for each in by_parameters]

    def read() -> Outputs:
        by_x, (by_ih, by_hh, *_) = call()
        found = {"x": by_x[None], "weight_ih": by_ih, "weight_hh": by_hh}
        return {name: np.array(array) for name, array in found.items()}

    return Prepared(call, read, settings)


def theirs(
    p: Problem, work: Work, threads: int, *, blocking: bool = False, jit: str = ""
) -> Prepared:
    """`mindspore.nn.LSTMCell`; its results waited for."""
    ms = _mindspore(blocking=blocking)
    words = ["launch_blocking"] if blocking else ["default"]
    words += [f"jit(capture_mode={jit!r})"] if jit else []
    cell = ms.nn.LSTMCell(p.size.input, p.size.hidden)
    return _prepared(ms, cell, p, work, jit, f"{threads} CPUs, {', '.join(words)}")


def ours(p: Problem, work: Work, threads: int, *, blocking: bool = False) -> Prepared:
    """`onecell.mindspore.LSTMCell`."""
    ms = _mindspore(blocking=blocking)
    from onecell.mindspore import LSTMCell  # noqa: PLC0415 - only where it runs

    cell = LSTMCell(p.size.input, p.size.hidden)
    mode = "launch_blocking" if blocking else "default"
    return _prepared(ms, cell, p, work, "", f"{mode}, {thread_settings(threads)}")
