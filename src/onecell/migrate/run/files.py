"""The bytes of one file: read them without hanging, and see whether they name a framework."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from onecell.dialect import FRONT_ENDS
from onecell.errors import SourceError
from onecell.migrate.rules.table.scan import cell_paths
from onecell.migrate.source.limits import READ_BYTES

MARK: Final = b"TODO(onecell)"
"""What begins each comment that the engine leaves."""
_CELL: Final = frozenset(
    path.rpartition(".")[2].encode() for row in FRONT_ENDS.values() for path in cell_paths(row)
)
_WORDS: Final = (*(name.encode() for name in FRONT_ENDS), b"onecell")


def mentions_cell(data: bytes) -> bool:
    """Return whether a file may use the cell itself: its name, or our mark, is somewhere in it."""
    return mentions_framework(data) and (MARK in data or any(name in data for name in _CELL))


def mentions_framework(data: bytes) -> bool:
    """Return whether a file may name a framework; where not, there is nothing to rewrite."""
    return any(word in data for word in _WORDS)


def read_source(path: Path) -> bytes:
    """Return the content of a regular file, and never wait for anything else.

    Raises:
        SourceError: there is no such file, it is a folder, a pipe or a device, it may not be
            read, or it is larger than `limits.READ_BYTES`.
    """
    try:
        mode, data = _read(path)
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.EOPNOTSUPP}:
            raise SourceError("not a regular file but a socket or a device") from None
        raise SourceError(f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a null character in the path
        raise SourceError(f"cannot be read: {error}") from None
    if not stat.S_ISREG(mode):
        raise SourceError(f"not a regular file but {_kind(mode)}")
    if len(data) > READ_BYTES:
        raise SourceError(f"larger than {READ_BYTES >> 20} MiB, which is the most that is read")
    return data


def _read(path: Path) -> tuple[int, bytes]:
    """Return the mode of what is at `path` and, of a regular file, its content up to the limit."""
    # A pipe without a writer would block `open` for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - a descriptor
        mode = os.fstat(file.fileno()).st_mode
        return mode, file.read(READ_BYTES + 1) if stat.S_ISREG(mode) else b""


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return name
    return "a device"
