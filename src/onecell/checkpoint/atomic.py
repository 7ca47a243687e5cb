"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from onecell.ending import hidden_file
from onecell.errors import OutputExistsError

Content = Iterable[bytes | bytearray | memoryview] | Callable[[BinaryIO], None]
"""Chunks of bytes in order, or a function that writes all of them to the file it is given."""


def check_output(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Return the file that writing to `path` would make, links followed.

    Raises:
        OutputExistsError: something is there and `force` is not set.
        IsADirectoryError, FileExistsError: a folder or a device is there.
        FileNotFoundError, NotADirectoryError: there is no folder to write into.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "cannot write a file over a folder", str(path))
    if target.exists() and not force:
        raise _exists(path)
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "cannot replace what is not a file", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no folder to write into", str(path))
    return target


def write_whole(path: str | os.PathLike[str], content: Content, *, force: bool = False) -> None:
    """Write a file so that at every moment `path` holds the old content or all of the new.

    The content goes to a fresh file beside `path`, then to the disk, and only then gets the name.
    The mode is the one that the umask asks for. Whatever goes wrong, a full disk or an exception
    out of `content`, the fresh file is removed and an old one stays as it was. What a process that
    was killed left over in the folder is removed first.

    Raises:
        OutputExistsError: something is at `path` and `force` is not set; also if it came to be
            there while the content was written.
        OSError: the folder or the disk refuses.
    """
    target = check_output(path, force=force)
    with hidden_file(target.parent) as (fresh, handle):
        with os.fdopen(handle, "wb", closefd=False) as file:
            if callable(content):
                content(file)
            else:
                file.writelines(content)
            file.flush()
            os.fsync(handle)
        _give_name(fresh, target, path, force=force)
    _sync_folder(target.parent)


def write_both(
    path: str | os.PathLike[str],
    beside: str | os.PathLike[str],
    content: Callable[[BinaryIO, BinaryIO], None],
    *,
    force: bool = False,
) -> None:
    """Write two files of which `path` tells what is in `beside`, both whole or neither.

    Both are on the disk before either has its name. Then an old `path` goes away, the new `beside`
    comes, and `path` last: whatever moment a machine stops at, a `path` that is there has the
    `beside` that it was written with. Where an act fails, what was there before is put back.

    Errors are those of `write_whole`, for either file.
    """
    targets = [check_output(each, force=force) for each in (path, beside)]
    with contextlib.ExitStack() as stack:
        fresh = [stack.enter_context(hidden_file(each.parent)) for each in targets]
        opened = [
            stack.enter_context(os.fdopen(handle, "wb", closefd=False)) for _, handle in fresh
        ]
        content(*opened)
        for file, (_, handle) in zip(opened, fresh, strict=True):
            file.flush()
            os.fsync(handle)
        old = [stack.enter_context(hidden_file(each.parent))[0] for each in targets]
        moved: list[tuple[Path, Path]] = []
        made: list[Path] = []
        try:
            for target, kept in zip(targets, old, strict=True):
                if force and target.exists():
                    target.replace(kept)
                    moved.append((kept, target))
            for number, named in ((1, beside), (0, path)):
                _give_name(fresh[number][0], targets[number], named, force=force)
                made.append(targets[number])
        except BaseException:
            for target in made:
                target.unlink(missing_ok=True)
            for kept, target in reversed(moved):
                kept.replace(target)
            raise
    for folder in {each.parent for each in targets}:
        _sync_folder(folder)


def _give_name(fresh: Path, target: Path, path: str | os.PathLike[str], *, force: bool) -> None:
    """Rename `fresh` to `target`; without `force` in a way that cannot replace anything."""
    if force:
        fresh.replace(target)
        return
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without hard links: the check and the rename are two acts
        if os.path.lexists(target):
            raise _exists(path) from None
        fresh.rename(target)


def _sync_folder(folder: Path) -> None:
    """Ask that the new name is on the disk too, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _exists(path: str | os.PathLike[str]) -> OutputExistsError:
    return OutputExistsError(
        errno.EEXIST, "is already there; choose another name, or say `force`", str(path)
    )
