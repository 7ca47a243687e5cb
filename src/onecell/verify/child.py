"""A program in a process of its own that may crash or hang, and is started again when it is asked.

Question and answer are a JSON object each, and arrays behind it as raw bytes; nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Final, Self

LIMIT: Final = 120.0
"""Seconds that one answer may take; the slowest takes about one, or thirty where others compute."""
START_LIMIT: Final = 120.0
"""Seconds that a framework may take to load; MindSpore takes five to ten on a cold disk."""
_LOOKS: Final = 1.0
"""Seconds after which who waits for an answer looks whether it was stopped."""
_TOLD: Final = 2000
"""So many of the last bytes that it printed are looked at for the reason of its end."""


class ChildMissingError(Exception):
    """It cannot be asked at all; the message says why."""


class ChildTimedOutError(Exception):
    """It did not answer within its limit, and was ended."""


class ChildEndedError(Exception):
    """Its process ended instead of answering; the message says how, "SIGSEGV" or "exit 3"."""


class Child:
    """A program that is spoken to over a pipe, one question at a time.

    Its last argument is the number of the pipe. It says hello first, {"version": ...} or
    {"missing": why}, and then answers each question. It runs in an empty folder that goes with it,
    and what it prints reaches nobody.

    Args:
        words: the command, to which the pipe's number is added.
        limit: seconds that one answer may take.
        start_limit: seconds that it may take to say hello.
        environment: of the process; None for that of this one.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        limit: float = LIMIT,
        start_limit: float = START_LIMIT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.words = tuple(words)
        self.limit, self.start_limit = limit, start_limit
        self.environment = environment
        self.hello: Mapping[str, Any] = {}
        """What it said when it was last started."""
        self.starts = 0
        """How often it was started: what it had been told before is gone with the process."""
        self._folder = tempfile.TemporaryDirectory(prefix="onecell-child-")
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._missing = ""
        self._asking = threading.Lock()
        """Held by whoever asks: the only one who opens, reads and closes the connection."""
        self._changing = threading.Lock()
        """Held for the moment in which a process is started, or its end is decided."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it unless it runs; `ChildMissingError` if it cannot be."""
        with self._asking:
            self._need()

    def ask(self, question: bytes, *arrays: bytes) -> tuple[dict[str, Any], list[bytes]]:
        """Return what it answers: an object, and as many arrays as its "arrays" has entries.

        Raises:
            ChildMissingError: it cannot be started, or was closed.
            ChildTimedOutError: it took longer than its limit.
            ChildEndedError: its process ended. The next question starts it again.
        """
        with self._asking:
            connection = self._need()
            try:
                for part in (question, *arrays):
                    connection.send_bytes(part)
                answer: dict[str, Any] | None = None
                told: list[bytes] = []
                if self._comes(connection, self.limit):
                    answer = json.loads(connection.recv_bytes())
                    told = [connection.recv_bytes() for _ in answer.get("arrays", ())]
            except (EOFError, OSError):
                raise ChildEndedError(self._end()) from None
            except BaseException:  # an answer that nobody read would be that of the next question
                self._end(kill=True)
                raise
            if answer is None:
                self._end(kill=True)
                raise ChildTimedOutError(f"{self.limit:g} s")
            return answer, told

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

    @property
    def printed(self) -> str:
        """The end of what it has printed, a reason where it ended without one."""
        path = Path(self._folder.name) / "printed"
        try:
            return path.read_bytes()[-_TOLD:].decode(errors="replace").strip()
        except OSError:
            return ""

    def _need(self) -> Connection:
        if not self._missing and self._process is None:
            self._start()
        if self._missing or self._connection is None:
            raise ChildMissingError(self._missing)
        return self._connection

    def _start(self) -> None:
        """Start the process and wait for its hello; if it is missing, note why."""
        mine, other = Pipe()
        with other, (Path(self._folder.name) / "printed").open("ab") as printed, self._changing:
            if self._missing:
                mine.close()
                return
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [*self.words, str(other.fileno())],
                    pass_fds=[other.fileno()],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=printed,
                    cwd=self._folder.name,
                    process_group=0,
                )
            except OSError as error:
                mine.close()
                self._missing = f"cannot be started: {error}"
                return
        self._connection = mine
        self.starts += 1
        missing = ""
        try:
            if self._comes(mine, self.start_limit):
                self.hello = json.loads(mine.recv_bytes())
                if "missing" in self.hello:
                    missing = f"does not load: {self.hello['missing']}"
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
