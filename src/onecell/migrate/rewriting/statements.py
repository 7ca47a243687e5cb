"""Rewrite statements: the skeleton of classes, and what is assigned."""

from __future__ import annotations

from typing import Final, TypeVar, cast

import libcst as cst

from onecell.migrate.meaning.classes import STEP
from onecell.migrate.meaning.syntax import code, elements, is_pure, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rewriting.blocks import BlockRewriter
from onecell.migrate.rewriting.log import Log
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families import special, steering
from onecell.migrate.rules.families.modules import renamed

_Decorated = TypeVar("_Decorated", cst.FunctionDef, cst.ClassDef)
_SCOPES: Final = cst.FunctionDef | cst.ClassDef | cst.Lambda


class StatementRewriter(BlockRewriter):
    """What holds for statements; calls and names are `Rewriter`'s."""

    def __init__(self, ctx: Context, log: Log, module: cst.Module) -> None:
        super().__init__(ctx, log, module)
        self.firsts: dict[cst.CSTNode, cst.BaseExpression] = {}
        """Assignment of loss and gradients → what is left of its target."""
        self.made: dict[cst.CSTNode, cst.SimpleStatementLine | cst.BaseCompoundStatement] = {}

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
        new = STEP[ctx.to]
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
        return self._undecorated(original_node, updated_node)

    def visit_Decorator(self, node: cst.Decorator) -> bool:
        if not steering.is_compiling(self.ctx, node):
            return True
        self.ctx.forget(node.decorator)
        self.ctx.gone.add(node)
        self._converted(node.decorator, "steering", "torch runs the plain code.")
        return False

    def _undecorated(self, original: _Decorated, updated: _Decorated) -> _Decorated:
        """Return a function or class without the decorators that go."""
        pairs = list(zip(original.decorators, updated.decorators, strict=True))
        kept = [new for old, new in pairs if old not in self.ctx.gone]
        return updated if len(kept) == len(pairs) else updated.with_changes(decorators=kept)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        made = special.without_constructor(self.ctx, node)
        if made is not None:
            self.made[node] = cst.parse_statement(made)
            self._converted(node, "training", "A module begins in the mode of its framework.")

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.BaseStatement:
        made = self.made.get(original_node)
        updated_node = self._undecorated(original_node, updated_node)
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

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        mode = special.mode_to_state(self.ctx, node)
        if mode is not None:
            self.ctx.lines.followed[node] = cst.parse_statement(mode)
            self._converted(node, "training", "A module begins in the mode of its framework.")

    def visit_Assign(self, node: cst.Assign) -> bool:
        for target in node.targets:
            if isinstance(target.target, cst.Name):
                self._class_name(target.target)
        return self._apply(node)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if isinstance(node.target, cst.Name):
            self._class_name(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> bool:
        return self._apply(node)

    def leave_Assign(
        self, original_node: cst.Assign, updated_node: cst.Assign
    ) -> cst.BaseSmallStatement:
        if original_node in self.changes:
            return self._changed(original_node, updated_node)
        if (first := self.firsts.get(original_node)) is not None:
            only = updated_node.targets[0].with_changes(target=first)
            return updated_node.with_changes(targets=[only])
        same = (
            updated_node.value is not original_node.value
            and len(updated_node.targets) == 1
            and all(is_pure(v) for v in elements(updated_node.value) or [updated_node.value])
            and code(updated_node.targets[0].target) == code(updated_node.value)
        )
        return self._gone(original_node) if same else updated_node

    def leave_AugAssign(
        self, original_node: cst.AugAssign, updated_node: cst.AugAssign
    ) -> cst.BaseSmallStatement:
        return self._changed(original_node, updated_node)

    def _changed(
        self, node: cst.BaseSmallStatement, updated: cst.BaseSmallStatement
    ) -> cst.BaseSmallStatement:
        """Return what a rule has made of a statement, itself where none has."""
        change = self.changes.get(node)
        if change is None:
            return updated
        if change.build is None:
            return self._gone(node)
        return cast("cst.BaseSmallStatement", change.build(updated))

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
