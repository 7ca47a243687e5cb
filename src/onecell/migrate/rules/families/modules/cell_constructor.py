"""Calls of the cell's constructor."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_named, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import called, forget_dropped
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.table.row import Row

Args = Sequence[cst.Arg]


@shape("cell")
def plan_cell(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """The cell: a real bool, plain sizes, and an element type that it can compute in."""
    args = _accept_bias(ctx, node.args)
    bound = {b.parameter: args[b.index].value for b in bind(args, row.side(ctx.source))}
    dtype = bound.get("dtype")
    if dtype is not None and ctx.to == "mindspore" and ctx.target == "native":
        path = ctx.names.path(dtype) or ""
        if path.rpartition(".")[2] in ("float64", "double", "bfloat16"):
            raise Unsure(
                f"MindSpore's own cell cannot run in {path.rpartition('.')[2]}",
                "use `--target onecell`, or another `dtype`",
            )
    _check_native_stars(ctx, args)
    converter.convert(args, args)
    forget_dropped(ctx, node.with_changes(args=args), row)
    bias = row.side(ctx.source).positional[2] if len(row.side(ctx.source).positional) > 2 else ""

    def build(updated: cst.Call) -> cst.Call:
        new = list(_accept_bias(ctx, updated.args))
        for b in bind(args, row.side(ctx.source)):
            if ctx.to == "mindspore" and b.parameter is not None:
                new[b.index] = _plain(ctx, new[b.index], args[b.index], b.parameter == bias)
        return called(ctx, node, row, updated, converter.convert(args, new))

    return build


def _check_native_stars(ctx: Context, args: Args) -> None:
    if ctx.target == "native" and any(arg.star == "**" for arg in args):
        raise Unsure(
            "`**` may carry `bias`, `device` or `dtype`, which are called otherwise",
            "write the arguments out, or use `--target onecell`",
        )


def _accept_bias(ctx: Context, args: Args) -> Args:
    """Read `bias` as `has_bias`: onecell's cell for MindSpore takes both."""
    if ctx.source != "mindspore":
        return args
    return [
        arg.with_changes(keyword=cst.Name("has_bias")) if is_named(arg, "bias") else arg
        for arg in args
    ]


def _plain(ctx: Context, arg: cst.Arg, old: cst.Arg, is_bias: bool) -> cst.Arg:
    """Return an argument in the types that MindSpore insists on: bool and int."""
    value = literal(old.value)
    if is_bias and isinstance(value, int) and not isinstance(value, bool):
        return arg.with_changes(value=cst.Name(str(bool(value))))
    if isinstance(old.value, cst.Call) and (ctx.names.path(old.value.func) or "").startswith(
        "numpy."
    ):
        kind = "bool" if is_bias else "int"
        return arg.with_changes(value=expression(f"{kind}(_)", _=arg.value))
    return arg
