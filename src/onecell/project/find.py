"""What a project holds besides source: its checkpoints, and the files that only go along."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onecell.checkpoint.files import PORTED as CHECKPOINTS
from onecell.checkpoint.formats.sharded import PART, TARRED, files_of, is_distributed, is_index
from onecell.errors import CheckpointError, SourceError

if TYPE_CHECKING:
    from onecell.migrate.run.ignore import Ignored

SOURCES: Final = frozenset([".py", ".pyi", ".pyw", ".ipynb"])
"""Suffixes of what the migrator reads; here too, so that checkpoints alone do not need it."""
NEVER: Final = frozenset(["__pycache__", "node_modules", "__pypackages__"])
"""Folders of things that were made or fetched, whatever else is in them."""
ENVIRONMENTS: Final = ("pyvenv.cfg", "conda-meta")
"""What makes a folder a virtual environment."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and where it goes."""

    path: Path
    relative: Path
    """Its place under the folder of the results."""


@dataclass(slots=True)
class Found:
    """What some paths are made of."""

    code: list[Path] = field(default_factory=list)
    """The paths that may hold source, as they were given."""
    checkpoints: list[Place] = field(default_factory=list)
    others: list[Place] = field(default_factory=list)


def is_project(paths: Sequence[Path]) -> bool:
    """Return whether `paths` are more than one checkpoint."""
    return len(paths) != 1 or _is_folder(paths[0]) or paths[0].suffix in SOURCES


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder that is no checkpoint itself."""
    return path.is_dir() and not is_distributed(path)


def _distributed(path: Path, relative: Path) -> Place:
    """Return the place of a checkpoint that is a folder, under a name that says so."""
    return Place(path, relative.with_name(relative.name + PART))


def find(paths: Sequence[Path], exclude: Sequence[str] = (), *, apart: Path | None = None) -> Found:
    """Sort out what is at and below `paths`.

    A file that is named is source if its suffix says so, else a checkpoint. Of a folder come the
    files with the suffix of a checkpoint, also where git ignores them as it usually does, and as
    `others` all files that git does not ignore. Nothing comes from hidden folders, virtual
    environments, `__pycache__` and the like; links to folders are not followed.

    Args:
        paths: files and folders.
        exclude: patterns as in .gitignore of what to leave out of folders.
        apart: a folder that is left out: where the results go.

    Raises:
        ArgumentError: there is nothing at a path.
    """
    found = Found()
    folders = [path for path in dict.fromkeys(paths) if _is_folder(path)]
    for path in dict.fromkeys(paths):
        if not os.path.lexists(path):
            raise SourceError(f"there is nothing called {path}.")
        if path in folders:
            found.code.append(path)
            prefix = Path(path.resolve().name) if len(folders) > 1 else Path()
            _sort_out(path, prefix, exclude, apart, found)
        elif path.suffix in SOURCES:
            found.code.append(path)
        elif path.is_dir():
            found.checkpoints.append(_distributed(path, Path(path.resolve().name)))
        else:
            found.checkpoints.append(Place(path, Path(path.name)))
    return found


def _sort_out(
    path: Path, prefix: Path, exclude: Sequence[str], apart: Path | None, found: Found
) -> None:
    """Add what is below one folder to `found`."""
    from onecell.migrate.run import ignore  # noqa: PLC0415 - it needs pathspec, an extra

    root, apart = path.resolve(), None if apart is None else apart.resolve()
    excluded = ignore.exclude(root, exclude)
    git: dict[Path, Ignored | None] = {root: ignore.around(root).within(root)}
    """Folder → what git ignores in it; None for a folder that it ignores whole."""
    for here, folders, files in os.walk(root):
        folder = Path(here)
        ignored = git.pop(folder)
        kept = []
        for name in sorted(folders):
            inner = folder / name
            if _is_skipped(inner, apart) or excluded(inner, folder=True):
                continue
            if is_distributed(inner):
                within = inner.relative_to(root)
                found.checkpoints.append(_distributed(path / within, prefix / within))
                continue
            kept.append(name)
            open_to_git = ignored is not None and not ignored(inner, folder=True)
            git[inner] = ignored.within(inner) if ignored is not None and open_to_git else None
        folders[:] = kept
        indexes = _indexes(folder, files)
        parts = {part for each in indexes.values() for part in each}
        for name in sorted(files):
            file = folder / name
            if file in parts:
                continue
            if name.startswith(".") or excluded(file, folder=False) or not file.is_file():
                continue
            place = Place(path / file.relative_to(root), prefix / file.relative_to(root))
            if file.suffix in CHECKPOINTS or file in indexes or _is_torchs(file):
                found.checkpoints.append(place)
            elif (
                file.suffix not in SOURCES
                and ignored is not None
                and not ignored(file, folder=False)
            ):
                found.others.append(place)


def _indexes(folder: Path, files: Sequence[str]) -> dict[Path, list[Path]]:
    """Return the indexes of checkpoints in several files that lie in a folder, with these files."""
    found = {}
    for index in (folder / name for name in files):
        if is_index(index):
            try:
                found[index] = files_of(index)[1:]
            except (CheckpointError, OSError):
                continue  # another file that is called so, or one that names no files beside it
    return found


def _is_torchs(file: Path) -> bool:
    """Whether a file is torch's whatever it is called; one of another format goes along."""
    if file.suffix in SOURCES:
        return False
    if file.name.endswith(TARRED):
        return True
    try:
        with file.open("rb") as opened:
            if opened.read(4) != b"PK\x03\x04":
                return False
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
    return any(n.count("/") == 1 and n.endswith("/data.pkl") for n in names) and not any(
        n.endswith("/constants.pkl") for n in names
    )


def _is_skipped(folder: Path, apart: Path | None) -> bool:
    return (
        folder.name.startswith(".")
        or folder.name in NEVER
        or folder == apart
        or folder.is_symlink()
        or any((folder / each).exists() for each in ENVIRONMENTS)
    )
