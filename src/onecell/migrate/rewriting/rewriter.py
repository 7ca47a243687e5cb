"""Walk over one module and apply the rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, cast

import libcst as cst

from onecell.migrate.meaning.names import dotted, root
from onecell.migrate.meaning.syntax import code, operand
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rewriting.comments import lost_between
from onecell.migrate.rewriting.statements import StatementRewriter
from onecell.migrate.rules.context import Context, Made
from onecell.migrate.rules.families import file_names, registry, special
from onecell.migrate.rules.families.calls import plan_call
from onecell.migrate.rules.families.methods import plan_method
from onecell.migrate.rules.families.modules import (
    class_names,
    element_types,
    packed,
    renamed,
)
from onecell.migrate.rules.families.modules.cell_calls import plan_cell_call
from onecell.migrate.rules.families.tensors.indices import listed_ranges
from onecell.migrate.rules.families.tensors.pairs import part_of
from onecell.migrate.rules.table.candidates import advice, of_method
from onecell.migrate.rules.table.layers import CELL
from onecell.migrate.rules.table.lookup import CALLED_TENSOR, MADE_TENSOR
from onecell.migrate.rules.table.scan import FUNCTIONAL, canonical

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


class Rewriter(StatementRewriter):
    """Decide on the way down, from the module as it was; build on the way up."""

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

    def visit_Call(self, node: cst.Call) -> bool:
        ctx, func = self.ctx, node.func
        if node in ctx.gone:
            return False
        if (said := renamed.text(ctx, node)) is not None:
            self.swaps[said] = renamed.anew(ctx, said)
            self._converted(
                node, "reserved", self._taken(said.raw_value, ctx.outside.renamed[said.raw_value])
            )
        if isinstance(func, cst.Attribute) and renamed.renamed(ctx, func) is not None:
            return True
        path = ctx.names.path(func)
        if path is None and ctx.names_cell(func):
            return self._refuse(node, "cell", _AMBIGUOUS)
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
            return self._refuse(node, "functional_cell", _FUNCTIONAL)
        row = ctx.kinds.rows.get(path)
        if row is MADE_TENSOR or (row is not None and row.rule == "tensor_type"):
            row = MADE_TENSOR if ctx.to == "torch" else CALLED_TENSOR
        if row is None:
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

    def _unknown(self, node: cst.CSTNode, path: str) -> bool:
        why = Unsure(f"`{path}` is not in the table", advice(path, None))
        return self._mark(node, "unknown", why)

    def _has_row_above(self, path: str) -> bool:
        while "." in path:
            path = path.rpartition(".")[0]
            if path in self.ctx.kinds.rows:
                return True
        return False

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

    def _renamed(self, node: cst.Attribute) -> None:
        """Call an attribute anew whose name the other framework's modules have taken."""
        if (found := renamed.renamed(self.ctx, node)) is None:
            return
        new, sure = found
        old = node.attr.value
        if not sure and renamed.is_ambiguous(self.ctx, node):
            why = f"modules call `{old}` `{new}` in {self.ctx.to}, and other classes have it too"
            self._mark(node, "reserved", Unsure(why, f"write `{new}` if this is a module"))
            return
        self.swaps[node] = node.with_changes(attr=cst.Name(new))
        supposed = () if sure else (f"`{code(node.value)}` is a module of this project",)
        self._converted(node, "reserved", self._taken(old, new), supposed)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if node in self.ctx.gone:
            return False
        if node.attr.value in self.ctx.outside.renamed:
            self._renamed(node)
            if node in self.swaps:
                return True
        if root(node) in self.ctx.names.loads and self.ctx.names.paths(node) - {"?"}:
            return self._reference(node)
        return self._apply(node)

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        return self._apply(node)

    def leave_Subscript(
        self, original_node: cst.Subscript, updated_node: cst.Subscript
    ) -> cst.BaseExpression:
        part = part_of(self.ctx, original_node, updated_node.value)
        if part is not None:
            return part
        if original_node in self.changes:
            return self._other(original_node, updated_node)
        return listed_ranges(self.ctx, original_node, updated_node)

    def _other(self, node: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        """Return what a rule has made of an expression."""
        build = self.changes[node].build
        assert build is not None  # noqa: S101 - an expression does not go
        return cast("cst.BaseExpression", build(updated))

    def visit_Name(self, node: cst.Name) -> bool:
        is_read = node in self.ctx.names.loads and node not in self.ctx.gone
        if is_read and self.ctx.names.paths(node) - {"?"}:
            self._reference(node)
        return False

    def _reference(self, node: cst.Attribute | cst.Name) -> bool:
        ctx = self.ctx
        parent = ctx.names.parents.get(node)
        if isinstance(parent, cst.Call) and parent.func is node and parent in self.plans:
            return False  # the plan of the call spells it
        if ctx.spelled(node) is None:
            return isinstance(node, cst.Attribute)
        path = ctx.names.path(node)
        if path is None:
            if ctx.names_cell(node):
                return self._refuse(node, "cell", _AMBIGUOUS)
            return self._mark(node, "unknown", _AMBIGUOUS)
        if (stands := element_types.stood_for(ctx, node, path)) is not None:
            kind, supposed = stands
            ctx.forget(node)
            self.swaps[node] = ctx.speller.spell(f"mindspore.{kind}", ctx.spelled(node))
            said = f"`{code(node)}` stands for `mindspore.{kind}`."
            self._converted(node, "element_type", said, (supposed,) if supposed else ())
            return False
        row = ctx.row(node)
        if row is None:
            if canonical(path) in FUNCTIONAL[ctx.source]:
                return self._refuse(node, "functional_cell", _FUNCTIONAL)
            if self._has_row_above(canonical(path)):
                return True
            return self._unknown(node, canonical(path))
        if row.rule == "no_grad":
            return self._mark(
                node, "no_grad", Unsure("MindSpore's needs its parentheses", "call it")
            )
        if not row.is_interchangeable(ctx.source) and not special.is_type_context(ctx, node):
            return self._mark(
                node, row.rule, Unsure(f"calls of `{path}` elsewhere may need other arguments")
            )
        if (why := special.unfit_as_type(ctx, node, row)) is not None:
            return self._mark(node, row.rule, why)
        spelled = ctx.respell(node, row)
        if spelled is not None:
            self.swaps[node] = spelled
            message = f"`{code(node)}` is `{code(spelled)}`."
            self._converted(
                node,
                row.rule,
                message,
                row.assumed
                if row.side(ctx.source).is_callable and not special.is_type_context(ctx, node)
                else (),
            )
        return False

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        part = part_of(self.ctx, original_node, updated_node.value)
        if part is not None:
            return part
        if original_node in self.changes:
            return self._other(original_node, updated_node)
        found = self.swaps.get(original_node)
        if found is None:
            return updated_node
        if isinstance(found, cst.Attribute) and dotted(original_node) is None:
            return updated_node.with_changes(attr=found.attr)
        if isinstance(found, cst.Attribute) and code(found.value) == code(original_node.value):
            return updated_node.with_changes(attr=found.attr)
        return found.with_changes(lpar=original_node.lpar, rpar=original_node.rpar)

    def _tensor_name(self, node: cst.SimpleString | cst.FormattedString) -> bool:
        """Mark the name of a tensor, given as text, of which a part is called anew."""
        if (part := renamed.names_tensor(self.ctx, node)) is None:
            return False
        new = self.ctx.outside.renamed[part]
        said = f"`{part}` is called `{new}` in {self.ctx.to}, which has a `{part}` of its own"
        self._mark(node, "reserved", Unsure(said, f"a tensor's name has `{new}` in its place"))
        return True

    def visit_SimpleString(self, node: cst.SimpleString) -> bool:
        if node in self.swaps or self._tensor_name(node):
            return False
        if self._file_name(node):
            return False
        try:
            name = class_names.other_name(self.ctx, node)
        except Unsure as why:
            return self._mark(node, "class_name", why)
        if name is not None:
            text = str(node.evaluated_value)
            self.swaps[node] = node.with_changes(value=node.value.replace(text, name))
            self._converted(node, "class_name", f"The class `{text}` is called `{name}`.")
        return False

    def _file_name(self, node: cst.SimpleString | cst.FormattedString) -> bool:
        """Give a checkpoint's name the other framework's end."""
        other = file_names.other_name(self.ctx, node)
        if other is None:
            return False
        self.swaps[node] = other
        if not file_names.is_in_call(self.ctx, node):
            self._converted(node, "file_name", f"A checkpoint's name, `{code(other)}` there.")
        return True

    def visit_FormattedString(self, node: cst.FormattedString) -> None:
        self._tensor_name(node)
        self._file_name(node)

    def leave_FormattedString(
        self, original_node: cst.FormattedString, updated_node: cst.FormattedString
    ) -> cst.BaseExpression:
        other = self.swaps.get(original_node)
        if not isinstance(other, cst.FormattedString):
            return updated_node
        return updated_node.with_changes(parts=[*updated_node.parts[:-1], other.parts[-1]])

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.BaseExpression:
        return self.swaps.get(original_node, updated_node)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        found = self.swaps.get(original_node)
        if found is None:
            return updated_node
        return found.with_changes(lpar=original_node.lpar, rpar=original_node.rpar)


_AMBIGUOUS: Final = Unsure("the name may be something else here", "import it once, by one name")
_FUNCTIONAL: Final = Unsure(
    "the cell as a function has no counterpart", "make an LSTMCell and give it these weights"
)


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
