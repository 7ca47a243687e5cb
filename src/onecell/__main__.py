"""`python -m onecell`, the command `onecell`: a process that ends as a shell expects.

Signals are taken before anything heavy is imported, by a thread that does nothing but wait for
them, and end the process where it is. An exception would be swallowed in the middle of a
framework's import, or end in an abort of what is half made; and a handler would not stay: MindSpore
puts its own in its place.
"""

from __future__ import annotations

import _thread
import io
import os
import signal
import sys
import time
import traceback
from typing import Final, TextIO

_ENDED: Final = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "ended by SIGTERM",
    signal.SIGHUP: "ended by SIGHUP",
}
_BROKEN_PIPE: Final = 128 + signal.SIGPIPE
_OUTPUT: Final = 4
_INTERNAL: Final = 70

_ending: Final[list[int]] = []
"""The status, once a signal has come."""


def main() -> None:
    """Run the command line in this process, which is its own, and end it."""
    _take_signals()
    pipes = _open_outputs()
    status = _run()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            status = status or _say(f"cannot write the output: {error.strerror}.", _OUTPUT)
            _lead_nowhere(stream.fileno())
    if not status and any(pipe.broken for pipe in pipes):
        status = _BROKEN_PIPE
    while _ending:
        time.sleep(1)  # the process ends under it
    sys.exit(status)


def _run() -> int:
    from onecell.cli import main as run  # noqa: PLC0415 - signals are taken first

    try:
        run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:
        traceback.print_exc()
        return _INTERNAL
    return 0


def _say(text: str, status: int) -> int:
    """Write a line to the descriptor itself, whatever the streams above it are busy with."""
    # A terminal may have a bar on this line, and its cursor hidden.
    before = "\x1b[?25h\n" if os.isatty(2) else ""
    try:
        os.write(2, f"{before}onecell: {text}\n".encode())
    except OSError:
        return status
    return status


def _take_signals() -> None:
    # What a caller has switched off, as `nohup` does, stays so.
    taken = {number for number in _ENDED if signal.getsignal(number) is not signal.SIG_IGN}
    # Every thread that comes later, of whatever library, is born with the same mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, taken)
    os.register_at_fork(after_in_child=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, taken))
    _thread.start_new_thread(_wait, (taken,))


def _wait(taken: set[signal.Signals]) -> None:
    number = signal.Signals(signal.sigwait(taken))
    status = _say(f"{_ENDED[number]}.", 128 + number)
    # What the other threads make of it is no news, nor how they end.
    _ending.append(status)
    for descriptor in (1, 2):
        _lead_nowhere(descriptor)
    # Not imported here: where it is not loaded yet there is nothing to remove.
    ending = sys.modules.get("onecell.ending")
    getattr(ending, "end_all", int)()
    os._exit(status)


class _Pipe(io.FileIO):
    """A descriptor whose reader may leave; what is written after that goes nowhere."""

    broken = False

    def write(self, data: object) -> int:
        """Write `data`, as any file does."""
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            self.broken = True
            _lead_nowhere(self.fileno())
            return memoryview(data).nbytes  # type: ignore[arg-type]


def _lead_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _open_outputs() -> list[_Pipe]:
    """Make the standard streams bear readers that leave and characters that they do not have."""
    pipes = []
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            pipes.append(_Pipe(stream.fileno(), "wb", closefd=False))
            wrapped = io.TextIOWrapper(
                io.BufferedWriter(pipes[-1]),
                encoding=stream.encoding,
                errors="replace",
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, wrapped)
    return pipes


if __name__ == "__main__":
    main()
