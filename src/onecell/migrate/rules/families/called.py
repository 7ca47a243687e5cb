"""What every plan of a call ends with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst

from onecell.migrate.meaning.syntax import expression, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
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


def converted(
    ctx: Context,
    node: cst.Call,
    row: Row,
    converter: Converter,
    *,
    arguments: Callable[[list[cst.Arg]], Sequence[cst.Arg]] = list,
    result: Callable[[cst.Call], cst.BaseExpression] | None = None,
) -> Plan:
    """Return the plan of a call that its row tells, but for some arguments or its result.

    Args:
        ctx: the module.
        node: the call.
        row: its row.
        converter: of that row.
        arguments: changes arguments before the row renames them.
        result: puts around the call what its value needs.

    Raises:
        Unsure: the call would not surely compute the same.
    """
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = converter.convert(node.args, arguments(list(updated.args)))
        made = called(ctx, node, row, updated, args)
        return made if result is None else result(made)

    return build


def place_of(ctx: Context, node: cst.Call, row: Row, parameter: str) -> int | None:
    """Return which argument is given as `parameter`, None where none is."""
    bound = bind(node.args, row.side(ctx.source))
    return next((each.index for each in bound if each.parameter == parameter), None)
