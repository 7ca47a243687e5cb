"""What every plan of a call ends with."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.row import Row


def forget_dropped(ctx: Context, node: cst.Call, row: Row) -> None:
    """Note that the arguments which the row leaves out are read no more."""
    for b in bind(node.args, row.side(ctx.source)):
        if b.parameter in row.dropped or b.parameter in row.fixed:
            ctx.forget(node.args[b.index].value)


def called(
    ctx: Context, node: cst.Call, row: Row, updated: cst.Call, args: Sequence[cst.Arg]
) -> cst.Call:
    """Return a call of the row's other side."""
    func = ctx.respell(node.func, row)
    if func is None:
        func = updated.func
    return updated.with_changes(func=func, args=args)
