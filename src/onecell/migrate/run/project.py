"""Which files of a project belong to those that use the cell, by what imports what."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from onecell.errors import SourceError
from onecell.migrate.meaning.survey import Survey, survey
from onecell.migrate.rules.findings import Finding

_SOURCE_FOLDERS: Final = ("src", "lib")


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement: `from ..module import names` has level 2."""

    module: str
    level: int
    names: tuple[str, ...] = ()


def imports(request: tuple[bytes, str]) -> tuple[Import, ...]:
    """Return what a file imports, wherever in it; nothing if it is not Python.

    This parses, so `pool` runs it in a child.
    """
    tree = _parsed(request)
    found: list[Import] = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            found += [Import(alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            found.append(Import(node.module or "", node.level, names))
    return tuple(found)


def classes(request: tuple[bytes, str]) -> Survey:
    """Return what a file says of its classes; nothing if it is not Python; in a child, too."""
    try:
        tree = _parsed(request)
        return Survey() if tree is None else survey(tree)
    except RecursionError:
        return Survey()


def _parsed(request: tuple[bytes, str]) -> ast.Module | None:
    data, name = request
    code: bytes | str = data
    try:
        if name.endswith(".ipynb"):
            from onecell.migrate.run.notebooks import parts_of  # noqa: PLC0415

            code, _ = parts_of(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SourceError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def edges(
    found: Mapping[Path, Iterable[Import]], roots: Sequence[Path]
) -> dict[Path, frozenset[Path]]:
    """Return which of the files each of them imports. All paths are absolute."""
    return {
        path: frozenset(_imported(path, each, found, roots)) - {path}
        for path, each in found.items()
    }


def belonging(
    seeds: Iterable[Path], speaks: Iterable[Path], graph: Mapping[Path, frozenset[Path]]
) -> frozenset[Path]:
    """Return the files that have to change along with `seeds`, these included.

    A file belongs if it names the framework and imports one that belongs, or is imported by one:
    a program that is half in one framework does not run. Files that do not name the framework
    never belong; they lead on only in the direction in which they were reached, so that a module
    that re-exports a model leads to whoever uses it, and one of plain settings, which everything
    imports, does not tie everything together.

    Args:
        seeds: the files that use the cell.
        speaks: the files that name its framework.
        graph: file → the files that it imports.
    """
    importers: dict[Path, set[Path]] = {}
    for path, targets in graph.items():
        for target in targets:
            importers.setdefault(target, set()).add(path)
    talkers = frozenset(speaks)
    reached: set[Path] = set(seeds)
    passed: set[tuple[Path, bool]] = set()
    todo = [(path, up) for path in reached for up in (True, False)]
    while todo:
        path, up = todo.pop()
        for near in importers.get(path, ()) if up else graph.get(path, ()):
            if near in talkers and near not in reached:
                reached.add(near)
                todo += [(near, True), (near, False)]
            elif near not in talkers and (near, up) not in passed:
                passed.add((near, up))
                todo.append((near, up))
    return frozenset(reached)


@dataclass(frozen=True, slots=True)
class Given:
    """Imports of a framework that a file has by the star of another file."""

    line: int
    """Where the star import ends."""
    imports: tuple[str, ...]

    def written_out(self, data: bytes) -> bytes:
        """Return the file with these imports below the star, a line each."""
        lines = data.splitlines(keepends=True)
        above = lines[self.line - 1]
        end = above[len(above.rstrip(b"\r\n")) :] or b"\n"
        if not above.endswith(end):
            lines[self.line - 1] = above + end
        lines[self.line : self.line] = [line.encode() + end for line in self.imports]
        return b"".join(lines)

    def placed_back(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return findings with the lines that they have in the file itself."""
        return tuple(
            replace(each, line=each.line - len(self.imports) * (each.line > self.line))
            for each in findings
        )


def by_stars(
    surveys: Mapping[Path, Survey], graph: Mapping[Path, frozenset[Path]], framework: str
) -> dict[Path, Given]:
    """Return what files have of `framework` by `from other import *` alone, or by several of them.

    Once the other file is rewritten, it has the other framework's names to give.
    """
    found: dict[Path, Given] = {}
    for path, one in surveys.items():
        if one.star is None or path.suffix == ".ipynb":
            continue
        imports: dict[str, str] = {}
        reached, todo = {path}, [path]
        while todo:
            for near in sorted(graph.get(todo.pop(), frozenset()) - reached):
                reached.add(near)
                if (other := surveys.get(near)) is None:
                    continue
                for name, line in other.gives:
                    home = line.split()[1].removeprefix("onecell.").partition(".")[0]
                    if name in one.unbound and home == framework:
                        imports.setdefault(name, line)
                if other.star is not None:
                    todo.append(near)
        if imports:
            found[path] = Given(one.star, tuple(imports.values()))
    return found


def _imported(
    path: Path, found: Iterable[Import], files: Mapping[Path, object], roots: Sequence[Path]
) -> Iterator[Path]:
    for each in found:
        module = tuple(each.module.split(".")) if each.module else ()
        for base in _bases(path, each.level, roots):
            targets = list(_targets(base, module, each.names, files))
            if targets:
                yield from targets
                break


def _bases(path: Path, level: int, roots: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders that an import may count from, likeliest first."""
    if level:
        yield path.parents[level - 1] if level <= len(path.parents) else path.parent
        return
    yield path.parent
    for root in roots:
        if root in path.parents:
            for folder in path.parent.parents:
                yield folder
                if folder == root.parent:
                    break
            for name in _SOURCE_FOLDERS:
                yield root / name


def _targets(
    base: Path, module: tuple[str, ...], names: tuple[str, ...], files: Mapping[Path, object]
) -> Iterator[Path]:
    """Yield the files that `from module import names` reads names from, if they are in `files`."""
    whole = _module_file(base, module, files)
    inner = [_module_file(base, (*module, name), files) for name in names]
    yield from (each for each in inner if each)
    if whole and (not names or None in inner):
        yield whole


def _module_file(base: Path, module: tuple[str, ...], files: Mapping[Path, object]) -> Path | None:
    if not module:
        candidates = [base / "__init__.py"]
    else:
        stem = base.joinpath(*module)
        candidates = [stem.with_name(stem.name + ".py"), stem / "__init__.py"]
    return next((each for each in candidates if each in files), None)
