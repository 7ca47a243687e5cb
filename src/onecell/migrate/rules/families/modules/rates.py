"""Learning rates in `optimizer.param_groups`: MindSpore keeps them as parameters.

A product of one is a tensor, which its optimizers ignore without a word when it is put back.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import literal, upwards
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.registry import Change, syntax

_KEYS: Final = ("lr", "initial_lr")


def _is_rate(ctx: Context, node: cst.Subscript) -> bool:
    """Whether an expression is the learning rate of a group of parameters."""
    if ctx.to != "mindspore" or len(node.slice) != 1:
        return False
    index = node.slice[0].slice
    return (
        isinstance(index, cst.Index)
        and literal(index.value) in _KEYS
        and _is_group(ctx, node.value)
    )


def _is_read(ctx: Context, node: cst.Subscript) -> bool:
    """Whether its value is wanted as a number, and is not made one already."""
    up = ctx.names.parents.get(node)
    if isinstance(up, cst.AssignTarget | cst.AugAssign | cst.AnnAssign | cst.Del):
        return isinstance(up, cst.AugAssign) and up.target is not node
    call = ctx.names.parents.get(up) if isinstance(up, cst.Arg) else None
    named = isinstance(call, cst.Call) and isinstance(call.func, cst.Name)
    return not (named and isinstance(call, cst.Call) and _name(call.func) == "float")


def _name(node: cst.BaseExpression) -> str:
    return node.value if isinstance(node, cst.Name) else ""


def _is_group(ctx: Context, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Subscript):
        return _is_groups(node.value)
    if not isinstance(node, cst.Name):
        return False
    return any(_is_bound(ctx, each.node) for each in ctx.names.assignments(node))


def _is_bound(ctx: Context, target: cst.CSTNode) -> bool:
    value = ctx.names.value_of(target)
    if value is not None:
        return isinstance(value, cst.Subscript) and _is_groups(value.value)
    for up in upwards(target, ctx.names.parents):
        if isinstance(up, cst.For | cst.CompFor):
            return _is_groups(up.iter)
        if not isinstance(up, cst.Tuple | cst.Element):
            return False
    return False


def _is_groups(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call) and _name(node.func) in ("enumerate", "list", "reversed"):
        return any(_is_groups(arg.value) for arg in node.args)
    return isinstance(node, cst.Attribute) and node.attr.value == "param_groups"


_OPERATORS: Final[dict[type[cst.BaseAugOp], type[cst.BaseBinaryOp]]] = {
    cst.AddAssign: cst.Add,
    cst.SubtractAssign: cst.Subtract,
    cst.MultiplyAssign: cst.Multiply,
    cst.DivideAssign: cst.Divide,
    cst.FloorDivideAssign: cst.FloorDivide,
    cst.PowerAssign: cst.Power,
}


def _scaled(node: cst.AugAssign) -> cst.Assign | None:
    """Return `g["lr"] = float(g["lr"]) * f` for `g["lr"] *= f`."""
    operator = _OPERATORS.get(type(node.operator))
    if operator is None or not isinstance(node.target, cst.Subscript):
        return None
    read = cst.Call(cst.Name("float"), [cst.Arg(node.target)])
    value = node.value
    if isinstance(value, cst.BinaryOperation | cst.IfExp | cst.BooleanOperation) and not value.lpar:
        value = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    product = cst.BinaryOperation(read, operator(), value)
    return cst.Assign([cst.AssignTarget(node.target)], product)


_SAID: Final = "A rate is kept as a parameter: its number is read."


@syntax("rate", cst.AugAssign)
def _changed(ctx: Context, node: cst.AugAssign) -> Change | None:
    if not isinstance(node.target, cst.Subscript) or not _is_rate(ctx, node.target):
        return None
    return Change(_SAID, lambda updated: _scaled(updated) or updated)


@syntax("rate", cst.Subscript)
def _asked(ctx: Context, node: cst.Subscript) -> Change | None:
    if not _is_rate(ctx, node) or not _is_read(ctx, node):
        return None
    return Change(_SAID, lambda updated: cst.Call(cst.Name("float"), [cst.Arg(updated)]))
