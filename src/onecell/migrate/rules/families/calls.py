"""Calls of what the table has: arguments renamed and, where a row says so, reshaped."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.rules.arguments import Converter
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called, forget_dropped
from onecell.migrate.rules.families.reshape import SHAPES
from onecell.migrate.rules.table.row import Row


def plan_call(ctx: Context, node: cst.Call, row: Row, *, func: bool = True) -> Plan:
    """Return how a call of `row` is rewritten; `func` False leaves what is called as it is.

    Raises:
        Unsure: the call would not surely compute the same.
    """
    special = SHAPES.get(row.shape)
    converter = Converter(
        row, ctx.source, ctx.to, ctx.make, ctx.same, loose=row.shape == "cell" and func
    )
    if special is not None:
        return special(ctx, node, row, converter)
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)

    def build(updated: cst.Call) -> cst.Call:
        args = converter.convert(node.args, updated.args)
        return called(ctx, node, row, updated, args)

    return build
