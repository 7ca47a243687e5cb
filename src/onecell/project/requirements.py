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
    *("*.Dockerfile", "*.dockerfile", "Containerfile*", "docker-compose*.y*ml", "compose*.y*ml"),
    *("requirements/*.txt", "requirements/*.in"),
)
"""Files that say what a project needs; `setup.py` is code and says it in quotes."""
COMMANDS: Final = ("*.sh", "*.bat", "*.ps1", "Makefile", "*.mk", ".github/workflows/*.y*ml")
"""Files of commands, of which those count that install something; notebooks have such too."""
_MOST: Final = 1 << 20
"""A file of more bytes than this lists no requirements."""
_NAME: Final = r"(?P<name>[A-Za-z][A-Za-z0-9._-]*)"
_PLAIN: Final = re.compile(rf"(?:^|[\s\"',=\[/:-]){_NAME}(?=$|[\s\"'<>=!~;:\[\],@\\])")
_INSTALLS: Final = re.compile(
    r"\b(?:pip3?|conda|mamba|micromamba|uv|poetry)\s+(?:install|add)\s(.*)"
)
_IN_A_NOTEBOOK: Final = re.compile(
    r'"\s*[!%]?\s*(?:[\w./-]+ -m )?(?:pip3?|conda|mamba|uv pip)\s+install\s([^"]*?)(?:\\n)?"'
)
_OWN_NAME: Final = re.compile(r"\s*name\s*[:=]")
"""The name of the project, or of its environment."""
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
        if _is_one_of(FILES, place):
            yield from _look(place, _PLAIN, framework)
        elif _is_one_of(COMMANDS, place):
            yield from _look(place, _PLAIN, framework, _INSTALLS)
    for place in sources:
        if place.path.name == "setup.py":
            yield from _look(place, _QUOTED, framework)
        elif place.path.suffix == ".ipynb":
            yield from _look(place, _PLAIN, framework, _IN_A_NOTEBOOK)


def _is_one_of(forms: Iterable[str], place: Place) -> bool:
    path = place.relative.as_posix()
    return any(
        fnmatch(path, f"*{form}") if "/" in form else fnmatch(place.path.name, form)
        for form in forms
    )


def _look(
    place: Place, form: re.Pattern[str], framework: str, within: re.Pattern[str] | None = None
) -> Iterator[Required]:
    """Look for names of `form`, of each line in what `within` finds there, else in all of it."""
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
        for part in _parts(line[:1000], within)
        for match in form.finditer(part)
        if belongs_to(_module(match["name"]), framework)
        # The end of a path is a repository or an image of that very name, or a folder of ours.
        if not match[0].startswith("/") or _module(match["name"]) == framework
    ]
    if found:
        yield Required(place.relative, tuple(dict.fromkeys(found)))


def _parts(line: str, within: re.Pattern[str] | None) -> Iterator[str]:
    """Yield what of a line may name packages."""
    if within is None:
        if not _OWN_NAME.match(line):
            yield line.partition("#")[0]
    else:
        yield from (match[1].partition("#")[0] for match in within.finditer(line))


def _module(package: str) -> str:
    """Return what a package is imported as; conda calls torch `pytorch`."""
    name = package.lower().replace("-", "_")
    return "torch" if name == "pytorch" else name
