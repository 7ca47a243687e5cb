"""The processes that contenders run in, one awake at a time.

Every framework has threads, and idle threads spin for a while: onnxruntime's between calls,
OpenMP's after each parallel region, MindSpore's always. Two frameworks in one process, or in two
that are both awake, slow each other. So each has a process of its own, bound to the same CPUs, and
is stopped (SIGSTOP) while another is measured: spinning may help a contender, as it does where it
runs alone, and hurts nobody else.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import worker
from bench.contenders import CONTENDERS

SETTLE_SECONDS = 0.0005
LOGS = Path(__file__).parents[2] / "build" / "benchmarks" / "logs"


class WorkerLostError(RuntimeError):
    """A contender's process ended."""


class Conductor:
    """Starts a process for each group of contenders when first asked, and wakes one at a time."""

    def __init__(self, logs: Path = LOGS) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._logs = logs
        self._open: dict[tuple[str, int], tuple[BaseProcess, Connection]] = {}
        # NumPy's own threads, here for the reference only, would spin beside who is measured.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, contender: str, threads: int, order: worker.Order) -> Any:  # noqa: ANN401 - see worker
        """Return the answer of the contender's process.

        Raises:
            WorkerLostError: it ended; the next order for its contenders starts another.
        """
        who = CONTENDERS[contender]
        key = who.process, min(threads, who.most_threads or threads)
        process, connection = self._open.get(key) or self._start(key)
        try:
            with _awake(process):
                connection.send(order)
                return connection.recv()
        except (EOFError, OSError) as end:
            del self._open[key]
            _end(process)
            log = self._logs / _file_name(key)
            raise WorkerLostError(
                f"the process of {contender} ended with status {process.exitcode}; "
                f"it left {log.name} in the benchmark's logs"
            ) from end

    def forget(self) -> None:
        """Let every process free what its contenders hold."""
        for key, (process, connection) in list(self._open.items()):
            try:
                with _awake(process):
                    connection.send(worker.Forget())
                    connection.recv()
            except (EOFError, OSError):
                del self._open[key]
                _end(process)

    def close(self) -> None:
        """Let every process end."""
        for process, connection in self._open.values():
            with contextlib.suppress(OSError):
                connection.send(None)
            _end(process)
        self._open.clear()

    def _start(self, key: tuple[str, int]) -> tuple[BaseProcess, Connection]:
        mine, theirs = self._context.Pipe()
        arguments = (theirs, key[1], self._logs / _file_name(key))
        process = self._context.Process(target=worker.run, args=arguments, daemon=True)
        process.start()
        theirs.close()  # so that the end of a worker is the end of its connection here too
        self._open[key] = process, mine
        return self._open[key]


def _end(process: BaseProcess) -> None:
    """Let a process end that is about to, or else end it; it may be stopped."""
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGCONT)
    process.join(5)
    process.kill()
    process.join()


@contextlib.contextmanager
def _awake(process: BaseProcess) -> Iterator[None]:
    """Let a process run for as long as this lasts."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP)
        time.sleep(SETTLE_SECONDS)


def _file_name(key: tuple[str, int]) -> str:
    return f"{key[0].replace(' ', '-')}-{key[1]}.log"
