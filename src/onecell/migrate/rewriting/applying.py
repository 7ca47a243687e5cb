"""Leave a node or convert it, and note what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rewriting.comments import MARK, with_todos
from onecell.migrate.rewriting.log import Log
from onecell.migrate.rewriting.rebuild import Rebuilder
from onecell.migrate.rules.by_hand import by_hand
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import Change, of_class
from onecell.migrate.rules.findings import Outcome
from onecell.migrate.rules.written import is_written

_STATEMENTS: Final = (
    cst.SimpleStatementLine
    | cst.FunctionDef
    | cst.ClassDef
    | cst.If
    | cst.For
    | cst.While
    | cst.With
    | cst.Try
    | cst.TryStar
    | cst.Match
)


class Applier(Rebuilder):
    """What every rewriter does: ask the rules about a node, and say what they made of it."""

    def __init__(self, ctx: Context, log: Log, module: cst.Module) -> None:
        super().__init__()
        self.ctx = ctx
        self.log = log
        self.module = module
        self.plans: dict[cst.CSTNode, Plan] = {}
        self.changes: dict[cst.CSTNode, Change] = {}
        self.swaps: dict[cst.CSTNode, cst.BaseExpression] = {}

    def passes(self, node: cst.CSTNode) -> bool:
        """Pass over what an earlier run has finished, or written."""
        if isinstance(node, cst.FunctionDef) and self.ctx.to == "mindspore" and is_written(node):
            return True
        return node in self.ctx.finished

    def left(self, node: cst.CSTNode, built: cst.CSTNode) -> cst.CSTNode:
        """Put the comments that are due in front of a statement."""
        self.log.became(node, built)
        if isinstance(node, cst.SimpleStatementLine) or not isinstance(built, cst.BaseStatement):
            return built  # lines are looked at by their block
        todos = self.log.todos.get(node)
        return built if todos is None else with_todos(self.module, node, built, todos)

    def _apply(self, node: cst.CSTNode) -> bool:
        """Ask the rules about a node's class; return whether to look below."""
        for each in of_class(type(node)):
            try:
                change = each.look(self.ctx, node)
            except Unsure as why:
                return self._mark(node, each.rule, why)
            if change is not None:
                self.changes[node] = change
                self._converted(node, each.rule, change.message, change.holds)
                return change.below
        return True

    def _leave(self, node: cst.CSTNode, rule: str, outcome: Outcome, why: Unsure) -> bool:
        """Leave `node` as it is, and say so in front of its statement."""
        advice = why.by_hand or by_hand(rule)
        self.log.add(node, rule, outcome, f"Left as it is: {why.message}.", advice)
        statement = self._statement(node)
        if statement in self.ctx.finished:
            return False  # it has its mark, perhaps for a reason that the first run has changed
        tail = f"; {why.by_hand}" if why.by_hand else ""
        lines = self.log.todos.setdefault(statement, [])
        text = f"{MARK}{rule}: {why.message}{tail}"
        if text not in lines:
            lines.append(text)
        return False

    def _statement(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return the statement that `node` is, or is part of."""
        if isinstance(node, _STATEMENTS):
            return node
        around = upwards(node, self.ctx.names.parents)
        return next(up for up in around if isinstance(up, _STATEMENTS))

    def _refuse(self, node: cst.CSTNode, rule: str, why: Unsure) -> bool:
        return self._leave(node, rule, Outcome.REFUSED, why)

    def _mark(self, node: cst.CSTNode, rule: str, why: Unsure) -> bool:
        return self._leave(node, rule, Outcome.MARKED, why)

    def _converted(
        self, node: cst.CSTNode, rule: str, message: str, holds: Sequence[str] = ()
    ) -> None:
        """Note that `node` is rewritten: exactly, or if what is said in `holds` does."""
        if not holds:
            self.log.add(node, rule, Outcome.CONVERTED, message)
            return
        said = f"{message.removesuffix('.')}; exact if {', and if '.join(holds)}."
        self.log.add(node, rule, Outcome.ASSUMED, said)
