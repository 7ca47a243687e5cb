"""Tell cheaply, before anything else is loaded, whether a module uses the cell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from onecell.dialect import DIALECTS, Dialect

FUNCTIONAL = {
    "torch": ("torch.lstm_cell",),
    "mindspore": ("mindspore.ops.LSTM", "mindspore.ops.BasicLSTMCell"),
}
"""Further spellings of the cell, as functions and operators."""


def other_framework(framework: str) -> str:
    """Return the framework that a rewrite to `framework` starts from."""
    (other,) = DIALECTS.keys() - {framework}
    return other


def cell_paths(row: Dialect) -> tuple[str, ...]:
    """Return the import paths of the cell in this framework, its functions included."""
    return (row.cell, row.onecell, *FUNCTIONAL[row.name])


def home_of(path: str) -> str:
    """Return the module of an import path."""
    return path.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Uses:
    """What a look at a module's names has shown."""

    cell: bool
    """It names the cell, by any way of import, or may do so through a star import."""
    already: tuple[tuple[int, int], ...]
    """Line and column of every name of the wanted framework's cell."""


def find_uses(source: str, to: str) -> Uses:
    """Return whether `source` names the cell of the framework that is not `to`.

    Scopes are not looked at, so a shadowed name counts here; the rules look again.
    """
    leaves = {path.rpartition(".")[2] for row in DIALECTS.values() for path in cell_paths(row)}
    if not any(leaf in source for leaf in leaves):
        return Uses(False, ())
    tree = ast.parse(source)
    names = _imports(tree)
    old, new = (cell_paths(DIALECTS[name]) for name in (other_framework(to), to))
    stars = {path for name, path in names if name == "*"}
    known: dict[str, set[str]] = {}
    for name, path in names:
        known.setdefault(name, set()).add(path)
    cell = any(path in old for _, path in names)
    already = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        found = set(_paths(node, known))
        if isinstance(node, ast.Name) and node.id not in known:
            found |= {f"{star}.{node.id}" for star in stars}
        if found & set(old):
            cell = True
        if found & set(new):
            already.append((node.lineno, node.col_offset))
    return Uses(cell, tuple(sorted(already)))


def _imports(tree: ast.Module) -> list[tuple[str, str]]:
    """Return every imported name, "*" for all, and the path it stands for."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found.append((alias.asname or first, alias.name if alias.asname else first))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                star = alias.name == "*"
                path = node.module if star else f"{node.module}.{alias.name}"
                found.append((alias.asname or alias.name, path))
    return found


def _paths(node: ast.expr, known: dict[str, set[str]]) -> Iterator[str]:
    rest: list[str] = []
    while isinstance(node, ast.Attribute):
        rest.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        for path in known.get(node.id, ()):
            yield ".".join([path, *reversed(rest)])
