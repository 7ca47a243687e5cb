"""Which paths git would ignore, and which the user excludes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from onecell.errors import ArgumentError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Ignored:
    """Patterns in the form of .gitignore, each set with the folder that it speaks of."""

    levels: tuple[tuple[Path, GitIgnoreSpec], ...] = ()
    """Outermost first; an inner one has the last word, as in git."""

    def __call__(self, path: Path, *, folder: bool) -> bool:
        """Return whether `path` is ignored; its parents are not, or it would not be asked."""
        for base, spec in reversed(self.levels):
            name = path.relative_to(base).as_posix() + "/" * folder
            verdict = spec.check_file(name).include
            if verdict is not None:
                return verdict
        return False

    def within(self, folder: Path) -> Self:
        """Return these patterns and those of the folder's own .gitignore, if it has one."""
        spec = _read(folder / ".gitignore")
        return self if spec is None else type(self)((*self.levels, (folder, spec)))


def exclude(root: Path, patterns: Sequence[str]) -> Ignored:
    """Return the user's own patterns, which count from `root`.

    Raises:
        ArgumentError: one of them is not a pattern.
    """
    try:
        return Ignored(((root, _spec(patterns)),))
    except ValueError as error:
        raise ArgumentError(f"`exclude` must be patterns as in .gitignore: {error}") from None


def around(root: Path) -> Ignored:
    """Return the patterns that a repository around `root` has for it.

    None if `root` itself is ignored there: whoever names an ignored folder means it.
    """
    above = [root, *root.parents]
    inside = next((n for n, folder in enumerate(above) if (folder / ".git").exists()), 0)
    found = Ignored()
    if inside:
        spec = _read(above[inside] / ".git" / "info" / "exclude")
        found = Ignored(() if spec is None else ((above[inside], spec),))
    for folder, below in zip(above[inside:0:-1], above[inside - 1 :: -1], strict=False):
        found = found.within(folder)
        if found(below, folder=True):
            return Ignored()
    return found


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - a tool library

    return GitIgnoreSpec.from_lines(lines)


def _read(path: Path) -> GitIgnoreSpec | None:
    """Return what a file of patterns says; None if it is not there or cannot be understood."""
    try:
        if not path.is_file():
            return None
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        return _spec(lines)
    except (OSError, ValueError):
        return None
