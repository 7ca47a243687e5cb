"""Tell cheaply, before anything else is loaded, whether a module uses the cell."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from onecell.dialect import DIALECTS, Dialect
from onecell.migrate.rules.table.data import DATA_SYNONYMS

FUNCTIONAL: Final = {
    "torch": ("torch.lstm_cell",),
    "mindspore": ("mindspore.ops.LSTM", "mindspore.ops.BasicLSTMCell"),
}
"""Further spellings of the cell, as functions and operators."""


SYNONYMS: Final[Mapping[str, str]] = {
    **{
        f"torch.{other}": f"torch.{name}"
        for name, others in {
            "abs": "absolute",
            "acos": "arccos",
            "asin": "arcsin",
            "atan": "arctan",
            "atan2": "arctan2",
            "cat": "concat concatenate",
            "clamp": "clip",
            "div": "divide true_divide",
            "erf": "special.erf",
            "ge": "greater_equal",
            "gt": "greater",
            "le": "less_equal",
            "lt": "less",
            "movedim": "moveaxis",
            "mul": "multiply",
            "ne": "not_equal",
            "neg": "negative",
            "outer": "ger",
            "sigmoid": "special.expit",
            "sub": "subtract",
            "transpose": "swapaxes swapdims",
        }.items()
        for other in others.split()
    },
    **DATA_SYNONYMS,
    "torch.nn.parameter.Parameter": "torch.nn.Parameter",
    "torch.nn.modules.module.Module": "torch.nn.Module",
    "torch.nn.modules.rnn.LSTMCell": "torch.nn.LSTMCell",
    "torch.nn.modules.LSTMCell": "torch.nn.LSTMCell",
    "torch.optim.adam.Adam": "torch.optim.Adam",
    "torch.optim.adamw.AdamW": "torch.optim.AdamW",
    "torch.optim.sgd.SGD": "torch.optim.SGD",
    "mindspore.ops.concat": "mindspore.ops.cat",
    "mindspore.ops.operations.zeros": "mindspore.ops.zeros",
    "mindspore.nn.cell.Cell": "mindspore.nn.Cell",
    "mindspore.common.tensor.Tensor": "mindspore.Tensor",
    "mindspore.common.parameter.Parameter": "mindspore.Parameter",
    "mindspore.manual_seed": "mindspore.set_seed",
    **{
        f"mindspore.dtype.{name}": f"mindspore.{name}"
        for name in ("float16", "float32", "float64", "int32", "int64", "bool_")
    },
    **{
        f"mindspore.common.dtype.{name}": f"mindspore.{name}"
        for name in ("float16", "float32", "float64", "int32", "int64", "bool_")
    },
}
"""Another import path → the path in the table."""


def canonical(path: str) -> str:
    """Return the import path under which the table knows `path`."""
    return SYNONYMS.get(path, path)


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
    names, reads, bound = _looked_through(ast.parse(source))
    old, new = (cell_paths(DIALECTS[name]) for name in (other_framework(to), to))
    stars = {path for name, path in names if name == "*"}
    known: dict[str, set[str]] = {}
    for name, path in names:
        known.setdefault(name, set()).add(path)
    cell = any(canonical(path) in old for _, path in names)
    already = []
    for node in reads:
        found = set(_paths(node, known))
        if isinstance(node, ast.Name) and node.id not in known:
            found |= {f"{star}.{node.id}" for star in stars}
        if found & set(old):
            cell = True
        if found & set(new) and _first(node) not in bound:
            already.append((node.lineno, node.col_offset))
    return Uses(cell, tuple(sorted(already)))


def _looked_through(
    tree: ast.Module,
) -> tuple[list[tuple[str, str]], list[ast.Name | ast.Attribute], set[str]]:
    """Return the imports of a module, what it reads, and the names that it binds otherwise.

    An import is the name that it binds, "*" for all, and the path that this stands for.
    """
    imports: list[tuple[str, str]] = []
    reads: list[ast.Name | ast.Attribute] = []
    bound: set[str] = set()
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        match node:
            case ast.Name():
                reads.append(node)
                if isinstance(node.ctx, ast.Store):
                    bound.add(node.id)
                continue
            case ast.Attribute():
                reads.append(node)
                stack.append(node.value)
                continue
            case ast.arg():
                bound.add(node.arg)
            case ast.Import() | ast.ImportFrom():
                imports += _imported(node)
                continue
        # As `ast.iter_child_nodes`, which takes three times as long.
        for value in node.__dict__.values():
            if isinstance(value, ast.AST):
                stack.append(value)
            elif isinstance(value, list):
                stack += [part for part in value if isinstance(part, ast.AST)]
    return imports, reads, bound


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            first = alias.name.partition(".")[0]
            yield alias.asname or first, alias.name if alias.asname else first
    elif node.module and not node.level:
        for alias in node.names:
            path = node.module if alias.name == "*" else f"{node.module}.{alias.name}"
            yield alias.asname or alias.name, path


def _paths(node: ast.expr, known: dict[str, set[str]]) -> Iterator[str]:
    rest: list[str] = []
    while isinstance(node, ast.Attribute):
        rest.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        for path in known.get(node.id, ()):
            yield canonical(".".join([path, *reversed(rest)]))


def _first(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
