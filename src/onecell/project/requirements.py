"""What files of a project besides its code ask for: a requirement of the source framework.

`requirements.txt` goes along as it is, and a project that is ported but installs torch is not done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from onecell.project.find import Place

FILES: Final = (
    *("*requirements*.txt", "*requirements*.in", "constraints*.txt", "environment*.y*ml"),
    *("conda*.y*ml", "pyproject.toml", "setup.cfg", "Pipfile", "tox.ini", "Dockerfile*"),
)
"""Files that say what a project needs; `setup.py` is code and says it in quotes."""
_MOST: Final = 1 << 20
"""A file of more bytes than this lists no requirements."""
_NAME: Final = r"(?P<name>[A-Za-z][A-Za-z0-9._-]*)"
_PLAIN: Final = re.compile(rf"(?:^|[\s\"',=\[-]){_NAME}(?=$|[\s\"'<>=!~;\[\],@])")
_QUOTED: Final = re.compile(rf"[\"']{_NAME}(?=[\"'<>=!~;\[@ ])")


@dataclass(frozen=True, slots=True)
class Required:
    """A file that asks for the source framework, or for what runs on it alone."""

    relative: Path
    names: tuple[tuple[str, int], ...]
    """(package, line from 1)."""


def find_required(
    others: Iterable[Place], sources: Iterable[Place], framework: str
) -> Iterator[Required]:
    """Yield the files that ask for `framework`.

    Args:
        others: files that are no source and no checkpoint.
        sources: source files; of these `setup.py` is read.
        framework: of which nothing is to be left.
    """
    for place in others:
        if any(fnmatch(place.path.name, form) for form in FILES):
            yield from _look(place, _PLAIN, framework)
    for place in sources:
        if place.path.name == "setup.py":
            yield from _look(place, _QUOTED, framework)


def _look(place: Place, form: re.Pattern[str], framework: str) -> Iterator[Required]:
    from onecell.migrate.run.remains import belongs_to  # noqa: PLC0415 - checkpoints need it not

    try:
        with place.path.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError:
        return
    if len(data) > _MOST:
        return
    found = [
        (match["name"], number)
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1)
        for match in form.finditer(line.partition("#")[0][:1000])
        if belongs_to(_module(match["name"]), framework)
    ]
    if found:
        yield Required(place.relative, tuple(dict.fromkeys(found)))


def _module(package: str) -> str:
    """Return what a package is imported as; conda calls torch `pytorch`."""
    name = package.lower().replace("-", "_")
    return "torch" if name == "pytorch" else name
