"""Put the statements of blocks together again: what goes, what comes, what has to be said."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.lines import rearranged
from onecell.migrate.rewriting.applying import Applier
from onecell.migrate.rewriting.comments import with_runs
from onecell.migrate.rewriting.leavings import without_empty, without_empty_try
from onecell.migrate.rewriting.log import Log
from onecell.migrate.rules.assumptions import Assumption, said
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.findings import Outcome
from onecell.migrate.rules.training import either_way


class BlockRewriter(Applier):
    """What holds for blocks and the lines in them."""

    def __init__(self, ctx: Context, log: Log, module: cst.Module) -> None:
        super().__init__(ctx, log, module)
        self.steps: dict[cst.CSTNode, list[either_way.Step]] = {}

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
