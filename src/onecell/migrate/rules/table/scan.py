"""Tell cheaply, before anything else is loaded, whether a module uses the cell."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from onecell.dialect import FRONT_ENDS, Dialect
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
    "mindspore.common.Tensor": "mindspore.Tensor",
    "mindspore.common.Parameter": "mindspore.Parameter",
    "mindspore.common.set_seed": "mindspore.set_seed",
    "mindspore.common.parameter.ParameterTuple": "mindspore.ParameterTuple",
    "mindspore.ops.Pack": "mindspore.ops.Stack",
    "mindspore.ops.TensorAdd": "mindspore.ops.Add",
    "mindspore.ops.GatherV2": "mindspore.ops.Gather",
    "mindspore.ops.tensor_add": "mindspore.ops.add",
    "mindspore.ops.tensor_sub": "mindspore.ops.sub",
    "mindspore.ops.tensor_mul": "mindspore.ops.mul",
    "mindspore.ops.tensor_div": "mindspore.ops.div",
}
"""Another import path → the path in the table."""


_HOMES: Final = {
    "mindspore.ops.operations.": "mindspore.ops.",
    "mindspore.ops.functional.": "mindspore.ops.",
    "mindspore.ops.composite.": "mindspore.ops.",
    "mindspore.common.dtype.": "mindspore.",
    "mindspore.dtype.": "mindspore.",
    "mindspore.nn.layer.": "mindspore.nn.",
    "mindspore.nn.optim.": "mindspore.nn.",
    "mindspore.nn.loss.": "mindspore.nn.",
    "mindspore.context.": "mindspore.",
    "mindspore.train.serialization.": "mindspore.",
    "mindspore.train.model.": "mindspore.",
}
"""Modules whose names MindSpore has at another place as well."""


def canonical(path: str) -> str:
    """Return the import path under which the table knows `path`."""
    if path.startswith("mindspore."):
        for home, other in _HOMES.items():
            if path.startswith(home) and "." not in path[len(home) :]:
                path = other + path[len(home) :]
    return SYNONYMS.get(path, path)


def also_called(path: str) -> tuple[str, ...]:
    """Return the other import paths of what the table knows by `path`."""
    home, _, name = path.rpartition(".")
    homes = [one for one, other in _HOMES.items() if other == f"{home}."]
    return tuple(f"{one}{name}" for one in homes if f"{one}{name}" not in SYNONYMS)


def other_framework(framework: str) -> str:
    """Return the framework that a rewrite to `framework` starts from."""
    (other,) = FRONT_ENDS.keys() - {framework}
    return other


def cell_paths(row: Dialect) -> tuple[str, ...]:
    """Return the import paths of the cell in this framework, its functions included."""
    return (row.cell, row.onecell, *FUNCTIONAL[row.name])


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
    leaves = {path.rpartition(".")[2] for row in FRONT_ENDS.values() for path in cell_paths(row)}
    if not any(leaf in source for leaf in leaves):
        return Uses(False, ())
    names, reads, bound = _looked_through(ast.parse(source))
    old, new = (cell_paths(FRONT_ENDS[name]) for name in (other_framework(to), to))
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
