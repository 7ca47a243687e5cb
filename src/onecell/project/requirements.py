"""What files of a project besides its code ask for: a requirement of the source framework.

`requirements.txt` goes along as it is, and a project that is ported but installs torch is not done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from operator import itemgetter
from pathlib import Path
from typing import Final

from onecell.project.find import Place

FILES: Final = (
    *("*requirements*.txt", "*requirements*.in", "constraints*.txt", "environment*.y*ml"),
    *("conda*.y*ml", "pyproject.toml", "setup.cfg", "Pipfile", "tox.ini", "Dockerfile*"),
    *("*.Dockerfile", "*.dockerfile", "Containerfile*", "docker-compose*.y*ml", "compose*.y*ml"),
    *("requirements/*.txt", "requirements/*.in", "meta.y*ml", "recipe.y*ml", "pixi.toml"),
    *("hatch.toml", "cog.y*ml", ".pre-commit-config.y*ml"),
)
"""Files that say what a project needs; `setup.py` is code and says it in quotes."""
LOCKS: Final = (
    *("poetry.lock", "uv.lock", "pdm.lock", "pixi.lock", "Pipfile.lock", "pylock*.toml"),
    *("conda-lock*.y*ml", "*.conda-lock*.y*ml"),
)
"""Files that say what is installed: each package has its name in them, once and more."""
COMMANDS: Final = (
    *("*.sh", "*.bat", "*.cmd", "*.ps1", "Makefile", "*.mk", "[jJ]ustfile", "Jenkinsfile*"),
    *(".github/workflows/*.y*ml", ".gitlab-ci.y*ml", ".travis.y*ml", "azure-pipelines*.y*ml"),
    ".circleci/*.y*ml",
)
"""Files of commands, of which those count that install something; notebooks have such too."""
_MOST: Final = 1 << 25
"""A file of more bytes than this lists no requirements."""
_NAME: Final = r"(?P<name>[A-Za-z][A-Za-z0-9._-]{0,99})"
"""Of a bounded length: a line of any length then costs what it weighs."""
_PLAIN: Final = re.compile(rf"(?:^|[\s\"',=\[/:-]){_NAME}(?=$|[\s\"'<>=!~;:\[\],@\\])")
_INSTALLS: Final = re.compile(
    r"\b(?:pip3?|conda|mamba|micromamba|uv|poetry)\s+(?:install|add)\s(.*)"
)
_IN_A_NOTEBOOK: Final = re.compile(
    r'(?:"|\\n)\s{0,40}[!%]?\s{0,4}(?:[\w./{}-]{1,200} -m )?(?:pip3?|conda|mamba|uv pip)'
    r'(?:\s+-[\w-]{1,40}){0,4}\s+install\s((?:[^"\\]|\\[^n])*)'
)
"""A line of a cell, each a string of its own or all in one."""
_OWN_NAME: Final = re.compile(r"\s*(?:\{%-?\s*set\s+)?name\s*[:=]")
"""The name of the project, or of its environment."""
_WHOLE: Final = re.compile(r"(.*)")
_ARCHIVES: Final = (".whl", ".gz", ".bz2", ".conda", ".zip", ".metadata")
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
        if _is_one_of(LOCKS, place):
            yield from _look(place, _PLAIN, framework, _WHOLE)
        elif _is_one_of(FILES, place):
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
        for part in _parts(line, within)
        for match in form.finditer(part)
        if belongs_to(_module(match["name"]), framework)
        # The end of a path is a repository or an image of that very name, or a folder of ours.
        if not match[0].startswith("/") or _module(match["name"]) == framework
    ]
    if found and within is _WHOLE:
        # A lock names a package wherever another one needs it, and its files beside it.
        first = {name: line for name, line in reversed(found) if not name.endswith(_ARCHIVES)}
        found = sorted(first.items(), key=itemgetter(1))
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
