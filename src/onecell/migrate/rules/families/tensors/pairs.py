"""Calls that give values and indices: `max` along an axis, `topk`, `sort`."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import code, elements, expression, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import converted
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.table.row import Row

PARTS = {"values": 0, "indices": 1}
"""What torch calls the parts of such a pair."""


@shape("extreme")
def _extreme(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """`torch.max` is three functions: of all numbers, along an axis, and of two tensors.

    Raises:
        Unsure: which of them a call is, is not seen.
    """
    along = ctx.kinds.along_axis(node)
    if ctx.to == "torch":
        if not along:
            raise Unsure(
                f"`ops.{row.rule}` of all numbers gives a pair, torch's one number",
                f"write `ops.a{row.rule}`",
            )
    elif along is None:
        raise Unsure(
            "whether the second argument is an axis or a tensor is not seen",
            f"write `dim=` for an axis; of two tensors it is `mindspore.ops.{row.rule}imum`",
        )
    if along:
        plan = converted(ctx, node, row, converter)
        take_apart(ctx, node, long=False)
        return plan
    if any(arg.star or arg.keyword is not None for arg in node.args):
        raise Unsure("its arguments are not written by position")
    ctx.forget(node.func)
    other = f"a{row.rule}" if len(node.args) == 1 else f"{row.rule}imum"
    like = ctx.spelled(node.func)

    def build(updated: cst.Call) -> cst.Call:
        return updated.with_changes(func=ctx.speller.spell(f"mindspore.ops.{other}", like))

    return build


@shape("ordered")
def _ordered(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """MindSpore's `topk` and `sort` give int32 indices, torch's int64.

    Raises:
        Unsure: the pair is not taken apart where it is made.
    """
    plan = converted(ctx, node, row, converter)
    if ctx.to == "mindspore" and not take_apart(ctx, node, long=True):
        raise Unsure(
            f"`{row.mindspore.path}` computes the same, but its indices are int32",
            "take the pair apart here, and give the indices `.long()`",
        )
    return plan


def take_apart(ctx: Context, node: cst.Call, *, long: bool) -> bool:
    """Note what is made of each part of a pair; return whether all of it is seen."""
    parents = ctx.names.parents
    up = parents.get(node)
    if isinstance(up, cst.Attribute) and up.attr.value in PARTS:
        ctx.taken[up] = (PARTS[up.attr.value], long and not _is_long(ctx, up))
        return True
    if isinstance(up, cst.Subscript) and len(up.slice) == 1:
        index = up.slice[0].slice
        place = literal(index.value) if isinstance(index, cst.Index) else None
        if isinstance(place, int) and -2 <= place < 2:
            ctx.taken[up] = (place % 2, long and not _is_long(ctx, up))
            return True
    if not long:
        return True
    targets = up.targets if isinstance(up, cst.Assign) and up.value is node else ()
    parts = elements(targets[0].target) if len(targets) == 1 else None
    line = parents.get(up) if up is not None else None
    if parts is None or len(parts) != 2 or not isinstance(line, cst.SimpleStatementLine):
        return False
    indices = parts[1]
    if isinstance(indices, cst.Name) and not ctx.names.reads_of(indices):
        return True
    whole = code(indices)
    if len(line.body) != 1 or not whole.replace(".", "").isidentifier():
        return False
    after = cst.parse_statement(f"{whole} = {whole}.long()")
    if code(_next(ctx, line)) != code(after):  # an earlier run's
        ctx.lines.followed[line] = after
    return True


def _is_long(ctx: Context, node: cst.CSTNode) -> bool:
    """Whether indices are made int64 where they are taken."""
    up = ctx.names.parents.get(node)
    return isinstance(up, cst.Attribute) and up.value is node and up.attr.value == "long"


def _next(ctx: Context, line: cst.SimpleStatementLine) -> cst.CSTNode:
    """Return the statement after one, without what stands around it; itself where it is last."""
    block = ctx.names.parents.get(line)
    body = list(block.body) if isinstance(block, cst.Module | cst.IndentedBlock) else [line]
    place = next(i for i, each in enumerate(body) if each is line)
    found = body[min(place + 1, len(body) - 1)]
    if isinstance(found, cst.SimpleStatementLine):
        return cst.SimpleStatementLine(found.body)
    return found


def part_of(ctx: Context, node: cst.CSTNode, pair: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return what an item or attribute of a pair becomes, None for any other."""
    found = ctx.taken.get(node)
    if found is None:
        return None
    place, long = found
    suffix = ".long()" if long and place else ""
    return expression(f"_[{place}]{suffix}", _=pair)
