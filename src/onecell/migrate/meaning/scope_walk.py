"""Find the scopes of a module in one walk.

LibCST's own provider walks three times and keeps a scope for every node, which takes longer than
parsing; this one keeps what the rules ask for.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from onecell.migrate.meaning.names import dotted
from onecell.migrate.meaning.scope_expressions import EXPRESSIONS, ExpressionWalk
from onecell.migrate.meaning.scopes import Assignment, ImportAssignment, Scope
from onecell.migrate.meaning.syntax import children

Loads = dict[cst.CSTNode, list[Assignment]]
"""Every name that is read → what may have bound it; nothing for a builtin."""


def scopes_of(module: cst.Module) -> tuple[list[Scope], Loads]:
    """Return the scopes of a module, its own first, and what every name in it may stand for.

    An annotation in quotes is the read of the names in it.
    """
    walk = _Walk()
    walk.visit(module)
    loads: Loads = {}
    for node, chain, scope, time in walk.reads:
        found: list[Assignment] = []
        # `import a.b` is read as `a.b`, everything else by its first name.
        for stop in range(len(chain), 0, -1):
            found = scope.seen(".".join(chain[:stop]), time)
            if found:
                break
        loads.setdefault(node, []).extend(found)
        for one in found:
            one.reads.append(node)
    return walk.scopes, loads


class _Walk(ExpressionWalk):
    """Go through the statements of a module."""

    def keyword(self, node: cst.MatchKeywordElement) -> None:
        self.visit(node.pattern)

    def assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self.bind(target.target)
        self.visit(node.value)
        self.scope.time += 1

    def assign_one(self, node: cst.AnnAssign | cst.AugAssign) -> None:
        self.bind(node.target)
        for part in (getattr(node, "annotation", None), node.value):
            if part is not None:
                self.visit(part)
        self.scope.time += 1

    def loop(self, node: cst.For) -> None:
        self.bind(node.target)
        self.scope.time += 1
        for part in (node.iter, node.body, node.orelse):
            if part is not None:
                self.visit(part)

    def as_name(self, node: cst.AsName) -> None:
        self.bind(node.name)
        self.scope.time += 1

    def captured(self, node: cst.MatchAs | cst.MatchStar | cst.MatchMapping) -> None:
        """Bind the name that a pattern captures."""
        name = node.rest if isinstance(node, cst.MatchMapping) else node.name
        if name is not None:
            self.scope.bind(name.value, name)
            self.scope.time += 1
        for child in children(node):
            if child is not name:
                self.visit(child)

    def imported(self, node: cst.Import | cst.ImportFrom) -> None:
        if isinstance(node.names, cst.ImportStar):
            return
        for alias in node.names:
            called = alias.asname.name if alias.asname is not None else alias.name
            parts = (dotted(called) or "").split(".")
            for stop in range(len(parts), 0, -1):
                self.scope.bind(".".join(parts[:stop]), node, ImportAssignment)
        self.scope.time += 1

    def sent(self, node: cst.Global | cst.Nonlocal) -> None:
        for item in node.names:
            self.scope.send(item.name.value, to_module=isinstance(node, cst.Global))

    def function(self, node: cst.FunctionDef) -> None:
        self.scope.bind(node.name.value, node)

        def parts() -> None:
            self.visit(node.params)
            self.scope.time += 1
            self.visit(node.body)

        self.with_parameters(node, lambda: self.inside("function", parts))
        for decorator in node.decorators:
            self.visit(decorator)
        if node.returns is not None:
            self.visit(node.returns)
        self.scope.time += 1

    def class_(self, node: cst.ClassDef) -> None:
        self.scope.bind(node.name.value, node)
        for decorator in node.decorators:
            self.visit(decorator)

        def parts() -> None:
            for arg in (*node.bases, *node.keywords):
                self.visit(arg.value)
            self.inside("class", lambda: self.visit(node.body))

        self.with_parameters(node, parts)
        self.scope.time += 1

    def with_parameters(
        self, node: cst.FunctionDef | cst.ClassDef, parts: Callable[[], None]
    ) -> None:
        """Go through `parts`, in a scope of the type parameters where there are any."""
        given = node.type_parameters
        if given is None:
            parts()
            return

        def inner() -> None:
            self.visit(given)
            parts()

        self.inside("parameters", inner)

    def type_parameter(self, node: cst.TypeVar | cst.TypeVarTuple | cst.ParamSpec) -> None:
        self.scope.bind(node.name.value, node)
        self.scope.time += 1
        if isinstance(node, cst.TypeVar) and node.bound is not None:
            self.visit(node.bound)

    def alias(self, node: cst.TypeAlias) -> None:
        self.scope.bind(node.name.value, node)

        def parts() -> None:
            if node.type_parameters is not None:
                self.visit(node.type_parameters)
            self.visit(node.value)

        self.inside("parameters", parts)
        self.scope.time += 1


_Walk.ways = {
    **EXPRESSIONS,
    cst.Assign: _Walk.assign,
    cst.AnnAssign: _Walk.assign_one,
    cst.AugAssign: _Walk.assign_one,
    cst.For: _Walk.loop,
    cst.AsName: _Walk.as_name,
    cst.MatchKeywordElement: _Walk.keyword,
    cst.MatchAs: _Walk.captured,
    cst.MatchStar: _Walk.captured,
    cst.MatchMapping: _Walk.captured,
    cst.Import: _Walk.imported,
    cst.ImportFrom: _Walk.imported,
    cst.Global: _Walk.sent,
    cst.Nonlocal: _Walk.sent,
    cst.FunctionDef: _Walk.function,
    cst.ClassDef: _Walk.class_,
    cst.TypeVar: _Walk.type_parameter,
    cst.TypeVarTuple: _Walk.type_parameter,
    cst.ParamSpec: _Walk.type_parameter,
    cst.TypeAlias: _Walk.alias,
}
