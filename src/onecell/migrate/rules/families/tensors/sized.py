"""Sizes of what is made: torch takes them one by one, MindSpore in a tuple."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import elements, keyword
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, equals
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.table.row import Row


@shape("size")
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
