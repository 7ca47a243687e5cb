"""Find the Python files and notebooks of a project: what a person would call its source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from onecell.errors import SourceError
from onecell.migrate.run.ignore import Ignored, around, exclude

SUFFIXES: Final = frozenset({".py", ".pyi", ".pyw", ".ipynb"})
_NEVER: Final = frozenset({"__pycache__", "node_modules", "__pypackages__"})


@dataclass(frozen=True, slots=True)
class Found:
    """A file to look at."""

    path: Path
    relative: Path
    """Its place under the folder that was asked for, with that folder's name if there were more."""
    root: Path | None
    """The folder that was asked for; None for a file that was named itself."""


@dataclass(slots=True)
class Walk:
    """The files below some paths, and what was passed over on the way."""

    found: list[Found] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def walk(paths: Sequence[Path], patterns: Sequence[str] = (), *, apart: Path | None = None) -> Walk:
    """Return the source files below `paths`, in order.

    A file that is named is taken, whatever it is called. Of a folder come `.py`, `.pyi`, `.pyw`
    and `.ipynb` files, but none that git ignores or `patterns` match, and nothing in hidden
    folders, virtual environments, `__pycache__` and the like, and no hidden files. Links to folders
    are not followed, so there are no loops; a link to a file is a file.

    Args:
        paths: files and folders, as the user names them.
        patterns: more to leave out, in the form of .gitignore, counted from each folder.
        apart: a folder that is left out too: where the results go.

    Raises:
        ArgumentError: a pattern is none.
    """
    out = Walk()
    folders = [path for path in paths if path.is_dir()]
    seen: set[Path] = set()
    apart = apart.resolve() if apart else None
    for path in dict.fromkeys(paths):
        if path not in folders:
            _add(out, Found(path, Path(path.name), None), seen)
            continue
        root = path.resolve()
        prefix = Path(root.name) if len(set(folders)) > 1 else Path()
        rules = (exclude(root, patterns), around(root))
        for place in _below(root, rules, out, apart, path):
            _add(out, Found(path / place, prefix / place, path), seen)
    return out


def _add(out: Walk, found: Found, seen: set[Path]) -> None:
    """Take a file, once only however often it is named."""
    whole = Path(os.path.abspath(found.path))  # noqa: PTH100 - links are not to be resolved
    if whole not in seen:
        seen.add(whole)
        out.found.append(found)


def _below(
    root: Path,
    rules: tuple[Ignored, Ignored],
    out: Walk,
    apart: Path | None,
    name: Path,
) -> Iterator[Path]:
    """Yield the places of the source files below `root`, seen from there."""
    excluded, _ = rules
    ignored = {root: rules[1].within(root)}

    def refuse(error: OSError) -> None:
        folder = Path(error.filename).relative_to(root)
        out.skipped.append((name / folder, f"cannot be read: {error.strerror}"))

    for here, folders, files in os.walk(root, onerror=refuse):
        folder = Path(here)
        git = ignored.pop(folder)
        kept = []
        for each in sorted(folders):
            path = folder / each
            if (
                _is_ours_to_skip(path, apart)
                or excluded(path, folder=True)
                or git(path, folder=True)
            ):
                continue
            if path.is_symlink():
                out.skipped.append((name / path.relative_to(root), "a link to a folder"))
                continue
            ignored[path] = git.within(path)
            kept.append(each)
        folders[:] = kept
        for each in sorted(files):
            path = folder / each
            if path.suffix not in SUFFIXES or each.startswith("."):
                continue
            if not (excluded(path, folder=False) or git(path, folder=False)):
                yield path.relative_to(root)


def _is_ours_to_skip(folder: Path, apart: Path | None) -> bool:
    return (
        folder.name.startswith(".")
        or folder.name in _NEVER
        or folder == apart
        or any((folder / each).exists() for each in ("pyvenv.cfg", "conda-meta"))
    )


def check_paths(paths: Sequence[Path]) -> None:
    """Raise `SourceError` unless there is something at each of the paths."""
    for path in paths:
        if not os.path.lexists(path):
            raise SourceError(f"there is nothing called {path}.")
