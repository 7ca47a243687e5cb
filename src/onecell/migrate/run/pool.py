"""Work in child processes that may die of it: each death is one failed file, and no more."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import Final, Self, TypeVar, cast

from onecell.errors import MissingExtraError, OnecellError, SourceError
from onecell.migrate.run.child import READY

_START_SECONDS: Final = 120.0
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Worker:
    """One child process, started when it is first asked and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._greeted = False
        self._closed = False

    def start(self) -> None:
        """Start the process without waiting for it."""
        if self._closed:
            raise OnecellError("the pool of workers is closed")
        if self._process is None:
            # -P: a file called libcst.py in the user's folder is not what we want to import.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "onecell.migrate.run.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._greeted = False

    def ask(self, work: Callable[[_In], _Out], argument: _In, seconds: float) -> _Out:
        """Return `work(argument)`, computed in the child.

        Args:
            work: a function of a module, found by its name in the child.
            argument: anything that can be pickled.
            seconds: the child is killed after so long.

        Raises:
            SourceError: `work` raised, took too long, or ended the process.
            OnecellError: the child does not start.
        """
        self.start()
        if not self._greeted:
            self._greet()
        answer = self._exchange((work, argument), seconds)
        if isinstance(answer, Exception):
            raise answer
        return cast("_Out", answer)

    def close(self) -> None:
        """End the process, whatever it does, and start no other."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:  # what was to be flushed has no reader any more
                    continue

    def _greet(self) -> None:
        try:
            answer = self._exchange(None, _START_SECONDS)
        except SourceError as error:
            raise OnecellError(f"the process that parses does not start: {error}") from None
        if isinstance(answer, ImportError) and (answer.name or "").startswith("libcst"):
            raise MissingExtraError("libcst", "migrate", "rewriting source") from answer
        if isinstance(answer, ImportError):
            raise OnecellError(f"the process that parses does not load: {answer}")
        if answer != READY:
            raise OnecellError(f"the process that parses said {answer!r} instead of {READY!r}")
        self._greeted = True

    def _exchange(self, request: object, seconds: float) -> object:
        """Send a request, None for none, and return the answer."""
        process = self._process
        assert process is not None  # noqa: S101 - `start` was called
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            if request is not None:
                pickle.dump(request, process.stdin)
                process.stdin.flush()
            return pickle.load(process.stdout)  # noqa: S301 - from our child
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            code = process.wait()
            self._end()
            raise SourceError(_death(code, seconds if late.is_set() else None)) from None
        finally:
            timer.cancel()


_spare: list[Worker] = []


@contextmanager
def spare_worker() -> Iterator[None]:
    """Have a process start while the caller does other things; the next `Pool` uses it."""
    worker = Worker()
    worker.start()
    _spare.append(worker)
    try:
        yield
    finally:
        worker.close()
        if worker in _spare:
            _spare.remove(worker)


class Pool:
    """Several workers; use it in a `with` statement.

    Args:
        jobs: how many processes at most; None for one each processor.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs or processors()
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        started = [_spare.pop()] if _spare else []
        self._workers = started + [Worker() for _ in range(self.jobs - len(started))]
        for worker in self._workers:
            self._free.put(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.close()

    def ask(self, work: Callable[[_In], _Out], argument: _In, seconds: float) -> _Out:
        """Do as `Worker.ask` does, in whichever worker is free."""
        worker = self._free.get()
        try:
            return worker.ask(work, argument, seconds)
        finally:
            self._free.put(worker)

    def map(self, each: Callable[[_In], _Out], items: Iterable[_In]) -> Iterator[tuple[_In, _Out]]:
        """Yield every item with `each(item)`, as they become ready.

        `each` runs in a thread of this process and calls `ask`; it is given an item only when a
        worker will be free for it, so few items are in memory at once.
        """
        pending: dict[Future[_Out], _In] = {}
        source = iter(items)
        with ThreadPoolExecutor(self.jobs) as threads:
            try:
                while True:
                    for item in islice(source, 2 * self.jobs - len(pending)):
                        pending[threads.submit(each, item)] = item
                    if not pending:
                        return
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        yield pending.pop(future), future.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in self._workers:
                    worker.close()
                raise


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _death(code: int, seconds: float | None) -> str:
    if seconds is not None:
        return f"parsing took more than {seconds:.3g} s"
    if code >= 0:
        return f"the parser ended its process with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = ", perhaps for want of memory" if name == "SIGKILL" else ""
    return f"the parser ended its process: {name}{why}"
