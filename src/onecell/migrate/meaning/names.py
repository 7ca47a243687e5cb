"""What the names in a module stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import libcst as cst

from onecell.migrate.meaning.scopes import Assignment, ImportAssignment, Scope

_Node = TypeVar("_Node", bound=cst.CSTNode)
_DEPTH = 20
"""How many names may be named after each other before we stop following."""


def dotted(node: cst.BaseExpression | None) -> str | None:
    """Return `a.b.c` for a chain of attributes over a name, and None for anything else."""
    rest: list[str] = []
    while isinstance(node, cst.Attribute):
        rest.append(node.attr.value)
        node = node.value
    return ".".join([node.value, *reversed(rest)]) if isinstance(node, cst.Name) else None


def root(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return the leftmost expression of a chain of attributes."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def imported(alias: cst.ImportAlias, statement: cst.Import | cst.ImportFrom) -> tuple[str, str]:
    """Return the name that an import binds and the path it stands for."""
    name = dotted(alias.name) or ""
    asname = alias.asname.name.value if alias.asname is not None else None  # type: ignore[union-attr]
    if isinstance(statement, cst.ImportFrom):
        home = "." * len(statement.relative) + (dotted(statement.module) or "")
        return asname or name, f"{home}.{name}"
    return (asname, name) if asname else (name.partition(".")[0],) * 2


@dataclass(slots=True)
class Names:
    """Resolve expressions through imports, scopes and plain aliases."""

    loads: dict[cst.CSTNode, list[Assignment]]
    """Every name that is read → what may have bound it."""
    parents: dict[cst.CSTNode, cst.CSTNode]
    scopes: Sequence[Scope] = ()
    _cache: dict[cst.CSTNode, frozenset[str]] = field(default_factory=dict)
    _kinds: dict[type, list[cst.CSTNode]] = field(default_factory=dict)
    _called: dict[str, list[cst.Name]] = field(default_factory=dict)
    _readers: dict[cst.CSTNode, list[cst.CSTNode]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.parents:
            self._kinds.setdefault(type(node), []).append(node)
        for name in self.of_kind(cst.Name):
            self._called.setdefault(name.value, []).append(name)
        for read, bindings in self.loads.items():
            for node in {binding.node for binding in bindings}:
                self._readers.setdefault(node, []).append(read)

    def of_kind(self, kind: type[_Node]) -> list[_Node]:
        """Return every node of a class, but not of those that derive from it."""
        return self._kinds.get(kind, [])  # type: ignore[return-value]  # as filed

    def called(self, name: str) -> list[cst.Name]:
        """Return every `Name` node of that text: reads, targets, attributes, keywords."""
        return self._called.get(name, [])

    def paths(self, node: cst.CSTNode) -> frozenset[str]:
        """Return every import path that `node` may stand for.

        A name that may also be something of this module's own has "?" among its paths; None, as in
        `except ImportError: torch = None`, does not count as something.
        """
        if node not in self._cache:
            self._cache[node] = frozenset(self._find(node, _DEPTH))
        return self._cache[node]

    def path(self, node: cst.CSTNode) -> str | None:
        """Return the one import path that `node` stands for, or None."""
        found = self.paths(node)
        only = next(iter(found)) if len(found) == 1 else None
        return None if only == "?" else only

    def assignments(self, name: cst.Name) -> list[Assignment]:
        """Return what binds `name` where it is read."""
        return self.loads.get(name, [])

    def reads_of(self, target: cst.CSTNode) -> list[cst.CSTNode]:
        """Return the names that read what `target` binds."""
        return self._readers.get(target, [])

    def value_of(self, target: cst.CSTNode) -> cst.BaseExpression | None:
        """Return the value of `target = value`, or None where `target` is bound otherwise."""
        parent = self.parents.get(target)
        if isinstance(parent, cst.AssignTarget):
            statement = self.parents[parent]
            return statement.value if isinstance(statement, cst.Assign) else None
        if isinstance(parent, cst.AnnAssign) and parent.target is target:
            return parent.value
        return None

    def part_of(self, target: cst.CSTNode) -> cst.BaseExpression | None:
        """Do as `value_of`, also for one of the targets of `a, b = x, y`."""
        parent = self.parents.get(target)
        if not isinstance(parent, cst.Element):
            return self.value_of(target)
        pair = self.parents[parent]
        whole = self.part_of(pair)
        if not isinstance(pair, cst.Tuple | cst.List) or not isinstance(
            whole, cst.Tuple | cst.List
        ):
            return None
        same = len(pair.elements) == len(whole.elements)
        return whole.elements[list(pair.elements).index(parent)].value if same else None

    def _find(self, node: cst.CSTNode, depth: int) -> Iterator[str]:
        start = root(node) if isinstance(node, cst.Attribute) else node
        if not isinstance(start, cst.Name) or depth == 0:
            return
        full = dotted(node)  # type: ignore[arg-type]
        assert full is not None  # noqa: S101 - a chain over a name
        rest = full[len(start.value) :]
        for binding in self.assignments(start):
            if isinstance(binding, ImportAssignment):
                for found in self._imported(binding):
                    yield found + rest
                continue
            value = self.value_of(binding.node)
            if isinstance(value, cst.Name) and value.value == "None":
                continue
            found_any = False
            if isinstance(value, cst.Name | cst.Attribute) and root(value) is not start:
                for found in self._find(value, depth - 1):
                    found_any = True
                    yield found + rest if found != "?" else found
            if not found_any:
                yield "?"

    def _imported(self, binding: ImportAssignment) -> Iterator[str]:
        statement = binding.node
        if not isinstance(statement, cst.Import | cst.ImportFrom):
            return
        if isinstance(statement.names, cst.ImportStar):
            return
        for alias in statement.names:
            name, path = imported(alias, statement)
            if name == binding.name.partition(".")[0]:
                yield path
