"""The process that contenders run in: it makes them, checks itself out, and times as it is told."""

from __future__ import annotations

import ctypes
import gc
import itertools
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from bench.contenders import CONTENDERS, Missing, Prepared
from bench.problem import Outputs, Problem, Size, Work

_PR_SET_PDEATHSIG = 1
WARM_SECONDS = 0.003
"""Threads that were stopped find each other again, and caches fill, before the clock starts."""
DISTURBED = 1.5
SPREAD_SECONDS = 0.05
"""Where no call while warming comes near the shortest there was, its threads may sit on one CPU:
it gets this long to be spread."""


@dataclass(frozen=True)
class Ready:
    """A contender is prepared."""

    outputs: Outputs
    settings: str


@dataclass(frozen=True)
class Failed:
    """A contender is not, and why; `missing` where there is nothing wrong, only nothing there."""

    why: str
    missing: bool


@dataclass(frozen=True)
class Prepare:
    """Make a contender ready for a problem, in place of what it held."""

    contender: str
    size: Size
    work: Work
    warm_seconds: float = 0.1
    """How long it runs before it is first timed. Threads just made, or just woken, may all sit on
    one CPU, spinning at each other, until the system spreads them; that is no part of a call."""
    explicit_threads: int = 0
    """Where not 0: a thread count to be set by name, for contenders that have such a setting."""


@dataclass(frozen=True)
class Time:
    """Time a contender for so many seconds, or one call where that takes longer."""

    contender: str
    seconds: float


@dataclass(frozen=True)
class Forget:
    """Let go of all contenders' memory."""


Order = Prepare | Time | Forget | None


def _settle_in(threads: int, log: Path) -> None:
    """Bind this process to its CPUs before a framework counts them, and write errors to a file."""
    if sys.platform == "linux":
        # A stopped process would outlive a conductor that was killed.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["OMP_NUM_THREADS"] = str(threads)
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _warm(prepared: Prepared, seconds: float) -> float:
    """Run a contender for a while, at least once; return the shortest call, in seconds."""
    shortest, clock = float("inf"), time.perf_counter
    start = before = clock()
    while before - start < seconds or shortest == float("inf"):
        prepared.call()
        after = clock()
        shortest, before = min(shortest, after - before), after
    return shortest


def _time(prepared: Prepared, seconds: float) -> float:
    """Return µs a call: warm first, then as many calls as fit, with the clock read outside."""
    if prepared.measure is not None:
        return prepared.measure(seconds)
    call, clock = prepared.call, time.perf_counter
    with prepared.around():
        once = _warm(prepared, WARM_SECONDS)
        prepared.shortest = min(prepared.shortest, once)
        if once > DISTURBED * prepared.shortest:
            once = _warm(prepared, SPREAD_SECONDS)
        calls = max(1, int(seconds / max(once, 1e-7)))
        loop = itertools.repeat(None, calls)
        start = clock()
        for _ in loop:
            call()
        return (clock() - start) / calls * 1e6


def _prepare(order: Prepare, threads: int, held: dict[str, Prepared]) -> Ready | Failed:
    contender = CONTENDERS[order.contender]
    problem = Problem(order.size)
    try:
        if order.explicit_threads:
            prepared = contender.prepare_with_threads(problem, order.work, order.explicit_threads)
        else:
            prepared = contender.prepare(problem, order.work, threads)
        held[order.contender] = prepared
        outputs = prepared.read() if contender.computes else {}
        if prepared.measure is None:
            with prepared.around():
                _warm(prepared, order.warm_seconds)
    except Missing as gone:
        return Failed(str(gone), missing=True)
    except Exception as problem_found:
        lines = str(problem_found).strip().splitlines() or [""]
        return Failed(f"{type(problem_found).__name__}: {lines[0][:300]}", missing=False)
    gc.collect()
    return Ready(outputs, prepared.settings)


def run(connection: Connection, threads: int, log: Path) -> None:
    """Do as told over the connection until None comes."""
    _settle_in(threads, log)
    held: dict[str, Prepared] = {}
    while True:
        order: Order = connection.recv()
        match order:
            case None:
                return
            case Prepare():
                held.pop(order.contender, None)
                connection.send(_prepare(order, threads, held))
            case Time():
                connection.send(_time(held[order.contender], order.seconds))
            case Forget():
                held.clear()
                gc.collect()
                connection.send(None)
