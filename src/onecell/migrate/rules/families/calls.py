"""Calls of what the table has: arguments renamed and, where a row says so, reshaped."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import literal
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
    place = _in_place(node, row)
    if place is not None:
        said = "nothing else reads what goes in afterwards, which torch changes in place"
        ctx.holds.setdefault(node, []).append(said)
        plain = plan_call(ctx, _without(node, place), row)
        return lambda updated: plain(_without(updated, place))
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


def _in_place(node: cst.Call, row: Row) -> int | None:
    """Return which argument asks that what comes in be changed, None where none does."""
    if "inplace" not in row.fixed:
        return None
    return next(
        (
            place
            for place, arg in enumerate(node.args)
            if arg.keyword is not None
            and arg.keyword.value == "inplace"
            and literal(arg.value) is True
        ),
        None,
    )


def _without(node: cst.Call, place: int) -> cst.Call:
    """Return a call without one of its arguments."""
    args = [arg for i, arg in enumerate(node.args) if i != place]
    if args and place == len(args):
        args[-1] = args[-1].with_changes(comma=node.args[place].comma)
    return node.with_changes(args=args)
