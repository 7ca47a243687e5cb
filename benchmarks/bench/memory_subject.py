"""Run with the memory probe loaded: do one thing and print what it allocated, as JSON."""

from __future__ import annotations

import ctypes
import gc
import json
import sys
from collections.abc import Callable
from typing import Any

from bench.problem import Problem, Size
from onecell import LSTMCell


class Probe:
    """What the probe in front of malloc has counted."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self.live, self.peak, self.made = (
            getattr(library, f"memory_{name}") for name in ("live", "peak", "made")
        )
        for function in (self.live, self.peak, self.made):
            function.restype = ctypes.c_int64
        self.mark = library.memory_mark


def _cost(probe: Probe, call: Callable[[], Any]) -> tuple[int, int]:
    """Return the bytes that `call` took at its peak, and those that its result keeps."""
    gc.collect()
    before = probe.live()
    probe.mark()
    kept = call()
    peak = probe.peak() - before
    live = probe.live() - before
    del kept
    return peak, live


def unroll(probe: Probe, size: Size) -> dict[str, int]:
    """Unroll in inference, in a process where it never ran: also what stays after the call."""
    p = Problem(size)
    cell = LSTMCell.from_weights(p.weights)
    peak, live = _cost(probe, lambda: cell.unroll(p.x, (p.h, p.c)))
    return {"peak": peak, "live": live, "output": p.grad_h_all.nbytes}


def train(probe: Probe, size: Size) -> dict[str, int]:
    """Record an unrolled sequence in torch: what is kept for the way back, the output among it."""
    import torch  # noqa: PLC0415 - only where it runs

    from onecell.torch import LSTMCell as Cell  # noqa: PLC0415

    p = Problem(size)
    small = Problem(Size(2, 2, size.input, size.hidden))
    cell = Cell(size.input, size.hidden)

    def forward(q: Problem) -> Any:  # noqa: ANN401
        x, h, c = inputs[q]
        return cell.unroll(x, (h, c))

    inputs = {q: tuple(torch.from_numpy(a) for a in (q.x, q.h, q.c)) for q in (small, p)}
    forward(small)  # what torch sets up once is not the trace
    peak, live = _cost(probe, lambda: forward(p))
    return {"peak": peak, "live": live, "output": p.grad_h_all.nbytes}


def stream(probe: Probe, size: Size) -> dict[str, int]:
    """Step a stream many times; count allocations of any kind, Python's objects among them."""
    p = Problem(size)
    cell: Any = LSTMCell.from_weights(p.weights)
    if not hasattr(cell, "stream"):
        return {"missing": 1}
    running = cell.stream(batch=size.batch)
    x, step = p.x[0], running.step
    for _ in range(100):
        step(x)
    before = probe.made()
    for _ in range(10_000):
        step(x)
    counted = probe.made() - before
    before = probe.made()
    for _ in range(10_000):
        pass
    return {"steps": 10_000, "allocations": counted - (probe.made() - before)}


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    subject = {"unroll": unroll, "train": train, "stream": stream}[what]
    print(json.dumps(subject(Probe(), Size(*map(int, numbers)))))
