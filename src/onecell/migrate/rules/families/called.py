"""What every plan of a call ends with."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from onecell.migrate.meaning.syntax import expression, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.tensors.unasked import suppose_unasked
from onecell.migrate.rules.table.row import Row

_SELVES = ("input", "self")
"""What a function calls the tensor whose method it is on the other side."""


def forget_dropped(ctx: Context, node: cst.Call, row: Row) -> None:
    """Note that the arguments which the row leaves out are read no more."""
    for b in bind(node.args, row.side(ctx.source)):
        asks = b.parameter == "requires_grad" and b.parameter in row.dropped
        if asks and literal(node.args[b.index].value) is not False:
            suppose_unasked(ctx, node)
        if b.parameter in row.dropped or b.parameter in row.fixed:
            ctx.forget(node.args[b.index].value)


def called(
    ctx: Context, node: cst.Call, row: Row, updated: cst.Call, args: Sequence[cst.Arg]
) -> cst.Call:
    """Return a call of the row's other side."""
    path = row.side(ctx.to).path
    if path.startswith(f"{ctx.to}.Tensor."):
        held = next((a for a in args if a.keyword is None or a.keyword.value in _SELVES), None)
        if held is None or held.star or args[0] is not held:
            raise Unsure("the tensor is not written first")
        ctx.forget(node.func)
        method = expression(f"_.{path.rpartition('.')[2]}", _=held.value)
        return updated.with_changes(func=method, args=list(args)[1:])
    func = ctx.respell(node.func, row)
    if func is None:
        func = updated.func
    return updated.with_changes(func=func, args=args)
