"""Calls that make tensors or layers, and whose arguments mean the same only after some change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, elements, expression, keyword, literal, operand
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called, forget_dropped
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


def plan_typed(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
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
    if is_count(ctx, first):
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


def _is_array(ctx: Context, value: cst.BaseExpression | None) -> bool:
    """Whether an expression is seen to be made by NumPy."""
    if isinstance(value, cst.Name):
        found = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(value)]
        return bool(found) and all(isinstance(v, cst.Call) and _is_array(ctx, v) for v in found)
    return isinstance(value, cst.Call) and (ctx.names.path(value.func) or "").startswith("numpy.")


def plan_data(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.tensor` of a list takes the element type of NumPy's numbers in it; MindSpore does not.

    Raises:
        Unsure: the list holds such a number, and no `dtype` is given.
    """
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)
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

    def build(updated: cst.Call) -> cst.Call:
        args = list(updated.args)
        if numbers and listed is not None:
            value = args[listed].value
            args[listed] = args[listed].with_changes(value=_as_numbers(ctx, data, value))
        return called(ctx, node, row, updated, converter.convert(node.args, args))

    return build


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


def plan_from_zero(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.randint(5, (2, 3))` begins at 0, and gives int64 unless told otherwise."""
    plain = [arg for arg in node.args if arg.keyword is None]
    names = {arg.keyword.value for arg in node.args if arg.keyword is not None}
    short = len(plain) + len(names & {"low", "high", "size"}) == 2 and "low" not in names
    zero = cst.Arg(cst.Integer("0"))
    if not short:
        converter.convert(node.args, node.args)
        forget_dropped(ctx, node, row)
        return lambda u: called(ctx, node, row, u, converter.convert(node.args, u.args))
    args = [zero, *node.args]
    whole = node.with_changes(args=args)
    converter.convert(args, args)
    forget_dropped(ctx, whole, row)

    def build(updated: cst.Call) -> cst.Call:
        return called(ctx, node, row, updated, converter.convert(args, [zero, *updated.args]))

    return build


def plan_probabilities(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.bernoulli(p)` draws by p itself; MindSpore's takes it as the second argument."""
    converter.convert(node.args, node.args)
    if ctx.to == "torch":
        raise Unsure("`mindspore.ops.bernoulli` takes the probabilities apart from the tensor")

    def build(updated: cst.Call) -> cst.Call:
        args = converter.convert(node.args, updated.args)
        first = cst.Arg(args[0].value)
        return called(ctx, node, row, updated, [first, cst.Arg(first.value)])

    return build


def plan_dropping(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore's dropout wants a float, also for zero."""
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)

    def build(updated: cst.Call) -> cst.Call:
        args = [
            arg.with_changes(value=_as_float(arg.value))
            if isinstance(arg.value, cst.Integer)
            else arg
            for arg in updated.args
        ]
        return called(ctx, node, row, updated, converter.convert(node.args, args))

    return build


def _as_float(value: cst.BaseExpression) -> cst.BaseExpression:
    """Return a whole number as MindSpore wants it where it wants a float."""
    return cst.Float(f"{value.value}.0") if isinstance(value, cst.Integer) else value


def complement(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Of a batch norm: what torch calls momentum is 1 less what MindSpore calls so."""
    place = next(
        (b.index for b in bind(node.args, row.side(ctx.source)) if b.parameter == "momentum"), None
    )
    if place is not None and literal(node.args[place].value) is None:
        raise Unsure("`momentum=None` averages over all steps, which MindSpore does not do")
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = list(updated.args)
        if place is not None:
            args[place] = args[place].with_changes(value=_less(node.args[place].value))
        made = called(ctx, node, row, updated, converter.convert(node.args, args))
        return begun(ctx, node, made)

    return build


def _less(value: cst.BaseExpression) -> cst.BaseExpression:
    found = literal(value)
    if isinstance(found, int | float):
        return cst.parse_expression(repr(round(1 - found, 12)))
    return (
        expression("1 - _", _=value)
        if isinstance(value, cst.Name)
        else expression("1 - (_)", _=value)
    )


def begun(ctx: Context, node: cst.Call, made: cst.BaseExpression) -> cst.BaseExpression:
    """Return a layer in the mode that its framework begins in: torch's in training."""
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.Attribute) and up.attr.value in ("set_train", "eval", "train"):
        return made
    return expression(f"_.{ {'mindspore': 'set_train()', 'torch': 'eval()'}[ctx.to] }", _=made)


def plan_dropping_layer(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """A recurrent layer has a mode only where it drops something."""
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)
    place = next(
        (b.index for b in bind(node.args, row.side(ctx.source)) if b.parameter == "dropout"), None
    )
    drops = place is not None

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = list(updated.args)
        if place is not None and isinstance(args[place].value, cst.Integer):
            args[place] = args[place].with_changes(value=_as_float(args[place].value))
        made = called(ctx, node, row, updated, converter.convert(node.args, args))
        return begun(ctx, node, made) if drops else made

    return build


def plan_stateful(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Torch's GRUCell and RNNCell begin at zero where no state is given; MindSpore's want one.

    Raises:
        Unsure: a call in this file leaves the state out.
    """
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)
    for call in ctx.names.of_kind(cst.Call):
        if len(call.args) == 1 and ctx.to == "mindspore" and ctx.kinds.made_by(call.func) is row:
            raise Unsure("a call leaves its state out, which MindSpore wants", "give it zeros")
    return lambda u: called(ctx, node, row, u, converter.convert(node.args, u.args))


def plan_padded(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`padding` of two numbers is of four in MindSpore: before and after, each axis.

    Raises:
        Unsure: the padding is a word, or not two numbers.
    """
    place = next(
        (b.index for b in bind(node.args, row.side(ctx.source)) if b.parameter == "padding"), None
    )
    value = node.args[place].value if place is not None else None
    parts = elements(value) if isinstance(value, cst.Tuple | cst.List) else None
    if isinstance(value, cst.SimpleString):
        raise Unsure("`padding` in words has no exact counterpart", "give a number")
    if parts is not None and (ctx.to == "torch" or len(parts) > 2):
        raise Unsure("`padding` of these numbers has no exact counterpart")
    if value is not None and parts is None and literal(value) is literal and "2d" in row.rule:
        ctx.holds.setdefault(node, []).append(f"`{code(value)}` is one number")
    converter.convert(node.args, node.args)
    forget_dropped(ctx, node, row)

    def build(updated: cst.Call) -> cst.Call:
        args = list(updated.args)
        if parts is not None and place is not None:
            inner = elements(args[place].value) or []
            wide = [part for part in inner for _ in (0, 1)] if len(inner) == 2 else inner
            new = cst.Tuple([cst.Element(part) for part in wide])
            args[place] = args[place].with_changes(value=new if len(inner) == 2 else inner[0])
        return called(ctx, node, row, updated, converter.convert(node.args, args))

    return build


def plan_pooled(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """A pool's stride is its kernel where none is given; MindSpore's is 1, or wants to be told.

    MindSpore's layers pad, and count the last window, only in `pad_mode="pad"`.
    """
    padded = _pads(node) if ctx.to == "torch" else None
    kept = [arg for i, arg in enumerate(node.args) if i != padded]
    bound = {b.parameter: b.index for b in bind(kept, row.side(ctx.source))}
    if ctx.to == "torch" and "stride" not in bound:
        raise Unsure("without `stride`, torch's is the kernel's size", "give `stride`")
    whole = node.with_changes(args=kept)
    converter.convert(kept, kept)
    forget_dropped(ctx, whole, row)
    pads = row.gives == "layer" and bool({"padding", "ceil_mode"} & bound.keys())

    def build(updated: cst.Call) -> cst.Call:
        given = [arg for i, arg in enumerate(updated.args) if i != padded]
        args = converter.convert(kept, given)
        if ctx.to == "mindspore" and "stride" not in bound:
            args.append(keyword("stride", given[bound["kernel_size"]].value))
        if ctx.to == "mindspore" and pads:
            args.append(keyword("pad_mode", cst.SimpleString('"pad"')))
        return called(ctx, node, row, updated, args)

    return build


def _pads(node: cst.Call) -> int | None:
    """Return where `pad_mode="pad"` stands, None where it does not."""
    return next(
        (
            place
            for place, arg in enumerate(node.args)
            if arg.keyword is not None
            and arg.keyword.value == "pad_mode"
            and literal(arg.value) == "pad"
        ),
        None,
    )


MADE: Final[Mapping[str, Callable[[Context, cst.Call, Row, Converter], Plan]]] = {
    "typed": plan_typed,
    "data": plan_data,
    "from_zero": plan_from_zero,
    "probabilities": plan_probabilities,
    "dropping": plan_dropping,
    "complement": complement,
    "recurrent": plan_dropping_layer,
    "stateful": plan_stateful,
    "padded": plan_padded,
    "pooled": plan_pooled,
}
"""The `shape` of a row → who plans its calls."""
