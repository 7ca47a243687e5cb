"""onecell over arrays: the live cell, its stream, and its frozen forms."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import onecell
from bench.contenders import Missing, Prepared
from bench.problem import Outputs, Problem, Work
from onecell import LSTMCell


def thread_settings(threads: int, *, explicit: bool = False) -> str:
    """Let onecell choose as a user's does, in a process that may use `threads` CPUs, or say it.

    Raises:
        Missing: this build computes on one thread only, and more were asked for by name.
    """
    module: Any = onecell
    if not hasattr(module, "set_num_threads"):
        if explicit and threads > 1:
            raise Missing("this build of onecell has no set_num_threads yet")
        return "one thread: this build has no set_num_threads"
    if explicit:
        module.set_num_threads(threads)
    return f"get_num_threads() = {module.get_num_threads()}"


def _settings(threads: int) -> str:
    return f"{thread_settings(threads)}, {onecell.isa()}"


def _forward(cell: Any, p: Problem, work: Work, settings: str) -> Prepared:  # noqa: ANN401
    state = (p.h, p.c)
    if work == "step":
        call = partial(cell, p.x[0], state)

        def read_step() -> Outputs:
            h, c = call()
            return {"h": np.array(h)[None], "c": np.array(c)}

        return Prepared(call, read_step, settings)

    unroll = partial(cell.unroll, p.x, state)

    def read() -> Outputs:
        h_all, (_, c) = unroll()
        return {"h": np.array(h_all), "c": np.array(c)}

    return Prepared(unroll, read, settings)


def arrays(p: Problem, work: Work, threads: int, *, explicit: bool = False) -> Prepared:
    """The live cell; its gradients are of T steps in one call."""
    settings = f"{thread_settings(threads, explicit=explicit)}, {onecell.isa()}"
    cell = LSTMCell.from_weights(p.weights)
    if work in {"step", "unroll"}:
        return _forward(cell, p, work, settings)

    def train() -> Any:  # noqa: ANN401
        (h_all, _), pullback = cell.unroll_vjp(p.x, (p.h, p.c))
        return h_all, pullback(p.grad_h_all)

    def read() -> Outputs:
        h_all, g = train()
        return {"h": h_all, "x": g.x, "weight_ih": g.weight_ih, "weight_hh": g.weight_hh}

    return Prepared(train, read, settings)


def frozen(p: Problem, work: Work, threads: int, *, dtype: str) -> Prepared:
    """A frozen copy with weights kept as `dtype`."""
    cell: Any = LSTMCell.from_weights(p.weights)
    if not hasattr(cell, "freeze"):
        raise Missing("this build of onecell has no frozen cells yet")
    return _forward(cell.freeze(weight_dtype=dtype), p, work, _settings(threads))


def stream(p: Problem, work: Work, threads: int) -> Prepared:
    """A cell that holds its state; its result is memory of its own, so nothing is allocated."""
    assert work == "stream"
    cell: Any = LSTMCell.from_weights(p.weights)
    if not hasattr(cell, "stream"):
        raise Missing("this build of onecell has no stream yet")
    running, fresh = cell.stream(batch=p.size.batch), cell.stream(batch=p.size.batch)

    def read() -> Outputs:
        return {"h": np.stack([np.array(fresh.step(x)) for x in p.x])}

    return Prepared(partial(running.step, p.x[0]), read, _settings(threads))
