"""What expressions read and bind, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import libcst as cst

from onecell.migrate.meaning.names import root
from onecell.migrate.meaning.scope_hints import HINTING, chains_in, typing_name
from onecell.migrate.meaning.scopes import Kind, Scope
from onecell.migrate.meaning.syntax import children


class ExpressionWalk:
    """Go through code in the order in which its names are bound; `scope_walk` adds statements."""

    ways: ClassVar[Mapping[type, Callable[[Any, Any], None]]]
    """Node → what binds or reads there; anything else is looked through."""

    def __init__(self) -> None:
        self.scopes = [Scope("module", None)]
        self.scope = self.scopes[0]
        self.reads: list[tuple[cst.CSTNode, tuple[str, ...], Scope, int]] = []
        self.is_hint = False
        """Whether a string here is a type in quotes."""

    def visit(self, node: cst.CSTNode) -> None:
        """Read what is read below `node`, and bind what is bound."""
        way = self.ways.get(type(node))
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
        hints = HINTING.get(typing_name(self.scope, node.func), ())
        before = self.is_hint
        for place, arg in enumerate(node.args):
            self.is_hint = place in hints
            self.visit(arg.value)
        self.is_hint = before

    def subscript(self, node: cst.Subscript) -> None:
        self.visit(node.value)
        typing = typing_name(self.scope, node.value)
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
        for chain in chains_in(node):
            self.read(node, chain)

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

    def arg(self, node: cst.Arg) -> None:
        self.visit(node.value)


EXPRESSIONS: Mapping[type, Callable[[Any, Any], None]] = {
    cst.Name: ExpressionWalk.name,
    cst.Attribute: ExpressionWalk.attribute,
    cst.Call: ExpressionWalk.call,
    cst.Subscript: ExpressionWalk.subscript,
    cst.Annotation: ExpressionWalk.annotation,
    cst.SimpleString: ExpressionWalk.string,
    cst.ConcatenatedString: ExpressionWalk.string,
    cst.ListComp: ExpressionWalk.comprehension,
    cst.SetComp: ExpressionWalk.comprehension,
    cst.DictComp: ExpressionWalk.comprehension,
    cst.GeneratorExp: ExpressionWalk.comprehension,
    cst.NamedExpr: ExpressionWalk.named,
    cst.Lambda: ExpressionWalk.function_inside,
    cst.Param: ExpressionWalk.param,
    cst.Arg: ExpressionWalk.arg,
}
"""Expression → what it reads and binds."""
