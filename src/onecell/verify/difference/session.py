"""One framework in a process of its own, started when it is first asked and again after a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, side: str, program: str) -> Observation:
        """Return what `side` answers to `program`."""
        installed = version(self.framework)
        told = installed if side == self.framework else version("onecell")
        if not self._missing and self._process is None:
            self._missing = self._start()
        if self._missing:
            return Observation(side, None, Outcome.MISSING, None, self._missing)
        assert self._connection is not None  # noqa: S101 - it was started
        answer: dict[str, Any] | None = None
        try:
            self._connection.send_bytes(program.encode())
            if not self._connection.poll(self.limit):
                self._stop()
                return Observation(side, told, Outcome.TIMED_OUT, f"{self.limit:g} s")
            answer = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            return Observation(side, told, Outcome.CRASHED, self._end())
        return Observation(side, told, Outcome.ANSWERED, answer["value"], answer["said"])

    def close(self) -> None:
        """End the process and remove its folder; also from another thread."""
        self._missing = "was stopped"
        self._stop()
        self._folder.cleanup()

    def _start(self) -> str:
        """Start the process and wait for its framework; return why it is missing, or ""."""
        mine, other = Pipe()
        words = [sys.executable, "-m", "onecell.verify.difference.worker", self.framework]
        with other, (Path(self._folder.name) / "printed").open("ab") as printed:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*words, str(other.fileno())],
                pass_fds=[other.fileno()],
                env={name: value for name, value in os.environ.items() if name not in _SETTINGS},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=self._folder.name,
            )
        self._connection = mine
        try:
            if not mine.poll(self.start_limit):
                self._stop()
                return f"does not load within {self.start_limit:g} s"
            hello: dict[str, str] = json.loads(mine.recv_bytes())
        except (EOFError, OSError):
            return f"ends its process while it loads ({self._end()})"
        if "missing" in hello:
            self._stop()
            return f"does not load: {hello['missing']}"
        return ""

    def _end(self) -> str:
        """Wait for a process whose pipe has closed; return what ended it."""
        process, self._process = self._process, None
        if self._connection is not None:
            self._connection.close()
        if process is None:
            return "stopped"
        try:
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        if status >= 0:
            return f"exit {status}"
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._connection is not None:
            self._connection.close()
