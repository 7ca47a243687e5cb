"""Calls that make tensors, and whose arguments mean the same only after some change."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, elements, expression, keyword, operand
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called, converted, forget_dropped
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.families.tensors.counts import is_count
from onecell.migrate.rules.families.tensors.in_place import lists
from onecell.migrate.rules.table.row import Row

TYPES: Final = {
    "LongTensor": "int64",
    "FloatTensor": "float32",
    "IntTensor": "int32",
    "DoubleTensor": "float64",
    "BoolTensor": "bool_",
    "Tensor": "float32",
}
_FILLS: Final = {"fill_", "zero_", "normal_", "uniform_", "random_", "copy_"}
_LISTS: Final = cst.List | cst.Tuple | cst.ListComp | cst.GeneratorExp


@shape("typed")
def _typed(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.LongTensor([1, 2])` has its element type in its name; of numbers, it has these sizes.

    Raises:
        Unsure: what it is given is a tensor or something hidden.
    """
    del converter
    args = node.args
    if any(arg.keyword is not None or arg.star for arg in args):
        raise Unsure("what it is given is not seen")
    name = row.torch.path.rpartition(".")[2]
    first = args[0].value if args else None
    sizes = first is None or len(args) > 1 or isinstance(first, cst.Integer)
    sizes = sizes or _is_size(ctx, node)
    kind = ctx.kinds.of(first) if first is not None else ""
    if kind == "tensor" and not sizes:
        raise Unsure("it shares the memory of the tensor that it is given", "use `.to(dtype)`")
    if not sizes and not isinstance(first, _LISTS) and not _is_array(ctx, first):
        shown = code(first) if first is not None else ""
        ctx.holds.setdefault(node, []).append(f"`{shown}` holds numbers, and is no size")
    dtype = f"mindspore.{TYPES[name]}"

    def build(updated: cst.Call) -> cst.Call:
        path = "mindspore.ops.zeros" if sizes else "mindspore.tensor"
        ctx.forget(node.func)
        func = ctx.speller.spell(path, ctx.spelled(node.func))
        values = [arg.with_changes(comma=cst.MaybeSentinel.DEFAULT) for arg in updated.args]
        if sizes and len(values) != 1:
            values = [cst.Arg(cst.Tuple([cst.Element(arg.value) for arg in values]))]
        return updated.with_changes(
            func=func, args=[*values, keyword("dtype", ctx.speller.spell(dtype))]
        )

    return build


def _is_size(ctx: Context, node: cst.Call) -> bool:
    """Whether the one argument is a size: a parameter is made of it, or others stand beside it."""
    first = node.args[0].value
    if ctx.kinds.of(first) == "tensor":
        return False
    if is_count(ctx, first) or _is_shape(ctx, first):
        return True
    if not isinstance(first, cst.Name | cst.Attribute):
        return False
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.Attribute) and up.value is node and up.attr.value in _FILLS:
        return True  # what is filled at once held nothing before
    around = ctx.names.parents.get(up) if up is not None else None
    row = ctx.row(around.func) if isinstance(around, cst.Call) else None
    if row is not None and row.rule == "parameter":
        return True
    shown = code(first)
    return any(
        len(call.args) > 1
        and any(code(arg.value) == shown for arg in call.args)
        and (other := ctx.row(call.func)) is not None
        and other.rule == "tensor_type"
        for call in ctx.names.of_kind(cst.Call)
    )


def _is_shape(ctx: Context, value: cst.BaseExpression) -> bool:
    """Whether an expression is all sizes of a tensor: of them torch makes as large a tensor."""
    if isinstance(value, cst.Call) and not value.args:
        return isinstance(value.func, cst.Attribute) and value.func.attr.value == "size"
    whole = isinstance(value, cst.Attribute) and value.attr.value == "shape"
    return whole and isinstance(value, cst.Attribute) and ctx.kinds.of(value.value) == "tensor"


def _is_array(ctx: Context, value: cst.BaseExpression | None) -> bool:
    """Whether an expression is seen to be made by NumPy."""
    if isinstance(value, cst.Name):
        found = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(value)]
        return bool(found) and all(isinstance(v, cst.Call) and _is_array(ctx, v) for v in found)
    return isinstance(value, cst.Call) and (ctx.names.path(value.func) or "").startswith("numpy.")


@shape("data")
def _data(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.tensor` of a list takes the element type of NumPy's numbers in it; MindSpore does not.

    Raises:
        Unsure: the list holds such a number, and no `dtype` is given.
    """
    bound = {b.parameter: node.args[b.index].value for b in bind(node.args, row.side(ctx.source))}
    data = next(iter(bound.values()), None)
    parts = elements(data) if isinstance(data, cst.List | cst.Tuple) else None
    typed = "dtype" in bound
    if not typed and any(_is_array(ctx, part) for part in parts or ()):
        raise Unsure(
            f"`{row.side(ctx.to).path}` of a list makes float32 of NumPy's numbers",
            "give it a `dtype`",
        )

    listed = next((i for i, arg in enumerate(node.args) if arg.value is data), None)
    numbers = listed is not None and ctx.to == "mindspore" and _holds_tensors(ctx, data)
    if row.rule == "as_tensor" and data is not None and parts is None:
        ctx.holds.setdefault(node, []).append(
            f"`{code(data)}` is no tensor, and nobody changes it afterwards"
        )

    def arguments(args: list[cst.Arg]) -> list[cst.Arg]:
        if numbers and listed is not None:
            value = args[listed].value
            args[listed] = args[listed].with_changes(value=_as_numbers(ctx, data, value))
        return args

    return converted(ctx, node, row, converter, arguments=arguments)


def _holds_tensors(ctx: Context, data: cst.BaseExpression | None) -> bool:
    """Whether a list has tensors in it: torch takes the one number of each."""
    if isinstance(data, cst.List | cst.Tuple):
        return any(ctx.kinds.of(part) == "tensor" for part in elements(data) or ())
    return isinstance(data, cst.Name) and lists(ctx, data, alone=True)


def _as_numbers(
    ctx: Context, data: cst.BaseExpression | None, updated: cst.BaseExpression
) -> cst.BaseExpression:
    """Return a list with the number of each tensor in it: MindSpore would keep their axes."""
    if isinstance(data, cst.List | cst.Tuple) and isinstance(updated, cst.List | cst.Tuple):
        pairs = zip(data.elements, updated.elements, strict=True)
        return updated.with_changes(
            elements=[
                new.with_changes(value=expression("x_.item()", x_=operand(new.value)))
                if ctx.kinds.of(old.value) == "tensor" and isinstance(new, cst.Element)
                else new
                for old, new in pairs
            ]
        )
    text = "[each.item() if isinstance(each, t_) else each for each in x_]"
    return expression(text, t_=ctx.speller.spell("mindspore.Tensor"), x_=updated)


@shape("from_zero")
def _from_zero(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.randint(5, (2, 3))` begins at 0, and gives int64 unless told otherwise."""
    plain = [arg for arg in node.args if arg.keyword is None]
    names = {arg.keyword.value for arg in node.args if arg.keyword is not None}
    short = len(plain) + len(names & {"low", "high", "size"}) == 2 and "low" not in names
    zero = cst.Arg(cst.Integer("0"))
    if not short:
        return converted(ctx, node, row, converter)
    args = [zero, *node.args]
    whole = node.with_changes(args=args)
    converter.convert(args, args)
    forget_dropped(ctx, whole, row)

    def build(updated: cst.Call) -> cst.Call:
        return called(ctx, node, row, updated, converter.convert(args, [zero, *updated.args]))

    return build


@shape("probabilities")
def _probabilities(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.bernoulli(p)` draws by p itself; MindSpore's takes it as the second argument."""
    converter.convert(node.args, node.args)
    if ctx.to == "torch":
        raise Unsure("`mindspore.ops.bernoulli` takes the probabilities apart from the tensor")

    def build(updated: cst.Call) -> cst.Call:
        args = converter.convert(node.args, updated.args)
        first = cst.Arg(args[0].value)
        return called(ctx, node, row, updated, [first, cst.Arg(first.value)])

    return build


@shape("dropping")
def _dropping(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore's dropout wants a float, also for zero."""
    return converted(
        ctx, node, row, converter, arguments=lambda args: [as_float(arg) for arg in args]
    )


def as_float(arg: cst.Arg) -> cst.Arg:
    """Return a whole number as a float."""
    if not isinstance(arg.value, cst.Integer):
        return arg
    return arg.with_changes(value=cst.Float(f"{arg.value.value}.0"))
