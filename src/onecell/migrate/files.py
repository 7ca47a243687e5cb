"""One file: read it without hanging, rewrite its bytes, check what came out."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from onecell.dialect import DIALECTS
from onecell.errors import SourceError
from onecell.migrate.assumptions import Outside
from onecell.migrate.findings import Finding, Outcome, Rewrite
from onecell.migrate.limits import READ_BYTES, check_compiles, check_size
from onecell.migrate.results import LEFT
from onecell.migrate.rewrite import Framework, Target, rewrite
from onecell.migrate.scan import cell_paths
from onecell.migrate.text import decode

MARK: Final = b"TODO(onecell)"
"""What begins each comment that the engine leaves."""
_CELL: Final = frozenset(
    path.rpartition(".")[2].encode() for row in DIALECTS.values() for path in cell_paths(row)
)
_WORDS: Final = (*(name.encode() for name in DIALECTS), b"onecell")


@dataclass(frozen=True, slots=True)
class Task:
    """One file to rewrite, as it goes to a child process."""

    data: bytes
    name: str
    to: Framework
    target: Target
    whole_file: bool
    outside: Outside | None = None

    @property
    def is_notebook(self) -> bool:
        """Whether the name says that it is a notebook."""
        return self.name.endswith(".ipynb")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child process made of a `Task`."""

    rewrite: Rewrite
    after: bytes
    """The new content; equal to the old one where nothing changes."""
    cells: tuple[tuple[int, int], ...] = ()


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


def migrate_data(task: Task) -> Answer:
    """Rewrite the content of one file.

    This parses, so it can take long or end the process: `child.Pool` calls it elsewhere.

    Raises:
        SourceError: the file is not what this Python compiles, LibCST does not give it back as it
            was, the engine broke down, or what it made does not compile.
    """
    if task.is_notebook:
        from onecell.migrate.notebooks import migrate_notebook  # noqa: PLC0415

        return migrate_notebook(task)
    check_size(task.data)
    check_compiles(task.data, task.name)
    source = decode(task.data)
    done = rewrite_text(source.text, task)
    if not done.changed:
        return Answer(done, task.data)
    after = source.encode(done.after)
    try:
        check_compiles(after, task.name)
    except SourceError as error:
        raise SourceError(f"a mistake in onecell: what it made of this is {error}") from None
    return Answer(done, after)


def rewrite_text(text: str, task: Task) -> Rewrite:
    """Call the engine on text that compiles.

    Raises:
        SourceError: LibCST refuses the text or does not give it back as it was, or the engine
            breaks down.
    """
    import libcst  # noqa: PLC0415 - a tool library

    try:
        done = rewrite(
            text,
            to=task.to,
            target=task.target,
            whole_file=task.whole_file,
            filename=task.name,
            outside=task.outside,
        )
    except libcst.ParserSyntaxError as error:
        raise SourceError(
            f"LibCST does not parse it: line {error.raw_line}: {error.message}"
        ) from None
    except RecursionError:
        raise SourceError("nested too deeply") from None
    except MemoryError:
        raise SourceError("not enough memory to parse it") from None
    earlier = _marked_before(done)
    if not earlier:
        return done
    findings = sorted((*done.findings, *earlier), key=lambda found: (found.line, found.column))
    return replace(done, findings=tuple(findings))


_REFUSED: Final = ("cell: ", "cell_call: ", "wrap: ", "partial: ", "functional_cell: ")
"""What the comment of a refused use says first: its rule."""


def _marked_before(done: Rewrite) -> list[Finding]:
    """Return a finding for each comment of an earlier run that the engine does not repeat.

    What is left to do by hand may no longer name the other framework: `loss.backward()`, say.
    """
    lines = done.before.split("\n")
    start = f"# {MARK.decode()}: "
    marks = [n for n, line in enumerate(lines, 1) if line.lstrip().startswith(start)]
    left = [found.line for found in done.findings if found.outcome in LEFT]
    return [
        Finding(
            rule="mark",
            outcome=Outcome.REFUSED
            if lines[line - 1].lstrip().removeprefix(start).startswith(_REFUSED)
            else Outcome.MARKED,
            line=line,
            column=lines[line - 1].index("#"),
            message=f"Marked by an earlier run: {lines[line - 1].lstrip().removeprefix(start)}",
        )
        for line, stop in pairwise([*marks, len(lines) + 1])
        if not any(line < each < stop for each in left)
    ]


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return name
    return "a device"
