"""Speed against the number of steps, and against the number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from bench import figures
from bench.conductor import Conductor
from bench.figures import Pace
from bench.problem import Size, Work

STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 200)
STEPS_SHAPES: Final = ((1, 128), (1, 512), (16, 256))
"""N and H = I."""
STEPS_CONTENDERS: Final = (
    "onecell", "torch.nn.LSTMCell", "torch.nn.LSTM", "onnxruntime", "JAX", "OpenVINO"
)  # fmt: skip
THREADS_SIZES: Final = (
    Size(1, 1, 128, 128), Size(100, 1, 512, 512), Size(1, 64, 512, 512), Size(50, 64, 512, 512)
)  # fmt: skip
THREADS_CONTENDERS: Final = ("onecell", "torch.nn.LSTM", "onnxruntime", "JAX", "OpenVINO")
PACE: Final = Pace(rounds=5, slice_seconds=0.01, row_seconds=5.0, least_rounds=3)


def thread_counts(cpus: int) -> list[int]:
    """Return 1, 2, 4 and so on up to the CPUs, then twice as many: a machine asked for too much."""
    counts = [1 << n for n in range(cpus.bit_length()) if 1 << n < cpus]
    return [*counts, cpus, 2 * cpus]


def points_over_steps() -> int:
    """Return how many points `over_steps` measures."""
    return len(STEPS_SHAPES) * len(STEPS)


def points_over_threads() -> int:
    """Return how many points `over_threads` measures here."""
    return len(THREADS_SIZES) * len(thread_counts(len(os.sched_getaffinity(0))))


def over_steps(conductor: Conductor, threads: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return µs by T for some shapes."""
    sizes = [Size(t, n, hidden, hidden) for n, hidden in STEPS_SHAPES for t in STEPS]
    points = [_point(conductor, STEPS_CONTENDERS, size, threads, 0, tell) for size in sizes]
    return {"threads": threads, "points": points}


def over_threads(conductor: Conductor, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return µs by thread count for some shapes; JAX is told by the CPUs it may use."""
    cpus = len(os.sched_getaffinity(0))
    points = [
        _point(conductor, THREADS_CONTENDERS, size, count, count, tell)
        for size in THREADS_SIZES
        for count in thread_counts(cpus)
    ]
    return {"cpus": cpus, "points": points}


def _point(
    conductor: Conductor, names: Sequence[str], size: Size, threads: int, explicit: int,
    tell: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    tell(f"{size}, {threads} threads")
    work: Work = "step" if size.steps == 1 else "unroll"
    found = figures.measure(conductor, names, size, work, PACE, threads, explicit_threads=explicit)
    return {
        "size": list(size), "threads": threads,
        "median": {name: round(f.median, 3) for name, f in found.figures.items()},
        "not_timed": found.missing | found.excluded,
    }  # fmt: skip
