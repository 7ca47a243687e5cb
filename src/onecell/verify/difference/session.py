"""One framework in a process of its own, started when it is first asked and again after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Final, Self

from onecell.verify.difference.values import Observation, Outcome
from onecell.verify.record import version
from onecell.verify.sides import is_installed

LIMIT: Final = 30.0
"""Seconds that one program may take; the slowest takes about one."""
START_LIMIT: Final = 120.0
"""Seconds that a framework may take to load; MindSpore takes five to ten on a cold disk."""
_LOOKS: Final = 1.0
"""Seconds after which who waits for an answer looks whether it was stopped."""

_SETTINGS: Final = frozenset(["GLOG_v", "GLOG_logtostderr"])
"""Not passed on: they would change what a framework says, and that is an answer."""


class Session:
    """Runs programs for one framework, and for onecell under its signature.

    A program that ends the process, or runs past its limit, costs that process and no other
    answer. Programs run in an empty folder that goes with the session: MindSpore leaves files.
    """

    def __init__(
        self, framework: str, *, limit: float = LIMIT, start_limit: float = START_LIMIT
    ) -> None:
        self.framework = framework
        self.limit, self.start_limit = limit, start_limit
        self._folder = tempfile.TemporaryDirectory(prefix="onecell-diff-")
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._missing = "" if is_installed(framework) else "is not installed"
        self._asking = threading.Lock()
        """Held by whoever asks: the only one who opens, reads and closes the connection."""
        self._changing = threading.Lock()
        """Held for the moment in which a process is started, or its end is decided."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, side: str, program: str) -> Observation:
        """Return what `side` answers to `program`."""
        with self._asking:
            return self._ask(side, program)

    def close(self) -> None:
        """End the process and remove its folder; also from another thread.

        Who waits in `ask` sees the pipe end and closes it: a descriptor that two threads close is
        closed twice, the second time under whatever has got its number since.
        """
        with self._changing:
            self._missing = "was stopped"
            if self._process is not None:
                _kill(self._process)
        with self._asking:
            self._end()
            self._folder.cleanup()

    def _ask(self, side: str, program: str) -> Observation:
        installed = version(self.framework)
        told = installed if side == self.framework else version("onecell")
        if not self._missing and self._process is None:
            self._start()
        if self._missing or self._connection is None:
            return Observation(side, None, Outcome.MISSING, None, self._missing)
        answer: dict[str, Any] | None = None
        try:
            self._connection.send_bytes(program.encode())
            if not self._comes(self._connection, self.limit):
                self._end(kill=True)
                return Observation(side, told, Outcome.TIMED_OUT, f"{self.limit:g} s")
            answer = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            return Observation(side, told, Outcome.CRASHED, self._end())
        except BaseException:  # an answer that nobody has read would be that of the next program
            self._end(kill=True)
            raise
        return Observation(side, told, Outcome.ANSWERED, answer["value"], answer["said"])

    def _start(self) -> None:
        """Start the process and wait for its framework; if it is missing, note why."""
        mine, other = Pipe()
        words = [sys.executable, "-m", "onecell.verify.difference.worker", self.framework]
        with other, (Path(self._folder.name) / "printed").open("ab") as printed, self._changing:
            if self._missing:
                mine.close()
                return
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*words, str(other.fileno())],
                pass_fds=[other.fileno()],
                env={name: value for name, value in os.environ.items() if name not in _SETTINGS},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=self._folder.name,
                process_group=0,
            )
        self._connection = mine
        missing = ""
        try:
            if self._comes(mine, self.start_limit):
                hello: dict[str, str] = json.loads(mine.recv_bytes())
                if "missing" in hello:
                    missing = f"does not load: {hello['missing']}"
            else:
                missing = f"does not load within {self.start_limit:g} s"
        except (EOFError, OSError):
            missing = f"ends its process while it loads ({self._end()})"
        if missing:
            self._end(kill=True)
            self._missing = self._missing or missing

    def _comes(self, connection: Connection, limit: float) -> bool:
        """Wait for an answer; return whether there is one, or raise `EOFError` once closed."""
        until = time.monotonic() + limit
        while not connection.poll(max(0.0, min(_LOOKS, until - time.monotonic()))):
            if time.monotonic() >= until:
                return False
            if self._missing:  # stopped, and a child of the process still holds the pipe
                raise EOFError
        return True

    def _end(self, *, kill: bool = False) -> str:
        """Close the pipe and wait for the process, which has ended or does then; return how."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        with self._changing:
            process, self._process = self._process, None
        if process is None:
            return "stopped"
        try:
            if kill:
                _kill(process)
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            _kill(process)
            status = process.wait()
        if status >= 0:
            return f"exit {status}"
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what its programs have started and left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
