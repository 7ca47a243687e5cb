"""What statements bind and read, in the order in which they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from onecell.migrate.meaning.names import Names, root
from onecell.migrate.meaning.scopes import ImportAssignment
from onecell.migrate.meaning.syntax import children
from onecell.migrate.meaning.unsure import Unsure

_WORDS = {
    cst.Return: "return",
    cst.Import: "import",
    cst.ImportFrom: "import",
    cst.Global: "global",
    cst.Nonlocal: "nonlocal",
    cst.Del: "del",
    cst.Break: "break",
    cst.Continue: "continue",
    cst.Await: "await",
    cst.Yield: "yield",
    cst.NamedExpr: ":=",
    cst.FunctionDef: "def",
    cst.ClassDef: "class",
    cst.Try: "try",
    cst.TryStar: "try",
    cst.Match: "match",
}
"""What has another meaning, or a flow of its own, once it stands in a function."""


def nodes(root_node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield a node and all below it, less layout, in no special order."""
    stack = [root_node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node))


@dataclass(slots=True)
class Flow:
    """Names of a block, gathered statement by statement with `run`."""

    names: Names
    bound: dict[str, list[cst.Name]] = field(default_factory=dict)
    """Name → where it is bound."""
    stored: set[str] = field(default_factory=set)
    """Names of what has an attribute or an item replaced."""
    read: set[str] = field(default_factory=set)
    sure: set[str] = field(default_factory=set)
    """Bound, whichever way the statements go."""
    likely: set[str] = field(default_factory=set)
    """Bound, if every loop runs at least once."""
    asked: set[str] = field(default_factory=set)
    """Read where it is not sure to be bound."""
    missed: set[str] = field(default_factory=set)
    """Read where it is not even likely to be bound."""

    @classmethod
    def of(cls, names: Names, statements: Iterable[cst.BaseStatement]) -> Flow:
        """Return the flow through `statements`.

        Raises:
            Unsure: one of them could not stand in a function of its own.
        """
        flow = cls(names)
        flow.run(statements)
        return flow

    def run(self, statements: Iterable[cst.BaseStatement]) -> None:
        """Go through `statements`; raises `Unsure` as `of` does."""
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: cst.BaseStatement) -> None:
        match node:
            case cst.SimpleStatementLine():
                for small in node.body:
                    self._small(small)
            case cst.If():
                self._reads(node.test)
                self._branches([node.body, node.orelse])
            case cst.Else():
                self._block(node.body)
            case cst.While():
                self._reads(node.test)
                self._branches([node.body, node.orelse])
            case cst.For():
                self._reads(node.iter)
                before = set(self.sure)
                self._bind(node.target)
                self._block(node.body)
                self.sure = before
                if node.orelse is not None:
                    self._block(node.orelse.body)
            case cst.With():
                for item in node.items:
                    self._reads(item.item)
                    if item.asname is not None:
                        self._bind(item.asname.name)
                self._block(node.body)
            case _:
                raise _odd(node)

    def _branches(self, ways: Sequence[cst.CSTNode | None]) -> None:
        """Go several ways, of which one is taken; None is the way past."""
        before, hoped = set(self.sure), set(self.likely)
        ends: list[tuple[set[str], set[str]]] = []
        for way in ways:
            self.sure, self.likely = set(before), set(hoped)
            if isinstance(way, cst.BaseSuite):
                self._block(way)
            elif isinstance(way, cst.BaseStatement | cst.Else):
                self._statement(way)  # type: ignore[arg-type]  # `else` is a statement to us
            ends.append((self.sure, self.likely))
        self.sure = set.intersection(*(sure for sure, _ in ends))
        self.likely = set.intersection(*(likely for _, likely in ends))

    def _block(self, suite: cst.BaseSuite) -> None:
        if isinstance(suite, cst.IndentedBlock):
            self.run(suite.body)
        elif isinstance(suite, cst.SimpleStatementSuite):
            for small in suite.body:
                self._small(small)

    def _small(self, node: cst.BaseSmallStatement) -> None:
        match node:
            case cst.Assign():
                self._reads(node.value)
                for target in node.targets:
                    self._bind(target.target)
            case cst.AugAssign():
                self._reads(node.value)
                if isinstance(node.target, cst.Name):
                    self._note(node.target.value)
                self._bind(node.target)
            case cst.AnnAssign():
                if node.value is not None:
                    self._reads(node.value)
                    self._bind(node.target)
            case cst.Expr() | cst.Assert() | cst.Raise() | cst.Pass():
                self._reads(node)
            case _:
                raise _odd(node)

    def _bind(self, target: cst.BaseExpression) -> None:
        match target:
            case cst.Name():
                self.bound.setdefault(target.value, []).append(target)
                self.sure.add(target.value)
                self.likely.add(target.value)
            case cst.Tuple() | cst.List():
                for element in target.elements:
                    self._bind(element.value)
            case _:
                self._reads(target)
                held = target.value if isinstance(target, cst.Subscript) else target
                start = root(held)
                if isinstance(start, cst.Name):
                    self.stored.add(start.value)

    def _reads(self, expression: cst.CSTNode) -> None:
        for node in nodes(expression):
            if type(node) in _WORDS:
                raise _odd(node)
            if isinstance(node, cst.Name) and node in self.names.loads and not self.is_inner(node):
                self._note(node.value)

    def _note(self, name: str) -> None:
        self.read.add(name)
        if name not in self.sure:
            self.asked.add(name)
        if name not in self.likely:
            self.missed.add(name)

    def is_inner(self, name: cst.Name) -> bool:
        """Whether a name is bound by the comprehension or lambda that it stands in."""
        found = self.names.assignments(name)
        return bool(found) and all(
            not isinstance(one, ImportAssignment)
            and (
                one.scope.kind == "comprehension"
                or (
                    isinstance(one.node, cst.Param)
                    and isinstance(self._function(one.node), cst.Lambda)
                )
            )
            for one in found
        )

    def _function(self, param: cst.Param) -> cst.CSTNode | None:
        parameters = self.names.parents.get(param)
        return self.names.parents.get(parameters) if parameters is not None else None


def _odd(node: cst.CSTNode) -> Unsure:
    word = _WORDS.get(type(node), type(node).__name__)
    return Unsure(f"`{word}` stands among what computes the loss")
