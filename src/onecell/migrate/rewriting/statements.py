"""Rewrite statements, and say in front of them what stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.lines import rearranged
from onecell.migrate.meaning.syntax import code, elements, is_pure, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rewriting.comments import MARK, with_runs, with_todos
from onecell.migrate.rewriting.leavings import without_empty, without_empty_try
from onecell.migrate.rewriting.rebuild import Rebuilder
from onecell.migrate.rules.assumptions import Assumption, said
from onecell.migrate.rules.by_hand import by_hand
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families import cuda, special
from onecell.migrate.rules.families.modules import buffers, rates, renamed
from onecell.migrate.rules.families.tensors import augmented, changes, in_place
from onecell.migrate.rules.findings import Finding, Outcome
from onecell.migrate.rules.training import either_way
from onecell.migrate.rules.written import is_written
from onecell.migrate.source.positions import Positions
from onecell.text import short

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


_SHOWN: Final = cst.BaseExpression | cst.BaseSmallStatement
"""What is short enough to be shown before and after."""
_SCOPES: Final = cst.FunctionDef | cst.ClassDef | cst.Lambda


@dataclass(slots=True)
class Log:
    """What was found, and what has to be said in the source."""

    positions: Positions
    findings: list[Finding] = field(default_factory=list)
    todos: dict[cst.CSTNode, list[str]] = field(default_factory=dict)

    becoming: dict[cst.CSTNode, int] = field(default_factory=dict)
    """Node that becomes another → the place of what is said of it."""

    def became(self, node: cst.CSTNode, built: cst.CSTNode) -> None:
        """Note what a node has become that something is said of."""
        place = self.becoming.pop(node, None)
        if place is None or not isinstance(node, _SHOWN):
            return
        old, new = (" ".join(code(each).split()) for each in (node, built))
        new = "" if isinstance(built, cst.Pass) else new
        found = self.findings[place]
        if old != new or found.rule != "training_step":
            self.findings[place] = replace(found, before=short(old), after=short(new))

    def add(
        self,
        node: cst.CSTNode,
        rule: str,
        outcome: Outcome,
        message: str,
        by_hand: str = "",
        assumes: tuple[Assumption, ...] = (),
    ) -> None:
        """Note what became of `node`."""
        line, column = self.positions.start(node)
        if outcome in (Outcome.CONVERTED, Outcome.ASSUMED):
            self.becoming[node] = len(self.findings)
        self.findings.append(
            Finding(rule, outcome, line, column, message, by_hand, assumes=assumes)
        )


class StatementRewriter(Rebuilder):
    """What holds for statements; calls and names are `Rewriter`'s."""

    def __init__(self, ctx: Context, log: Log, module: cst.Module) -> None:
        super().__init__()
        self.ctx = ctx
        self.log = log
        self.module = module
        self.plans: dict[cst.CSTNode, Plan] = {}
        self.swaps: dict[cst.CSTNode, cst.BaseExpression] = {}
        self.items: dict[cst.CSTNode, changes.Retarget] = {}
        self.buffers: dict[cst.CSTNode, str] = {}
        self.removed: set[cst.CSTNode] = set()
        self.copied: set[cst.CSTNode] = set()
        self.devices: set[cst.CSTNode] = set()
        """Names of devices whose statements are among these."""
        self.made: dict[cst.CSTNode, cst.SimpleStatementLine | cst.BaseCompoundStatement] = {}
        self.steps: dict[cst.CSTNode, list[either_way.Step]] = {}

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

    # What is left as it is.

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

    # The training step.

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> None:
        self._find_steps(node)

    def visit_Module(self, node: cst.Module) -> None:
        self._find_steps(node)

    def _find_steps(self, block: cst.IndentedBlock | cst.Module) -> None:
        """Plan the training steps of a block, and mark what is like one but not the plain form."""
        found, unsure = either_way.find_steps(self.ctx, _statements(block))
        for call, why in unsure:
            self.ctx.gone.add(call)
            self._mark(call, "training_step", why)
        for step in found:
            for call in step.calls:
                self.ctx.forget(call)
                self._stepped(call, step.assumes.get(call, ()))
            self.steps.setdefault(block, []).append(step)
            self.ctx.lines.gone.update(step.emptied)

    def _stepped(self, call: cst.Call, assumes: tuple[Assumption, ...]) -> None:
        """Note what became of a call of a step, with what that takes for granted."""
        if assumes:
            message = said(assumes, self.ctx.to)
            self.log.add(call, "training_step", Outcome.ASSUMED, message, assumes=assumes)
        else:
            holds = self.ctx.holds.get(call, ())
            self._converted(call, "training_step", f"Rewritten for {self.ctx.to}.", holds)

    def _block(
        self, original: cst.IndentedBlock | cst.Module, updated: Sequence[cst.BaseStatement]
    ) -> tuple[list[cst.BaseStatement], list[cst.EmptyLine]]:
        """Return a block's statements, and the lines over the last of those that go."""
        before = _statements(original)
        now = with_runs(self.module, before, updated, self.log.todos)
        for step in reversed(self.steps.get(original, [])):  # so that places before it still hold
            before, now = step.write(before, now, self.ctx.lines)
        return rearranged(before, now, self.ctx.lines)

    # The skeleton of a class.

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        ctx = self.ctx
        owner = ctx.kinds.method_of(node)
        if (called := renamed.defined(ctx, node.name, owner)) is not None:
            self.swaps[node] = cst.Name(called)
            self._converted(node, "reserved", self._taken(node.name.value, called))
            return True
        if owner is None or node.name.value != ctx.kinds.step or not ctx.kinds.of_class(owner):
            return True
        new = special.STEP[ctx.to]
        if ctx.kinds.own(owner, new):
            self._refuse(
                node, "skeleton", Unsure(f"the class has a `{new}` already", "rename one of them")
            )
            return True
        self.swaps[node] = cst.Name(new)
        self._converted(node, "skeleton", f"`{node.name.value}` is `{new}`.")
        return True

    def _taken(self, old: str, new: str) -> str:
        return f"`{old}` is called `{new}`: modules of {self.ctx.to} have a `{old}` of their own."

    def _class_name(self, target: cst.Name) -> None:
        """Rename what a class's body assigns, and its reads there."""
        around = [u for u in upwards(target, self.ctx.names.parents) if isinstance(u, _SCOPES)]
        owner = around[0] if around else None
        if not isinstance(owner, cst.ClassDef):
            return
        new = renamed.defined(self.ctx, target, owner)
        if new is not None:
            for name in (target, *self.ctx.names.reads_of(target)):
                self.swaps[name] = cst.Name(new)
            self._converted(target, "reserved", self._taken(target.value, new))

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.BaseStatement:
        if (name := self.swaps.get(original_node)) is not None:
            updated_node = updated_node.with_changes(name=name)
        return updated_node

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        made = special.without_constructor(self.ctx, node)
        if made is not None:
            self.made[node] = cst.parse_statement(made)
            self._converted(node, "training", "A module begins in the mode of its framework.")

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.BaseStatement:
        made = self.made.get(original_node)
        block = updated_node.body
        if made is None or not isinstance(block, cst.IndentedBlock):
            return updated_node
        place = 1 if original_node.get_docstring() is not None else 0
        first = getattr(block.body[place], "leading_lines", ()) if place else ()
        made = made.with_changes(leading_lines=[cst.EmptyLine(indent=False)] if place else first)
        rest = list(block.body[place:])
        if rest and not any(e.comment is None for e in getattr(rest[0], "leading_lines", ())):
            over = getattr(rest[0], "leading_lines", ())
            rest[0] = rest[0].with_changes(leading_lines=[cst.EmptyLine(indent=False), *over])
        return updated_node.with_changes(
            body=block.with_changes(body=[*block.body[:place], made, *rest])
        )

    # Statements: what moves things between devices goes, and comments come.

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        mode = special.mode_to_state(self.ctx, node)
        if mode is not None:
            self.ctx.lines.followed[node] = cst.parse_statement(mode)
            self._converted(node, "training", "A module begins in the mode of its framework.")

    def visit_Assign(self, node: cst.Assign) -> bool:
        if special.is_device_only(self.ctx, node):
            self.ctx.forget(node.value)
            self.removed.add(node)
            self.devices.add(node.targets[0].target)
            self._converted(node, "device", "MindSpore has one device for the process.")
            return False
        if cuda.is_steering(self.ctx, node):
            self.ctx.forget(node)
            self.removed.add(node)
            self._converted(node, "cuda", "It steers CUDA alone.")
            return False
        if self._changes(node, lambda: in_place.check_item(self.ctx, node)):
            return False
        if len(node.targets) == 1 and (
            name := buffers.set_buffer(self.ctx, node.targets[0].target)
        ):
            self.buffers[node] = name
            self._converted(node, "buffer", "A buffer is set by registering it anew.")
        for target in node.targets:
            self._sets_item(target.target)
            if isinstance(target.target, cst.Name):
                self._class_name(target.target)
        return True

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if isinstance(node.target, cst.Name):
            self._class_name(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> bool:
        if isinstance(node.target, cst.Subscript) and rates.is_rate(self.ctx, node.target):
            self._converted(node, "rate", "A rate is kept as a parameter: its number is read.")
            return True
        if self._sets_item(node.target):
            return True
        if buffers.set_buffer(self.ctx, node.target) is not None:
            why = Unsure("MindSpore lets no buffer be set", "register it anew with the new numbers")
            return self._mark(node, "buffer", why)
        if (said := augmented.augmented(self.ctx, node)) is not None:
            self.copied.add(node)
            self._converted(node, "in_place", "What else holds the tensor sees the change.", [said])
            return True
        return not (
            self._changes(node, lambda: in_place.check_augmented(self.ctx, node))
            or self._changes(node, lambda: in_place.check_item(self.ctx, node))
        )

    def _changes(self, node: cst.CSTNode, check: Callable[[], None]) -> bool:
        """Whether a statement changes a tensor for others too; it is marked then."""
        try:
            check()
        except Unsure as why:
            self._mark(node, "in_place", why)
            return True
        return False

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        same = (
            updated_node.value is not original_node.value
            and len(updated_node.targets) == 1
            and all(is_pure(v) for v in elements(updated_node.value) or [updated_node.value])
            and code(updated_node.targets[0].target) == code(updated_node.value)
        )
        if original_node in self.removed or same:
            return self._gone(original_node)
        if (name := self.buffers.get(original_node)) is not None:
            return buffers.registering(name, updated_node.value)
        return updated_node

    def _sets_item(self, target: cst.BaseExpression) -> bool:
        """Plan the other spelling of an item of a parameter that is set."""
        other = changes.item_target(self.ctx, target)
        if other is not None:
            self.items[target] = other
            self._converted(target, "data_item", "An item of a parameter is set.")
        return other is not None

    def leave_AssignTarget(
        self, original_node: cst.AssignTarget, updated_node: cst.AssignTarget
    ) -> cst.AssignTarget:
        other = self.items.get(original_node.target)
        if other is None:
            return updated_node
        return updated_node.with_changes(target=other(updated_node.target))

    def leave_AugAssign(
        self, original_node: cst.AugAssign, updated_node: cst.AugAssign
    ) -> cst.BaseSmallStatement:
        target = original_node.target
        if original_node in self.copied:
            return augmented.copied(updated_node)
        if isinstance(target, cst.Subscript) and rates.is_rate(self.ctx, target):
            return rates.scaled(updated_node) or updated_node
        if (other := self.items.get(target)) is not None:
            return updated_node.with_changes(target=other(updated_node.target))
        return updated_node

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        if original_node.value not in self.plans:
            return updated_node
        match updated_node.value:
            case cst.Name() | cst.Attribute():
                return self._gone(original_node)
            case cst.NamedExpr(target=cst.Subscript() as item, value=value):  # made by a plan
                return cst.Assign([cst.AssignTarget(item)], value)
            case cst.NamedExpr(target=cst.Attribute() as listed, value=cst.List() as more):
                return cst.AugAssign(listed, cst.AddAssign(), more)
        return updated_node

    def _gone(self, node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
        """Leave a statement out, with its line if that has nothing else."""
        line = self.ctx.names.parents[node]
        assert isinstance(line, cst.SimpleStatementLine | cst.SimpleStatementSuite)  # noqa: S101
        self.ctx.lines.delete(node)
        if all(each in self.ctx.lines.gone for each in line.body):
            self.ctx.lines.delete(line)
        return cst.Pass()

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        gone = self.ctx.lines.gone
        if original_node in gone or not any(each in gone for each in original_node.body):
            return updated_node
        pairs = zip(original_node.body, updated_node.body, strict=True)
        left = [new for old, new in pairs if old not in gone]
        left[-1] = left[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(body=left)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If | cst.Else:
        around = self.ctx.names.parents.get(original_node)
        if original_node in self.log.todos:
            return updated_node
        built = without_empty(
            original_node, updated_node, self.ctx.lines, is_elif=isinstance(around, cst.If)
        )
        if original_node in self.ctx.lines.gone or original_node in self.ctx.lines.instead:
            self.ctx.forget(original_node.test)
        return built

    def leave_Try(self, original_node: cst.Try, updated_node: cst.Try) -> cst.Try:
        handlers = original_node.handlers
        if not any(each in self.log.todos for part in handlers for each in nodes(part)):
            without_empty_try(original_node, updated_node, self.ctx.lines)
            if {original_node} & (self.ctx.lines.gone | self.ctx.lines.instead.keys()):
                for part in handlers:
                    self.ctx.forget(part)
        return updated_node

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        body, left = self._block(original_node, updated_node.body)
        if not body:
            body, left = [cst.SimpleStatementLine([cst.Pass()], leading_lines=left)], []
        return updated_node.with_changes(body=body, footer=[*left, *updated_node.footer])

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        body, left = self._block(original_node, updated_node.body)
        return updated_node.with_changes(body=body, footer=[*left, *updated_node.footer])


def _statements(block: cst.IndentedBlock | cst.Module) -> list[cst.BaseStatement]:
    """Return the statements of a block, which LibCST's types allow to be something else."""
    return [line for line in block.body if isinstance(line, cst.BaseStatement)]
