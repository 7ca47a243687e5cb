"""Rewrite names, attributes and items, and texts that name something."""

from __future__ import annotations

from typing import Final, cast

import libcst as cst

from onecell.migrate.meaning.names import dotted, root
from onecell.migrate.meaning.syntax import code
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rewriting.statements import StatementRewriter
from onecell.migrate.rules.families import file_names, operators, special
from onecell.migrate.rules.families.modules import (
    class_names,
    element_types,
    renamed,
)
from onecell.migrate.rules.families.tensors.indices import listed_ranges
from onecell.migrate.rules.families.tensors.pairs import part_of
from onecell.migrate.rules.table.candidates import advice
from onecell.migrate.rules.table.scan import FUNCTIONAL, canonical

AMBIGUOUS: Final = Unsure("the name may be something else here", "import it once, by one name")
FUNCTIONAL_CELL: Final = Unsure(
    "the cell as a function has no counterpart", "make an LSTMCell and give it these weights"
)


class NameRewriter(StatementRewriter):
    """What holds for names; calls are `Rewriter`'s."""

    def _unknown(self, node: cst.CSTNode, path: str) -> bool:
        why = Unsure(f"`{path}` is not in the table", advice(path, None))
        return self._mark(node, "unknown", why)

    def _has_row_above(self, path: str) -> bool:
        while "." in path:
            path = path.rpartition(".")[0]
            if path in self.ctx.kinds.rows:
                return True
        return False

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
        other = self._other(original_node, updated_node)
        return listed_ranges(self.ctx, original_node, updated_node) if other is None else other

    def _other(
        self, node: cst.Attribute | cst.Subscript, updated: cst.Attribute | cst.Subscript
    ) -> cst.BaseExpression | None:
        """Return what a pair or a rule has made of an expression; None where neither has."""
        part = part_of(self.ctx, node, updated.value)
        if part is not None or node not in self.changes:
            return part
        build = self.changes[node].build
        assert build is not None  # noqa: S101 - an expression does not go
        return cast("cst.BaseExpression", build(updated))

    def visit_Name(self, node: cst.Name) -> bool:
        is_read = node in self.ctx.names.loads and node not in self.ctx.gone
        if is_read and self.ctx.names.paths(node) - {"?"}:
            self._reference(node)
        return False

    def _reference(self, node: cst.Attribute | cst.Name) -> bool:  # noqa: PLR0912 - in turn
        ctx = self.ctx
        parent = ctx.names.parents.get(node)
        if isinstance(parent, cst.Call) and parent.func is node and parent in self.plans:
            return False  # the plan of the call spells it
        if ctx.spelled(node) is None:
            return isinstance(node, cst.Attribute)
        path = ctx.names.path(node)
        if path is None:
            if ctx.names_cell(node):
                return self._refuse(node, "cell", AMBIGUOUS)
            return self._mark(node, "unknown", AMBIGUOUS)
        if (stands := element_types.stood_for(ctx, node, path)) is not None:
            kind, supposed = stands
            ctx.forget(node)
            self.swaps[node] = ctx.speller.spell(f"mindspore.{kind}", ctx.spelled(node))
            said = f"`{code(node)}` stands for `mindspore.{kind}`."
            self._converted(node, "element_type", said, (supposed,) if supposed else ())
            return False
        row = ctx.row(node)
        if row is None:
            if (name := operators.name_of(ctx, canonical(path))) is not None:
                ctx.forget(node)
                self.swaps[node] = ctx.speller.spell(name)
                self._converted(node, "operator", f"`{code(node)}` is `{name}`.")
                return False
            if canonical(path) in FUNCTIONAL[ctx.source]:
                return self._refuse(node, "functional_cell", FUNCTIONAL_CELL)
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
        other = self._other(original_node, updated_node)
        if other is not None:
            return other
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
            self._converted(node, "class_name", "A class's name.")
        return False

    def _file_name(self, node: cst.SimpleString | cst.FormattedString) -> bool:
        """Give a checkpoint's name the other framework's end."""
        other = file_names.other_name(self.ctx, node)
        if other is None:
            return False
        self.swaps[node] = other
        if not file_names.is_in_call(self.ctx, node):
            self._converted(node, "file_name", "A checkpoint's name.")
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
