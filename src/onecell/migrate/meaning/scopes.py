"""What a module binds, and which of that a read of a name may see.

A read sees every binding of its name in the nearest scope that has one. In its own scope these are
the ones of earlier statements: which of them runs last is for the caller to think about.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import libcst as cst

Kind = Literal["module", "function", "class", "comprehension", "parameters"]


class Assignment:
    """One place that binds a name."""

    __slots__ = ("name", "node", "reads", "scope", "time")

    def __init__(self, name: str, scope: Scope, node: cst.CSTNode, time: int) -> None:
        self.name = name
        self.scope = scope
        self.node = node
        """The name, the parameter, the definition or the whole import."""
        self.time = time
        self.reads: list[cst.CSTNode] = []
        """What may read it."""


class ImportAssignment(Assignment):
    """An import that binds a name; of `import a.b` both `a` and `a.b`."""

    __slots__ = ()


class Scope:
    """What one module, function, class or comprehension binds."""

    __slots__ = ("around", "bound", "elsewhere", "kind", "time")

    def __init__(self, kind: Kind, parent: Scope | None) -> None:
        self.kind = kind
        self.around = parent
        self.bound: dict[str, list[Assignment]] = {}
        self.elsewhere: dict[str, Scope] = {}
        """Names that `global` and `nonlocal` have sent to another scope."""
        self.time = 0
        """How many statements have bound something so far."""

    @property
    def assignments(self) -> Iterator[Assignment]:
        """Yield everything that is bound here."""
        for bindings in self.bound.values():
            yield from bindings

    @property
    def parent(self) -> Scope | None:
        """Return the scope around this one whose names can be read here; None for the module."""
        up = self.around
        while up is not None and up.kind == "class" and self.kind != "parameters":
            up = up.around
        return up

    def lookup(self, name: str) -> list[Assignment]:
        """Return what binds `name` in the nearest scope that does; nothing for a builtin."""
        scope: Scope | None = self
        while scope is not None:
            scope = scope.elsewhere.get(name, scope)
            if name in scope.bound:
                return scope.bound[name]
            scope = scope.parent
        return []

    def send(self, name: str, *, to_module: bool) -> None:
        """Have `name` mean that of the module, or that of the function around."""
        target = self.parent
        while to_module and target is not None and target.parent is not None:
            target = target.parent
        if target is not None:
            self.elsewhere[name] = target

    def bind(self, name: str, node: cst.CSTNode, of: type[Assignment] = Assignment) -> None:
        """Note that `node` binds `name` here, or where the name was sent."""
        home = self
        while name in home.elsewhere:
            home = home.elsewhere[name]
        home.bound.setdefault(name, []).append(of(name, home, node, home.time))

    def seen(self, name: str, time: int) -> list[Assignment]:
        """Return what a read of `name` at `time` in this scope may see."""
        found = self.lookup(name)
        before = [one for one in found if one.scope is not self or one.time < time]
        if before or not found or self.parent is None:
            return before
        return self.parent.lookup(name)
