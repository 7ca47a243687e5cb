"""Layers and functions that move a window: their padding and stride."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import code, elements, is_named, keyword, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called, converted, forget_dropped, place_of
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.table.row import Row


@shape("padded")
def _padded(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`padding` of two numbers is of four in MindSpore: before and after, each axis.

    Raises:
        Unsure: the padding is a word, or not two numbers.
    """
    place = place_of(ctx, node, row, "padding")
    value = node.args[place].value if place is not None else None
    parts = elements(value) if isinstance(value, cst.Tuple | cst.List) else None
    if isinstance(value, cst.SimpleString):
        raise Unsure("`padding` in words has no exact counterpart", "give a number")
    if parts is not None and (ctx.to == "torch" or len(parts) > 2):
        raise Unsure("`padding` of these numbers has no exact counterpart")
    if value is not None and parts is None and literal(value) is literal and "2d" in row.rule:
        ctx.holds.setdefault(node, []).append(f"`{code(value)}` is one number")

    def arguments(args: list[cst.Arg]) -> list[cst.Arg]:
        if parts is not None and place is not None:
            inner = elements(args[place].value) or []
            wide = [part for part in inner for _ in (0, 1)] if len(inner) == 2 else inner
            new = cst.Tuple([cst.Element(part) for part in wide])
            args[place] = args[place].with_changes(value=new if len(inner) == 2 else inner[0])
        return args

    return converted(ctx, node, row, converter, arguments=arguments)


@shape("pooled")
def _pooled(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
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
            if is_named(arg, "pad_mode") and literal(arg.value) == "pad"
        ),
        None,
    )
