"""Calls that a row reshapes beyond names: sizes, lists, modes, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import as_keyword, elements, expression, keyword, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind, equals
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called
from onecell.migrate.rules.families.modules.cell_constructor import plan_cell
from onecell.migrate.rules.families.saves_back import plan_file, plan_load_into
from onecell.migrate.rules.families.tensors.filled import plan_filled
from onecell.migrate.rules.families.tensors.made import MADE, begun
from onecell.migrate.rules.families.tensors.pairs import plan_extreme, plan_ordered
from onecell.migrate.rules.table.row import Row

Args = Sequence[cst.Arg]


def _size(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.zeros(2, 3)` and `ops.zeros((2, 3))`."""
    del converter
    named = [arg for arg in node.args if arg.keyword is not None]
    if any(arg.star == "**" for arg in node.args):
        raise Unsure("`**` may carry arguments that are called otherwise")
    if ctx.to == "mindspore" and any(elements(arg.value) == [] for arg in node.args):
        raise Unsure("MindSpore does not fill a tensor without axes", "use `tensor(0.0)`")
    allowed = {"size", "shape", "dtype", *row.dropped, *row.fixed}
    for arg in named:
        if arg.keyword is not None and arg.keyword.value not in allowed:
            raise Unsure(f"`{arg.keyword.value}` has no exact counterpart")
    for arg in named:
        name = arg.keyword.value if arg.keyword is not None else ""
        if name in row.fixed and not equals(arg.value, row.fixed[name]):
            raise Unsure(f"`{name}` is exact only as {row.fixed[name]}")
        if name in (*row.dropped, *row.fixed):
            ctx.forget(arg.value)

    def build(updated: cst.Call) -> cst.Call:
        sizes = [a for a in updated.args if a.keyword is None]
        rest: list[cst.Arg] = []
        for a in updated.args:
            if a.keyword is not None and a.keyword.value in ("size", "shape"):
                sizes.append(cst.Arg(a.value))
            elif a.keyword is not None and a.keyword.value not in (*row.dropped, *row.fixed):
                rest.append(a)
        if ctx.to == "mindspore":
            sizes = _packed(sizes)
        else:
            if len(sizes) == 2 and not sizes[0].star:  # ops.zeros(size, dtype)
                rest.append(keyword("dtype", sizes.pop().value))
            sizes = _unpacked(sizes)
        args = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in [*sizes, *rest]]
        return called(ctx, node, row, updated, args)

    return build


def _packed(sizes: list[cst.Arg]) -> list[cst.Arg]:
    if len(sizes) == 1 and not sizes[0].star:
        return sizes
    parts = [cst.StarredElement(a.value) if a.star else cst.Element(a.value) for a in sizes]
    return [cst.Arg(cst.Tuple(parts))]


def _unpacked(sizes: list[cst.Arg]) -> list[cst.Arg]:
    if len(sizes) == 1 and isinstance(sizes[0].value, cst.Tuple) and sizes[0].value.elements:
        return [
            cst.Arg(e.value, star="*" if isinstance(e, cst.StarredElement) else "")
            for e in sizes[0].value.elements
        ]
    return sizes


def _training(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Torch's layers begin in training mode, MindSpore's do not: say it."""
    converter.convert(node.args, node.args)

    def build(updated: cst.Call) -> cst.BaseExpression:
        made = called(ctx, node, row, updated, converter.convert(node.args, updated.args))
        return begun(ctx, node, made)

    return build


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
    converter.convert(node.args, node.args)
    place = list(node.args).index(first)

    def build(updated: cst.Call) -> cst.Call:
        new = list(updated.args)
        if ctx.to == "mindspore" and parts is None:
            new[place] = new[place].with_changes(value=expression("(_,)", _=new[place].value))
        elif ctx.to == "torch" and isinstance(first.value, cst.Tuple):
            whole = new[place].value
            assert isinstance(whole, cst.Tuple)  # noqa: S101 - elements stay elements
            new[place] = new[place].with_changes(value=whole.elements[0].value)
        return called(ctx, node, row, updated, converter.convert(node.args, new))

    return build


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


def _loss(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """The loss class becomes the function, with its settings bound."""
    converter.convert(node.args, node.args)

    def build(updated: cst.Call) -> cst.BaseExpression:
        made = called(ctx, node, row, updated, converter.convert(node.args, updated.args))
        if not made.args:
            return made.func
        partial = ctx.speller.spell("functools.partial")
        settings = [a if a.keyword is not None else keyword("weight", a.value) for a in made.args]
        return made.with_changes(func=partial, args=[cst.Arg(made.func), *settings])

    return build


def _long(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore gives int32 where torch gives int64."""
    converter.convert(node.args, node.args)

    def build(updated: cst.Call) -> cst.BaseExpression:
        made = called(ctx, node, row, updated, converter.convert(node.args, updated.args))
        return expression("_.long()", _=made) if ctx.to == "mindspore" else made

    return build


def _truth(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore's `any` is right for truth values alone."""
    converter.convert(node.args, node.args)

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = converter.convert(node.args, updated.args)
        if ctx.to == "mindspore":
            args[0] = args[0].with_changes(value=expression("_.bool()", _=args[0].value))
        return called(ctx, node, row, updated, args)

    return build


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


def _exponential(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """A softmax is written as what its logarithm is the logarithm of."""
    converter.convert(node.args, node.args)
    like = ctx.spelled(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        made = called(ctx, node, row, updated, converter.convert(node.args, updated.args))
        return expression("f_(_)", f_=ctx.speller.spell("mindspore.ops.exp", like), _=made)

    return build


def _detach(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`ops.stop_gradient(x)` is `x.detach()`."""
    del row, converter
    if len(node.args) != 1 or node.args[0].star:
        raise Unsure("`stop_gradient` of anything but one tensor has no exact counterpart")
    ctx.forget(node.func)
    return lambda updated: expression("_.detach()", _=updated.args[0].value)


Shape = Callable[[Context, cst.Call, Row, Converter], Plan]
SHAPES: Final[Mapping[str, Shape]] = {
    "cell": plan_cell,
    "size": _size,
    "training": _training,
    "normalized": _normalized,
    "sequence": _sequence,
    "listing": _listing,
    "loss": _loss,
    "long": _long,
    "truth": _truth,
    "order": _order,
    **MADE,
    "extreme": plan_extreme,
    "ordered": plan_ordered,
    "exponential": _exponential,
    "detach": _detach,
    "filled": plan_filled,
    "file": plan_file,
    "load_into": plan_load_into,
}
"""The `shape` of a row → who plans its calls."""
