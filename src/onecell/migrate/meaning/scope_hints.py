"""Types that are written in quotes: which strings are read as code, and what that reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import libcst as cst

from onecell.migrate.meaning.names import dotted, root
from onecell.migrate.meaning.scopes import Scope

_TYPING: Final = ("typing", "typing_extensions")
HINTING: Final = {"cast": (0,), "NewType": (1,), "TypeVar": range(1, 100)}
"""Functions of `typing` → which of their arguments are types."""


def typing_name(scope: Scope, node: cst.BaseExpression) -> str:
    """Return what a name is called in `typing`, "" for what is not from there."""
    start = root(node)
    leaf = node.attr.value if isinstance(node, cst.Attribute) else ""
    for one in scope.lookup(start.value) if isinstance(start, cst.Name) else ():
        statement = one.node
        if isinstance(statement, cst.Import) and leaf:
            homes = (dotted(alias.name) for alias in statement.names)
            if any(home in _TYPING for home in homes):
                return leaf
        if isinstance(statement, cst.ImportFrom) and not leaf:
            if isinstance(statement.names, cst.ImportStar) or statement.module is None:
                continue
            if dotted(statement.module) not in _TYPING:
                continue
            for alias in statement.names:
                called = alias.asname.name if alias.asname is not None else alias.name
                if isinstance(called, cst.Name) and called.value == one.name:
                    return dotted(alias.name) or ""
    return ""


def chains_in(text: cst.SimpleString | cst.ConcatenatedString) -> Iterator[tuple[str, ...]]:
    """Yield what a type in quotes reads; nothing of a string that is no expression."""
    value = text.evaluated_value
    try:
        tree = ast.parse(value, mode="eval") if isinstance(value, str) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if tree is not None:
        yield from _chains(tree)


def _chains(tree: ast.expr | ast.Expression) -> Iterator[tuple[str, ...]]:
    """Yield the names in an annotation, each with the attributes that are read of it."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        rest: list[str] = []
        up = node
        while isinstance(up, ast.Attribute):
            rest.append(up.attr)
            up = up.value
        if isinstance(up, ast.Name):
            yield (up.id, *reversed(rest))
        else:
            stack.extend(ast.iter_child_nodes(up))
