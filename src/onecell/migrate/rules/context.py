"""What every rule may ask about the module it works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import libcst as cst

from onecell.migrate.meaning.bindings import Binding, bindings_of
from onecell.migrate.meaning.kinds import Kinds
from onecell.migrate.meaning.lines import Lines
from onecell.migrate.meaning.names import Names, root
from onecell.migrate.meaning.scopes import ImportAssignment
from onecell.migrate.meaning.syntax import children, code
from onecell.migrate.rules.arguments import equals
from onecell.migrate.rules.assumptions import Outside
from onecell.migrate.rules.spelling import Spelled, Speller
from onecell.migrate.rules.table.row import Row
from onecell.migrate.rules.table.scan import canonical
from onecell.migrate.rules.written import is_written

Plan = Callable[[cst.Call], cst.BaseExpression]
"""Builds what a call becomes from the call with its parts rewritten."""


Made = tuple[str, Plan] | tuple[str, Plan, str]
"""A rule and its plan; third what is supposed, where the file does not show it."""


@dataclass(frozen=True, slots=True)
class Context:
    """The module, its names, and where it is to go."""

    source: str
    to: str
    target: str
    names: Names
    kinds: Kinds[Row]
    speller: Speller
    cells: frozenset[str]
    """Import paths of the cell in the source's framework."""
    dropped: set[cst.CSTNode] = field(default_factory=set)
    """Names that were read by what the rewrite leaves out or replaces."""
    holds: dict[cst.CSTNode, list[str]] = field(default_factory=dict)
    """Call → what has to hold for it, that only its plan knows."""
    taken: dict[cst.CSTNode, tuple[int, bool]] = field(default_factory=dict)
    """Item or attribute of a pair → which part it is, and whether it has to be made int64."""
    written: dict[str, str] = field(default_factory=dict)
    """Functions of `written` that the rewritten module calls → how it calls them."""
    lines: Lines = field(default_factory=Lines)
    """What becomes of lines."""
    gone: set[cst.CSTNode] = field(default_factory=set)
    """What the rewrite leaves out; nothing is to be said about it."""
    pinned: frozenset[cst.CSTNode] = frozenset()
    """Names of devices that something still reads, as an earlier round has shown."""
    devices: set[cst.CSTNode] = field(default_factory=set)
    """Names of devices whose statements are left out."""
    finished: frozenset[cst.CSTNode] = frozenset()
    """What an earlier run has rewritten as far as it could, and marked."""
    outside: Outside = field(default_factory=Outside)
    keepers: list[tuple[str, ...]] = field(default_factory=list)
    """The answer of `keepers.keepers`, once it has been looked for."""

    def row(self, node: cst.CSTNode) -> Row | None:
        """Return the row of what `node` names, or None."""
        return self.kinds.row(node)

    def is_foreign(self, path: str) -> bool:
        """Whether an import path belongs to the framework that the module is leaving."""
        first = path.partition(".")[0]
        return first == self.source or path.startswith(f"onecell.{self.source}")

    def names_cell(self, node: cst.CSTNode) -> bool:
        """Whether `node` may stand for the cell's class or function."""
        return any(canonical(path) in self.cells for path in self.names.paths(node))

    def spelled(self, node: cst.BaseExpression) -> Spelled | None:
        """Return how the module spells `node`, None if not through an import it is leaving."""
        start = root(node)
        if not isinstance(start, cst.Name):
            return None
        path = self.names.path(node)
        for bound in self.names.assignments(start):
            if not isinstance(bound, ImportAssignment):
                continue
            statement = bound.node
            if not isinstance(statement, cst.Import | cst.ImportFrom):
                continue
            for binding in bindings_of(statement):
                if binding.name == start.value and self.is_foreign(binding.origin):
                    return Spelled(binding, path or binding.path)
        return None

    def write(self, function: str) -> cst.Name:
        """Return what a function of `written` is called here, and note that it is needed."""
        name = function
        own = {line.name.value for line in self.names.of_kind(cst.FunctionDef) if is_written(line)}
        while name in self.speller.taken and name not in own:
            name += "_"
        self.written[function] = name
        return cst.Name(name)

    def respell(self, node: cst.BaseExpression, row: Row) -> cst.BaseExpression | None:
        """Return `row`'s name on the other side; None for a name of the module's own."""
        like = self.spelled(node)
        if like is None:
            return None
        self.forget(node)
        return self.speller.spell(row.side(self.to).path, like)

    def forget(self, node: cst.CSTNode) -> None:
        """Note that `node` is left out or replaced, and nothing under it is read any more."""
        self.gone.add(node)
        stack = [node]
        while stack:
            found = stack.pop()
            if found in self.names.loads:
                self.dropped.add(found)
            stack.extend(children(found))

    def make(self, text: str) -> cst.BaseExpression:
        """Parse a value of the table, with the import path in it spelled for this module."""
        head, bracket, rest = text.partition("(")
        if not bracket or "." not in head:
            return cst.parse_expression(text)
        return cst.parse_expression(code(self.speller.spell(head)) + bracket + rest)

    def same(self, value: cst.BaseExpression, text: str) -> bool:
        """Whether `value` is this value of the table."""
        head, bracket, rest = text.partition("(")
        if bracket and isinstance(value, cst.Call):
            inner = code(value)[len(code(value.func)) :]
            return self.names.path(value.func) == head and inner == bracket + rest
        return equals(value, text)


def sources_of(names: Names, is_foreign: Callable[[str], bool]) -> tuple[Binding, ...]:
    """Return every import of the framework that the module is leaving, in no special order."""
    found: dict[Binding, None] = {}
    for bound in (b for bindings in names.loads.values() for b in bindings):
        if isinstance(bound, ImportAssignment) and isinstance(
            bound.node, cst.Import | cst.ImportFrom
        ):
            for binding in bindings_of(bound.node):
                if is_foreign(binding.origin):
                    found[binding] = None
    return tuple(sorted(found))
