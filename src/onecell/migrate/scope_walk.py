"""Find the scopes of a module in one walk.

LibCST's own provider walks three times and keeps a scope for every node, which takes longer than
parsing; this one keeps what the rules ask for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, Final

import libcst as cst

from onecell.migrate.names import dotted, root
from onecell.migrate.scopes import Assignment, ImportAssignment, Kind, Scope
from onecell.migrate.syntax import children

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


class _Walk:
    """Go through a module in the order in which its names are bound."""

    def __init__(self) -> None:
        self.scopes = [Scope("module", None)]
        self.scope = self.scopes[0]
        self.reads: list[tuple[cst.CSTNode, tuple[str, ...], Scope, int]] = []
        self.is_hint = False
        """Whether a string here is a type in quotes."""

    def visit(self, node: cst.CSTNode) -> None:
        """Read what is read below `node`, and bind what is bound."""
        way = _WAYS.get(type(node))
        if way is not None:
            way(self, node)
            return
        for child in children(node):
            self.visit(child)

    def bind(self, target: cst.CSTNode) -> None:
        """Bind the names in the target of an assignment; what it goes through is read."""
        match target:
            case cst.Name():
                self.scope.bind(target.value, target)
            case cst.Tuple() | cst.List():
                for element in target.elements:
                    self.bind(element.value)
            case cst.StarredElement():
                self.bind(target.value)
            case _:
                self.visit(target)

    def inside(self, kind: Kind, parts: Callable[[], None]) -> None:
        """Go through `parts` in a new scope."""
        outside = self.scope
        self.scope = Scope(kind, outside)
        self.scopes.append(self.scope)
        parts()
        self.scope = outside

    def read(self, node: cst.CSTNode, chain: tuple[str, ...]) -> None:
        """Note that `node` reads `chain`, a name and attributes of it."""
        self.reads.append((node, chain, self.scope, self.scope.time))

    # Expressions.

    def name(self, node: cst.Name) -> None:
        self.read(node, (node.value,))

    def attribute(self, node: cst.Attribute) -> None:
        start = root(node)
        if not isinstance(start, cst.Name):
            self.visit(start)
            return
        rest: list[str] = []
        up: cst.BaseExpression = node
        while isinstance(up, cst.Attribute):
            rest.append(up.attr.value)
            up = up.value
        self.read(start, (start.value, *reversed(rest)))

    def call(self, node: cst.Call) -> None:
        self.visit(node.func)
        hints = _HINTING.get(self._typing(node.func), ())
        before = self.is_hint
        for place, arg in enumerate(node.args):
            self.is_hint = place in hints
            self.visit(arg.value)
        self.is_hint = before

    def subscript(self, node: cst.Subscript) -> None:
        self.visit(node.value)
        typing = self._typing(node.value)
        before = self.is_hint
        self.is_hint = (before or bool(typing)) and typing != "Literal"
        for element in node.slice:
            self.visit(element)
        self.is_hint = before

    def annotation(self, node: cst.Annotation) -> None:
        before, self.is_hint = self.is_hint, True
        self.visit(node.annotation)
        self.is_hint = before

    def string(self, node: cst.SimpleString | cst.ConcatenatedString) -> None:
        if not self.is_hint:
            for child in children(node):  # an f-string may be part of it
                self.visit(child)
            return
        value = node.evaluated_value
        try:
            tree = ast.parse(value, mode="eval") if isinstance(value, str) else None
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for chain in _chains(tree) if tree is not None else ():
            self.read(node, chain)

    def _typing(self, node: cst.BaseExpression) -> str:
        """Return what a name is called in `typing`, "" for what is not from there."""
        start = root(node)
        leaf = node.attr.value if isinstance(node, cst.Attribute) else ""
        for one in self.scope.lookup(start.value) if isinstance(start, cst.Name) else ():
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

    def comprehension(self, node: cst.BaseComp) -> None:
        loop = node.for_in
        self.visit(loop.iter)  # outside

        def parts() -> None:
            inner: cst.CompFor | None = loop
            while inner is not None:
                if inner is not loop:
                    self.visit(inner.iter)
                self.bind(inner.target)
                self.scope.time += 1
                for test in inner.ifs:
                    self.visit(test.test)
                inner = inner.inner_for_in
            made = (node.key, node.value) if isinstance(node, cst.DictComp) else (node.elt,)  # type: ignore[attr-defined]
            for part in made:
                self.visit(part)

        self.inside("comprehension", parts)

    def named(self, node: cst.NamedExpr) -> None:
        self.visit(node.value)
        inner = self.scope
        while inner.kind == "comprehension" and inner.parent is not None:
            inner = inner.parent
        if isinstance(node.target, cst.Name):
            inner.bind(node.target.value, node.target)
        inner.time += 1

    def function_inside(self, node: cst.Lambda) -> None:
        def parts() -> None:
            self.visit(node.params)
            self.scope.time += 1
            self.visit(node.body)

        self.inside("function", parts)

    def param(self, node: cst.Param) -> None:
        self.scope.bind(node.name.value, node)
        inner = self.scope
        assert inner.around is not None  # noqa: S101 - that of a function
        self.scope = inner.around
        for part in (node.default, node.annotation):
            if part is not None:
                self.visit(part)
        self.scope = inner

    # Statements.

    def keyword(self, node: cst.MatchKeywordElement) -> None:
        self.visit(node.pattern)

    def arg(self, node: cst.Arg) -> None:
        self.visit(node.value)

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


_TYPING: Final = ("typing", "typing_extensions")
_HINTING: Final = {"cast": (0,), "NewType": (1,), "TypeVar": range(1, 100)}
"""Functions of `typing` → which of their arguments are types."""


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


_WAYS: Final[dict[type, Callable[[_Walk, Any], None]]] = {
    cst.Name: _Walk.name,
    cst.Attribute: _Walk.attribute,
    cst.Call: _Walk.call,
    cst.Subscript: _Walk.subscript,
    cst.Annotation: _Walk.annotation,
    cst.SimpleString: _Walk.string,
    cst.ConcatenatedString: _Walk.string,
    cst.ListComp: _Walk.comprehension,
    cst.SetComp: _Walk.comprehension,
    cst.DictComp: _Walk.comprehension,
    cst.GeneratorExp: _Walk.comprehension,
    cst.NamedExpr: _Walk.named,
    cst.Lambda: _Walk.function_inside,
    cst.Param: _Walk.param,
    cst.Assign: _Walk.assign,
    cst.AnnAssign: _Walk.assign_one,
    cst.AugAssign: _Walk.assign_one,
    cst.For: _Walk.loop,
    cst.AsName: _Walk.as_name,
    cst.MatchKeywordElement: _Walk.keyword,
    cst.Arg: _Walk.arg,
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
"""Node → what binds or reads there; anything else is looked through."""
