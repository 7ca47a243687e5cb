"""What must not outlive this process: hidden files and folders, and processes of its own.

A signal ends the command at once, and nothing is unwound then; what is entered here is removed.
After a power cut, or a SIGKILL, hidden files and folders stay: the next process that writes into
the same folder takes them away. It knows them by their name, and that they are left over by their
lock, which the system lifts when the process that holds it is no more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"\.onecell-[0-9a-f]{16}(\.tmp)?")

_gate: Final = threading.Lock()
"""Held where something is made, and for good once all has to go."""
_last: dict[object, Callable[[], object]] = {}
_swept: set[Path] = set()


@contextlib.contextmanager
def at_end(act: Callable[[], object]) -> Iterator[None]:
    """Have `act` done if the process is told to end within this block; not at its ordinary end."""
    key = object()
    _last[key] = act
    try:
        yield
    finally:
        _last.pop(key, None)


def end_all() -> None:
    """Do what was entered, the latest first; no error stops it. Nothing new is made after that."""
    _gate.acquire()
    while _last:
        try:
            _, act = _last.popitem()
            act()
        except Exception:  # noqa: S112 - the next one has to go as well
            continue


@contextlib.contextmanager
def hidden_file(folder: Path) -> Iterator[tuple[Path, int]]:
    """Make an empty file with a name of its own in `folder`, and remove it at the end.

    Yields:
        Its path and a descriptor that it is open for writing under; the block may give the file
        another name, and must leave the descriptor open.
    """
    sweep(folder)

    def remove() -> None:
        with contextlib.suppress(OSError):
            path.unlink()

    while True:
        path = folder / f".onecell-{secrets.token_hex(8)}.tmp"
        with at_end(remove):
            with _gate:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                _lock(handle)
                if os.fstat(handle).st_nlink:  # else another process took it for one left over
                    yield path, handle
                    return
            finally:
                remove()
                os.close(handle)


@contextlib.contextmanager
def hidden_folder(parent: Path) -> Iterator[Path]:
    """Make an empty folder with a name of its own in `parent`, and remove it at the end."""
    sweep(parent)

    def remove() -> None:
        for _ in range(3):  # something may come into it meanwhile
            shutil.rmtree(path, ignore_errors=True)

    while True:
        path = parent / f".onecell-{secrets.token_hex(8)}"
        with at_end(remove):
            handle = _new_folder(path)
            if handle is None:
                continue
            try:
                yield path
            finally:
                remove()
                os.close(handle)
            return


def _new_folder(path: Path) -> int | None:
    """Make a folder and return its lock; None if another process took it for one left over."""
    with _gate:
        path.mkdir(mode=0o700)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    _lock(handle)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), os.fstat(handle)):
            return handle
    os.close(handle)
    return None


def sweep(folder: Path) -> None:
    """Remove what processes that are no more left over in `folder`; once a folder and process."""
    if folder in _swept or _NAME.fullmatch(folder.name):
        return
    _swept.add(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) and not entry.is_symlink():
                _remove_if_left(Path(entry.path))


def _remove_if_left(path: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        finally:
            os.close(handle)


def _lock(handle: int) -> None:
    """Lock a file; where the file system knows no locks nobody takes it for one left over."""
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)
