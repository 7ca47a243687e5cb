"""Items of tensors: MindSpore takes lists as indices, and no `range`."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import expression
from onecell.migrate.rules.context import Context


def listed_ranges(ctx: Context, node: cst.Subscript, updated: cst.Subscript) -> cst.Subscript:
    """Return an item with each `range(…)` among its indices as a list, which means the same.

    Nothing but a tensor or an array takes a range for an index.
    """
    if ctx.to != "mindspore":
        return updated
    parts = [
        new.with_changes(slice=cst.Index(expression("list(x_)", x_=new.slice.value)))
        if isinstance(old.slice, cst.Index)
        and isinstance(new.slice, cst.Index)
        and _is_range(ctx, old.slice.value)
        else new
        for old, new in zip(node.slice, updated.slice, strict=True)
    ]
    return updated if parts == list(updated.slice) else updated.with_changes(slice=parts)


def _is_range(ctx: Context, value: cst.BaseExpression) -> bool:
    match value:
        case cst.Call(func=cst.Name(value="range") as func):
            return not ctx.names.assignments(func)
    return False
