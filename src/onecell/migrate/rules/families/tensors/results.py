"""Calls of tensors that need something around their result, or around one argument."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import as_keyword, expression, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called, converted
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.table.row import Row


@shape("long")
def _long(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore gives int32 where torch gives int64."""
    if ctx.to == "torch":
        return converted(ctx, node, row, converter)
    return converted(ctx, node, row, converter, result=lambda made: expression("_.long()", _=made))


@shape("truth")
def _truth(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore's `any` is right for truth values alone."""

    def arguments(args: list[cst.Arg]) -> list[cst.Arg]:
        if ctx.to == "mindspore":
            args[0] = args[0].with_changes(value=expression("_.bool()", _=args[0].value))
        return args

    return converted(ctx, node, row, converter, arguments=arguments)


@shape("exponential")
def _exponential(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """A softmax is written as what its logarithm is the logarithm of."""
    like = ctx.spelled(node.func)

    def result(made: cst.Call) -> cst.BaseExpression:
        return expression("f_(_)", f_=ctx.speller.spell("mindspore.ops.exp", like), _=made)

    return converted(ctx, node, row, converter, result=result)


@shape("detach")
def _detach(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`ops.stop_gradient(x)` is `x.detach()`."""
    del row, converter
    if len(node.args) != 1 or node.args[0].star:
        raise Unsure("`stop_gradient` of anything but one tensor has no exact counterpart")
    ctx.forget(node.func)
    return lambda updated: expression("_.detach()", _=updated.args[0].value)


@shape("order")
def _order(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """A norm with an order is that of a matrix in MindSpore, where no axis is given."""
    bound = {b.parameter: b.index for b in bind(node.args, row.side(ctx.source))}
    place = bound.get("p" if ctx.to == "mindspore" else "ord")
    if place is None:
        converter.convert(node.args, node.args)
        return lambda u: called(ctx, node, row, u, converter.convert(node.args, u.args))
    axis = literal(node.args[bound["dim"]].value) if "dim" in bound else None
    plain = literal(node.args[place].value) in (2, "fro") and ctx.to == "mindspore"
    if not plain and not isinstance(axis, int):
        raise Unsure("a norm of this order is another in MindSpore", "write it out")
    if ctx.to == "torch" and axis is None:
        raise Unsure("a norm with an order is that of a matrix in MindSpore", "write it out")

    def build(updated: cst.Call) -> cst.Call:
        old, new = list(node.args), list(updated.args)
        if plain:
            later = range(place + 1, len(old))
            names = {index: name for name, index in bound.items() if name is not None}
            for args in (old, new):
                for i in later:
                    args[i] = as_keyword(args[i], names[i])
                del args[place]
                args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return called(ctx, node, row, updated, converter.convert(old, new))

    build(node)
    return build


@shape("spread")
def _spread(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.std(x, False)` is one of all numbers, divided by N: what comes second is no axis.

    Raises:
        Unsure: whether it is an axis is not seen.
    """
    given = [arg for arg in node.args[1:2] if arg.keyword is None]
    if given and isinstance(literal(given[0].value), bool):
        raise Unsure("of all numbers, divided by N", f"write `mindspore.ops.{row.rule}(x, ddof=0)`")
    return converted(ctx, node, row, converter)


@shape("apart")
def _apart(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore takes the tensors one by one, torch a list of them, too.

    Raises:
        Unsure: they may be such a list.
    """
    tensors = [arg for arg in node.args if arg.keyword is None]
    if len(tensors) == 1 and not tensors[0].star:
        raise Unsure("the tensors may come as one list", "write them one by one, or `*` before it")
    return converted(ctx, node, row, converter)
