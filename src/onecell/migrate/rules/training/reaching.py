"""Which calls surely reach a result, going through the lines before it from the last to the first.

Only what runs whichever way the program goes counts, and only lines whose meaning is plain; of
anything else nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.names import root
from onecell.migrate.meaning.scopes import Assignment
from onecell.migrate.meaning.syntax import children, elements
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.training.cuts import gives_no_gradient, is_cut, is_gradless


class Unclear(Exception):  # noqa: N818 - no error: it says that nothing can be claimed
    """The lines are not plain enough."""


@dataclass(slots=True)
class Reach:
    """One walk from a result backwards."""

    ctx: Context
    live: set[str] = field(default_factory=set)
    """Names that reach the result from here on."""
    reaching: dict[cst.BaseExpression, frozenset[int] | None] = field(default_factory=dict)
    """Expressions that reach it; of one that is unpacked, which places of it do."""

    def calls(
        self, statements: Sequence[cst.BaseStatement], result: str
    ) -> Iterator[tuple[cst.Call, frozenset[int] | None]]:
        """Yield the calls that reach the name `result`, and which parts of what they give."""
        self.live = {result}
        self._block(statements)
        for value, places in self.reaching.items():
            if isinstance(value, cst.Call):
                yield value, places
            elif isinstance(value, cst.Subscript) and isinstance(value.value, cst.Call):
                yield value.value, _index(value)
            for node in _straight(self.ctx, value):
                if isinstance(node, cst.Call) and node is not value:
                    up = self.ctx.names.parents.get(node)
                    indexed = isinstance(up, cst.Subscript) and up.value is node
                    yield node, _index(up) if indexed else None  # type: ignore[arg-type]

    def attributes(
        self, statements: Sequence[cst.BaseStatement], values: Iterable[cst.BaseExpression]
    ) -> set[str]:
        """Return the attributes of `self` that reach one of `values`."""
        for value in values:
            self._reads(value, None)
        self._block(statements)
        parents = self.ctx.names.parents
        found: set[str] = set()
        for value in self.reaching:
            for node in _straight(self.ctx, value):
                if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name):
                    continue
                up = parents.get(node)
                part = isinstance(up, cst.Subscript | cst.Attribute) and up.value is node
                if node.value.value == "self" and not part:
                    found.add(node.attr.value)
        return found

    def _reads(self, value: cst.BaseExpression, places: frozenset[int] | None) -> None:
        before = self.reaching.get(value, frozenset())
        both = None if before is None or places is None else before | places
        self.reaching[value] = both
        self.live |= {n.value for n in _straight(self.ctx, value) if isinstance(n, cst.Name)}

    def _block(self, statements: Sequence[cst.BaseStatement]) -> None:
        for statement in reversed(statements):
            match statement:
                case cst.SimpleStatementLine():
                    for small in reversed(statement.body):
                        self._small(small)
                case cst.For(orelse=None):
                    self._loop(statement)
                case cst.If():
                    self._branch(statement)
                case _:
                    raise Unclear

    def _loop(self, node: cst.For) -> None:
        body = [line for line in node.body.body if isinstance(line, cst.BaseStatement)]
        if not isinstance(node.body, cst.IndentedBlock) or any(
            isinstance(each, cst.Break | cst.Continue) for each in nodes(node.body)
        ):
            raise Unclear
        after, before = set(self.live), None
        while before != self.live:
            before = set(self.live)
            self.live = after | before  # what one turn leaves, the next may read
            self._block(body)
        targets = {n.value for n in nodes(node.target) if isinstance(n, cst.Name)}
        if targets & self.live:
            self._reads(node.iter, None)

    def _branch(self, node: cst.If) -> None:
        """Pass over a branch that only gives names a value of their own, such as a first state."""
        for each in nodes(node):
            if isinstance(each, cst.Name) and each.value == "self":
                raise Unclear
            if isinstance(each, cst.Name) and each not in self.ctx.names.loads:
                known = {bound.node for one in self._same(each) for bound in one}
                if any(not isinstance(k, cst.Param) and k is not each for k in known):
                    raise Unclear
            if isinstance(each, cst.Call) and not gives_no_gradient(self.ctx, each):
                raise Unclear

    def _same(self, name: cst.Name) -> Iterator[list[Assignment]]:
        for scope in self.ctx.names.scopes:
            bound = scope.bound.get(name.value, [])
            if any(one.node is name for one in bound):
                yield bound

    def _small(self, node: cst.BaseSmallStatement) -> None:
        match node:
            case cst.Assign():
                for target in node.targets:
                    self._assign(target.target, node.value)
            case cst.AnnAssign():
                if node.value is not None:
                    self._assign(node.target, node.value)
            case cst.AugAssign():
                if isinstance(node.target, cst.Name) and node.target.value in self.live:
                    self._reads(node.value, None)
                elif not isinstance(node.target, cst.Name):
                    raise Unclear
            case cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Name() as held))):
                if held.value in self.live and isinstance(node.value, cst.Call):
                    for arg in node.value.args:
                        self._reads(arg.value, None)
            case cst.Expr() | cst.Assert() | cst.Pass():
                pass
            case _:
                raise Unclear

    def _assign(self, target: cst.BaseExpression, value: cst.BaseExpression) -> None:
        parts = elements(target)
        if parts is None:
            start = root(target.value if isinstance(target, cst.Subscript) else target)
            if not isinstance(start, cst.Name):
                raise Unclear
            if start.value in self.live:
                if target is start:
                    self.live.discard(start.value)
                self._reads(value, None)
            return
        if not all(isinstance(part, cst.Name) for part in parts):
            raise Unclear
        names = [part.value for part in parts if isinstance(part, cst.Name)]
        wanted = frozenset(n for n, name in enumerate(names) if name in self.live)
        if not wanted:
            return
        self.live -= set(names)
        values = elements(value)
        if values is not None and len(values) == len(names):
            for place in wanted:
                self._reads(values[place], None)
        else:
            self._reads(value, wanted)


def _straight(ctx: Context, value: cst.BaseExpression) -> Iterator[cst.CSTNode]:
    """Yield the nodes of an expression that are evaluated, whichever way it goes.

    Raises:
        Unclear: not all of it is, or what it gives has no gradient.
    """
    if is_gradless(ctx, value) or is_cut(ctx, value):
        raise Unclear
    stack: list[cst.CSTNode] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.IfExp | cst.BooleanOperation | cst.Lambda | cst.NamedExpr):
            raise Unclear
        if isinstance(node, cst.Call) and gives_no_gradient(ctx, node):
            continue
        if isinstance(node, cst.Comparison):
            continue
        yield node
        if isinstance(node, cst.Subscript):
            stack.append(node.value)
            continue
        stack.extend(children(node))


def _index(node: cst.CSTNode) -> frozenset[int] | None:
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1:
        return None
    index = node.slice[0].slice
    value = index.value if isinstance(index, cst.Index) else None
    return frozenset({int(value.value)}) if isinstance(value, cst.Integer) else None
