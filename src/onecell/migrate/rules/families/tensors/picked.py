"""Sums of what a mask picks: of nothing, MindSpore's sum over all is unwritten memory."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import code, literal
from onecell.migrate.rules.context import Context

_RULES = ("sum", "mean")


def supposed(ctx: Context, node: cst.Call, name: str, value: cst.BaseExpression) -> str | None:
    """Return what has to hold for a sum or mean over all of `value`, None for anything else."""
    axes = [arg for arg in node.args if arg.value is not value]
    if ctx.to != "mindspore" or name not in _RULES or axes or not _is_picked(ctx, value):
        return None
    shown = " ".join(code(value).split())
    return f"`{shown}` is not empty (MindSpore's {name} of nothing is unwritten memory)"


def _is_picked(ctx: Context, value: cst.BaseExpression, depth: int = 4) -> bool:
    """Whether an expression, or what its name is bound to, is what a mask or list picks."""
    match value:
        case cst.Name() if depth:
            made = [ctx.names.value_of(each.node) for each in ctx.names.assignments(value)]
            return any(v is not None and _is_picked(ctx, v, depth - 1) for v in made)
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
            return isinstance(index, cst.Comparison) or (
                isinstance(index, cst.Name | cst.Attribute | cst.UnaryOperation)
                and literal(index) is literal
                and ctx.kinds.of(index) == "tensor"
            )
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="masked_select"))):
            return True
        case cst.BinaryOperation(left=left, right=right):
            return _is_picked(ctx, left, depth) or _is_picked(ctx, right, depth)
        case cst.Call(func=cst.Attribute(value=held), args=[]):
            return _is_picked(ctx, held, depth)
    return False
