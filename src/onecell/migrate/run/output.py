"""Put results on the disk: in place, or as a tree beside. Whole files or none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from onecell.checkpoint.atomic import check_output, write_whole
from onecell.errors import ArgumentError, OutputExistsError, SourceError
from onecell.migrate.run.files import read_source
from onecell.migrate.run.results import FileOutcome, FileResult, Migration
from onecell.migrate.run.todo import check_todo, common_folder, write_todo


def write_in_place(migration: Migration) -> Migration:
    """Write every changed file where it came from, with the mode that it has.

    Returns:
        The same migration; a file that could not be written, or whose content is no longer the one
        that was read, is FAILED in it and stays as it is on the disk. `todo` is the list of what
        is left, in the folder that all files are below; None too if it cannot be written.

    Raises:
        OutputExistsError: a file by the list's name is there, and is none; nothing was written.
    """
    home = common_folder(migration)
    check_todo(home, force=False)
    own = frozenset(each.path.resolve() for each in migration.results if not each.path.is_symlink())
    done = tuple(
        _write_back(each, own) if each.outcome is FileOutcome.CHANGED else each
        for each in migration.results
    )
    migration = replace(migration, results=done)
    with contextlib.suppress(OSError):  # what is written stays, and is reported
        todo = write_todo(migration, home, lambda e: Path(os.path.relpath(e.path.absolute(), home)))
        return replace(migration, todo=todo)
    return migration


def write_tree(
    migration: Migration, folder: str | os.PathLike[str], *, force: bool = False
) -> Migration:
    """Write every file of the migration below `folder`, in the tree in which it was found.

    Changed files have their new content; the others, also those that failed, are copied as they
    are, so that a package stays whole. Modes are kept.

    Args:
        migration: what to write.
        folder: made if it is not there.
        force: replace files that are there.

    Returns:
        The same migration; a file that could not be read or written is FAILED in it, and `todo`
        is the list of what is left, in `folder`.

    Raises:
        OutputExistsError: something is there and `force` is not set; nothing was written.
        ArgumentError: two files would have one name, or a file would be written over its source;
            nothing was written.
        OSError: the folder or the disk refuses.
    """
    out = Path(folder)
    targets = [out / each.relative for each in migration.results]
    _check_targets(migration.results, targets, force=force)
    check_todo(out, force=force)
    out.mkdir(parents=True, exist_ok=True)
    done = tuple(
        _write_copy(each, path, force=force)
        for each, path in zip(migration.results, targets, strict=True)
    )
    migration = replace(migration, results=done)
    return replace(migration, todo=write_todo(migration, out, lambda each: each.relative))


def _write_back(result: FileResult, own: frozenset[Path]) -> FileResult:
    if result.root is not None and result.path.is_symlink():
        # What a folder links to is written if it is in the folder too, under its own name.
        if result.path.resolve() in own:
            return result
        return _failed(result, "a link to a file elsewhere; name that file to have it written")
    return _write(result, result.path, result.after, force=True, unchanged=result.before)


def _write_copy(result: FileResult, path: Path, *, force: bool) -> FileResult:
    if result.outcome is FileOutcome.CHANGED:
        content = result.after
    else:
        try:
            content = read_source(result.path)
        except SourceError as error:
            return result if result.outcome is FileOutcome.FAILED else _failed(result, str(error))
    path.parent.mkdir(parents=True, exist_ok=True)
    return _write(result, path, content, force=force)


def _write(
    result: FileResult, path: Path, content: bytes, *, force: bool, unchanged: bytes | None = None
) -> FileResult:
    """Write one file with the mode of the result's own; `unchanged` is what must still be there."""

    def fill(file: BinaryIO) -> None:
        file.write(content)
        _copy_mode(result.path, file)
        if unchanged is not None:
            file.flush()
            os.fsync(file.fileno())  # so that little time is left between this look and the rename
            if read_source(path) != unchanged:
                raise SourceError("changed while it was migrated; not overwritten, run again")

    try:
        write_whole(path, fill, force=force)
    except OutputExistsError:
        return _failed(result, f"not written: {path} has come to be there")
    except OSError as error:
        return _failed(result, f"cannot be written: {error.strerror or error}")
    except SourceError as error:
        return _failed(result, str(error))
    return result


def _copy_mode(source: Path, file: BinaryIO) -> None:
    found = source.stat()
    if hasattr(os, "fchmod"):
        os.fchmod(file.fileno(), found.st_mode & 0o7777)
        with contextlib.suppress(OSError):  # only root may give files away
            os.fchown(file.fileno(), found.st_uid, found.st_gid)


def _check_targets(results: Sequence[FileResult], targets: Sequence[Path], *, force: bool) -> None:
    sources = {each.path.resolve() for each in results}
    seen: dict[Path, Path] = {}
    for result, path in zip(results, targets, strict=True):
        place = path.resolve()
        if place in sources:
            raise ArgumentError(f"{path} is one of the files to migrate; choose another folder.")
        if place in seen:
            raise ArgumentError(f"{seen[place]} and {result.path} would both become {path}.")
        seen[place] = result.path
        if place.parent.is_dir():
            check_output(path, force=force)


def _failed(result: FileResult, why: str) -> FileResult:
    return replace(result, outcome=FileOutcome.FAILED, error=why)
