"""Rewrite calls: what is called, what it is given, and what comes of imports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import libcst as cst

from onecell.migrate.meaning.names import dotted
from onecell.migrate.meaning.syntax import operand
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rewriting.comments import lost_between
from onecell.migrate.rewriting.renaming import AMBIGUOUS, FUNCTIONAL_CELL, NameRewriter
from onecell.migrate.rules.context import Context, Made
from onecell.migrate.rules.families import operators, registry, special
from onecell.migrate.rules.families.calls import plan_call
from onecell.migrate.rules.families.methods import plan_method
from onecell.migrate.rules.families.modules import (
    packed,
    renamed,
)
from onecell.migrate.rules.families.modules.cell_calls import plan_cell_call
from onecell.migrate.rules.table.candidates import advice, of_method
from onecell.migrate.rules.table.domain import SENTENCES
from onecell.migrate.rules.table.layers import CELL
from onecell.migrate.rules.table.lookup import CALLED_TENSOR, MADE_TENSOR
from onecell.migrate.rules.table.operator_index import by_path
from onecell.migrate.rules.table.scan import FUNCTIONAL, canonical
from onecell.migrate.rules.training import functional

_TIGHT: Final = (
    cst.Attribute
    | cst.Subscript
    | cst.Call
    | cst.BinaryOperation
    | cst.UnaryOperation
    | cst.Comparison
    | cst.Await
)
"""Where an operation needs parentheses that a call does without."""


class Rewriter(NameRewriter):
    """Decide on the way down, from the module as it was; build on the way up."""

    def visit_Module(self, node: cst.Module) -> None:
        for call in self.ctx.names.of_kind(cst.Call):
            if functional.is_made(self.ctx, call):
                self._kept_step(call)
        super().visit_Module(node)

    # Imports are settled afterwards; only a star is looked at here.

    def visit_Import(self, node: cst.Import) -> bool:
        del node
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        home = dotted(node.module) or ""
        if isinstance(node.names, cst.ImportStar) and self.ctx.is_foreign(home):
            by_hand = "name what the module uses"
            if self.ctx.names.called("LSTMCell") and not node.relative:
                self._refuse(node, "star_import", Unsure("it may bring the cell", by_hand))
            else:
                self._mark(node, "star_import", Unsure("it hides what is used", by_hand))
        for path, row in special.handed_on(self.ctx, self.module, node).items():
            why = Unsure(
                f"`{path}` is imported for other files, whose calls are not seen here",
                "let these import it themselves",
            )
            (self._refuse if row.rule == "cell" else self._mark)(node, row.rule, why)
        return False

    # Calls.

    def visit_Call(self, node: cst.Call) -> bool:  # noqa: PLR0912 - one question after another
        ctx, func = self.ctx, node.func
        if node in ctx.gone:
            return False
        if node in self.plans:
            return True
        if isinstance(func, cst.Call) and (made := operators.path_of(ctx, func.func)):
            return self._operator(node, func, made)
        if (said := renamed.text(ctx, node)) is not None:
            self.swaps[said] = renamed.anew(ctx, said)
            self._converted(
                node, "reserved", self._taken(said.raw_value, ctx.outside.renamed[said.raw_value])
            )
        if isinstance(func, cst.Attribute) and renamed.renamed(ctx, func) is not None:
            return True
        if functional.is_made(ctx, node):
            return True  # marked, before anything else
        path = ctx.names.path(func)
        if path is None and ctx.names_cell(func):
            return self._refuse(node, "cell", AMBIGUOUS)
        if path is not None and ctx.is_foreign(path):
            return self._call_of(node, canonical(path))
        if path == "functools.partial" and node.args:
            return self._try(node, lambda: special.plan_partial(ctx, node), "partial")
        inherited = special.inherited_constructor(ctx, node)
        if inherited is not None:
            row = CELL[ctx.target]
            return self._try(
                node, lambda: (row.rule, plan_call(ctx, node, row, func=False)), row.rule
            )
        if (lengths := packed.lengths_for(ctx, node)) is not None:
            self.plans[node] = partial(packed.with_lengths, ctx, lengths)
            self._converted(node, "packed", "The layer is given the lengths of its rows.")
            return True
        try:
            packed.check_lengths(ctx, node)
        except Unsure as why:
            return self._mark(node, "packed", why)
        held = special.cell_called(ctx, node)
        if held is not None:
            return self._try(node, lambda: _plan_held(ctx, node, held), "cell_call")
        if isinstance(func, cst.Attribute):
            return self._try(node, lambda: plan_method(ctx, node), "method")
        return True

    def _call_of(self, node: cst.Call, path: str) -> bool:
        ctx = self.ctx
        if path in FUNCTIONAL[ctx.source]:
            return self._refuse(node, "functional_cell", FUNCTIONAL_CELL)
        row = ctx.kinds.rows.get(path)
        if operators.takes_more(ctx, node, path):
            return self._operator(node, None, path)
        if row is MADE_TENSOR or (row is not None and row.rule == "tensor_type"):
            row = MADE_TENSOR if ctx.to == "torch" else CALLED_TENSOR
        if row is None:
            if ctx.to == "torch" and path in by_path():
                return self._operator(node, None, path)
            known = registry.of_path(ctx, path)
            if known is not None:
                make, rule = known.make, known.rule
                return self._try(node, lambda: (rule, make(ctx, node, path)), rule)
            if path.endswith(".__init__") and _is_module(ctx, path):
                return True  # `nn.Module.__init__(self)`; the name is rewritten as any other
            if special.wraps(ctx, node):
                return self._try(node, lambda: special.plan_wrap(ctx, node), "wrap")
            return self._unknown(node, path)
        if not row.side(ctx.source).is_callable:
            return True
        if ctx.spelled(node.func) is None and not row.is_interchangeable(ctx.source):
            return True  # a name of the module's own; what it was given is marked there
        chosen = row
        return self._try(
            node,
            lambda: (chosen.rule, plan_call(ctx, node, chosen)),
            row.rule,
            row.assumed,
        )

    def _kept_step(self, node: cst.Call) -> bool:
        """Write steps by a function that gives loss and gradients as torch does."""
        try:
            function, uses = functional.plan(self.ctx, node)
        except Unsure as why:
            return self._mark(node, "training_step", why)
        self.ctx.forget(node.func)
        place = next(i for i, arg in enumerate(node.args) if arg.value is function)
        for i, arg in enumerate(node.args):
            if i != place:
                self.ctx.forget(arg.value)
        self.plans[node] = lambda updated: updated.args[place].value
        self._converted(node, "training_step", "The function itself; `backward` follows its calls.")
        said = functional.apply(self.ctx, uses)
        for use in uses:
            assert isinstance(use.assign.value, cst.Call)  # noqa: S101 - as planned
            self.firsts[use.assign] = use.first
            self._converted(
                use.assign.value, "training_step", "Rewritten for torch.", said[use.assign.value]
            )
            self.plans[use.step] = lambda updated: updated.with_changes(
                func=cst.Attribute(updated.func, cst.Name("step")), args=[]
            )
            self._converted(use.step, "training_step", "The optimizer steps.")
        return True

    def _operator(self, node: cst.Call, made: cst.Call | None, path: str) -> bool:
        """Write what an operator or function without a row of both sides computes."""
        try:
            row, plan = operators.plan(self.ctx, node, made, path)
        except Unsure as unsure:
            if made is not None:
                self.ctx.gone.add(made)
            return self._mark(node, "operator", Unsure(unsure.message, operators.advised(path)))
        self.plans[node] = plan
        if made is not None:
            self.plans[made] = lambda updated: updated
        said = [*row.supposed, *(SENTENCES[feature] for feature in row.holds)]
        self._converted(node, "operator", f"Rewritten for {self.ctx.to}.", said)
        return True

    def _advised(self, node: cst.Call, why: Unsure) -> Unsure:
        """Return `why`, with the other side's name where there is no better advice."""
        if why.by_hand:
            return why
        path = canonical(self.ctx.names.path(node.func) or "")
        row = self.ctx.kinds.rows.get(path)
        if row is None and isinstance(node.func, cst.Attribute) and self.ctx.to == "mindspore":
            return Unsure(why.message, of_method(node.func.attr.value))
        if row is None or row.rule in ("cell", "training_step", "save", "load", "load_into"):
            return why
        return Unsure(why.message, advice(path, row.side(self.ctx.to).path))

    def _try(
        self,
        node: cst.Call,
        make: Callable[[], Made | None],
        rule: str,
        holds: tuple[str, ...] = (),
    ) -> bool:
        """Plan a call; where that is unsure, leave it as it is."""
        try:
            made = make()
        except Unsure as unsure:
            why = self._advised(node, unsure)
            about_cell = rule in ("cell", "cell_call", "wrap", "partial")
            return (self._refuse if about_cell else self._mark)(node, rule, why)
        if made is not None:
            name, self.plans[node], *supposed = made
            said = [*holds, *supposed, *self.ctx.holds.get(node, ())]
            self._converted(node, name, f"Rewritten for {self.ctx.to}.", said)
        return True

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        plan = self.plans.get(original_node)
        if plan is None:
            return updated_node
        built = plan(updated_node)
        if self.log.positions.has_inner_comments and (lost := lost_between(updated_node, built)):
            # What stood inside the call stands over its statement then.
            self.log.todos.setdefault(self._statement(original_node), []).extend(lost)
        if updated_node.lpar and not built.lpar:
            return built.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)
        around = self.ctx.names.parents.get(original_node)
        return operand(built) if isinstance(around, _TIGHT) else built

    # Names.


def _is_module(ctx: Context, path: str) -> bool:
    row = ctx.kinds.rows.get(path.removesuffix(".__init__"))
    return row is not None and row.rule == "module"


def _plan_held(ctx: Context, node: cst.Call, held: cst.BaseExpression) -> Made | None:
    """Return the plan of a call of a cell, also by its method."""
    plan = plan_cell_call(ctx, node, held)
    method = (
        plan_method(ctx, node)
        if isinstance(node.func, cst.Attribute) and held is not (node.func)
        else None
    )
    if method is None:
        return None if plan is None else ("cell_call", plan)
    if plan is None:
        return method

    def build(updated: cst.Call) -> cst.BaseExpression:
        renamed = method[1](updated)
        assert isinstance(renamed, cst.Call)  # noqa: S101 - a method renamed
        return plan(renamed)

    return "cell_call", build
