"""Calls that make layers: their modes, sizes and lists mean the same only after some change."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import elements, expression, keyword, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called, converted, place_of
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.families.tensors.made import as_float
from onecell.migrate.rules.table.row import Row


@shape("training")
def _training(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Torch's layers begin in training mode, MindSpore's do not: say it."""
    return converted(ctx, node, row, converter, result=lambda made: _begun(ctx, node, made))


def _begun(ctx: Context, node: cst.Call, made: cst.BaseExpression) -> cst.BaseExpression:
    """Return a layer in the mode that its framework begins in: torch's in training."""
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.Attribute) and up.attr.value in ("set_train", "eval", "train"):
        return made
    return expression(f"_.{ {'mindspore': 'set_train()', 'torch': 'eval()'}[ctx.to] }", _=made)


@shape("recurrent")
def _recurrent(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """A recurrent layer has a mode only where it drops something."""
    place = place_of(ctx, node, row, "dropout")
    if place is None:
        return converted(ctx, node, row, converter)

    def arguments(args: list[cst.Arg]) -> list[cst.Arg]:
        args[place] = as_float(args[place])
        return args

    return converted(
        ctx, node, row, converter,
        arguments=arguments, result=lambda made: _begun(ctx, node, made),
    )  # fmt: skip


@shape("complement")
def _complement(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Of a batch norm: what torch calls momentum is 1 less what MindSpore calls so."""
    place = place_of(ctx, node, row, "momentum")
    if place is not None and literal(node.args[place].value) is None:
        raise Unsure("`momentum=None` averages over all steps, which MindSpore does not do")

    def arguments(args: list[cst.Arg]) -> list[cst.Arg]:
        if place is not None:
            args[place] = args[place].with_changes(value=_less(node.args[place].value))
        return args

    return converted(
        ctx, node, row, converter,
        arguments=arguments, result=lambda made: _begun(ctx, node, made),
    )  # fmt: skip


def _less(value: cst.BaseExpression) -> cst.BaseExpression:
    found = literal(value)
    if isinstance(found, int | float):
        return cst.parse_expression(repr(round(1 - found, 12)))
    return (
        expression("1 - _", _=value)
        if isinstance(value, cst.Name)
        else expression("1 - (_)", _=value)
    )


@shape("stateful")
def _stateful(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Torch's GRUCell and RNNCell begin at zero where no state is given; MindSpore's want one.

    Raises:
        Unsure: a call in this file leaves the state out.
    """
    for call in ctx.names.of_kind(cst.Call):
        if len(call.args) == 1 and ctx.to == "mindspore" and ctx.kinds.made_by(call.func) is row:
            raise Unsure("a call leaves its state out, which MindSpore wants", "give it zeros")
    return converted(ctx, node, row, converter)


@shape("normalized")
def _normalized(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Torch takes a number for the shape, MindSpore a tuple; beyond one axis they part."""
    first = next((a for a in node.args if not a.star), None)
    if first is None:
        raise Unsure("`normalized_shape` is not written out")
    parts = elements(first.value)
    size = literal(first.value)
    if (parts is not None and len(parts) != 1) or (
        parts is None and isinstance(first.value, cst.List | cst.Tuple)
    ):
        raise Unsure(
            "`normalized_shape` has more than one axis",
            "give MindSpore `begin_norm_axis` and `begin_params_axis`",
        )
    if parts is None and size is literal and ctx.kinds.of(first.value) in ("tensor", "modules"):
        raise Unsure("`normalized_shape` is no number")
    place = list(node.args).index(first)

    def arguments(args: list[cst.Arg]) -> list[cst.Arg]:
        if ctx.to == "mindspore" and parts is None:
            args[place] = args[place].with_changes(value=expression("(_,)", _=args[place].value))
        elif ctx.to == "torch" and isinstance(first.value, cst.Tuple):
            whole = args[place].value
            assert isinstance(whole, cst.Tuple)  # noqa: S101 - elements stay elements
            args[place] = args[place].with_changes(value=whole.elements[0].value)
        return args

    return converted(ctx, node, row, converter, arguments=arguments)


@shape("sequence")
def _sequence(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore's sequence also takes one list, torch's does not."""
    del converter
    listed = len(node.args) == 1 and isinstance(
        node.args[0].value, cst.List | cst.ListComp | cst.Tuple
    )
    if any(arg.keyword is not None or arg.star == "**" for arg in node.args):
        raise Unsure("keywords have no exact counterpart")

    def build(updated: cst.Call) -> cst.Call:
        args = list(updated.args)
        if ctx.to == "torch" and listed and not args[0].star:
            args[0] = args[0].with_changes(star="*")
        return called(ctx, node, row, updated, args)

    return build


@shape("listing")
def _listing(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore's list of layers takes a list, not any iterable."""
    del converter
    if len(node.args) > 1 or any(arg.star for arg in node.args):
        raise Unsure("more than one argument has no exact counterpart")

    def build(updated: cst.Call) -> cst.Call:
        args = [a.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT) for a in updated.args]
        if args and ctx.to == "mindspore":
            value = args[0].value
            if isinstance(value, cst.GeneratorExp):
                args[0] = args[0].with_changes(
                    value=cst.ListComp(elt=value.elt, for_in=value.for_in)
                )
            elif not isinstance(value, cst.List | cst.ListComp):
                args[0] = args[0].with_changes(value=expression("list(_)", _=value))
        return called(ctx, node, row, updated, args)

    return build


@shape("loss")
def _loss(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """The loss class becomes the function, with its settings bound."""

    def result(made: cst.Call) -> cst.BaseExpression:
        if not made.args:
            return made.func
        partial = ctx.speller.spell("functools.partial")
        settings = [a if a.keyword is not None else keyword("weight", a.value) for a in made.args]
        return made.with_changes(func=partial, args=[cst.Arg(made.func), *settings])

    return converted(ctx, node, row, converter, result=result)
