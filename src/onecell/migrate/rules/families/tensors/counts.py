"""Tell numbers of things from tensors and lists: lengths, sizes, and what is computed of them."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import is_none
from onecell.migrate.rules.context import Context

_OPERATORS: Final = cst.Add | cst.Subtract | cst.Multiply | cst.FloorDivide | cst.Modulo
_OF_SEVERAL: Final = ("max", "min", "abs", "sum")
_METHODS: Final = ("numel", "nelement", "dim", "ndimension", "element_size")


def is_count(ctx: Context, value: cst.BaseExpression | None, depth: int = 8) -> bool:
    """Whether an expression is surely a whole number, as far as this file shows."""
    if depth == 0:
        return False
    match value:
        case cst.Integer():
            return True
        case cst.BinaryOperation(left=left, operator=sign, right=right):
            parts = [left, right] if isinstance(sign, _OPERATORS) else [None]
        case cst.UnaryOperation(operator=cst.Minus(), expression=inner):
            parts = [inner]
        case cst.IfExp(body=body, orelse=orelse):
            parts = [body, orelse]
        case cst.Subscript(value=held, slice=[cst.SubscriptElement(slice=cst.Index())]):
            return _is_shape(held)
        case cst.Call(func=cst.Name(value=name), args=args):
            if name in ("len", "int"):
                return True
            parts = [arg.value for arg in args] if name in _OF_SEVERAL and len(args) > 1 else [None]
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)), args=args):
            return (name == "size" and len(args) == 1) or (name in _METHODS and not args)
        case cst.Name():
            bound = [each.node for each in ctx.names.assignments(value)]
            return bool(bound) and all(_binds_count(ctx, node, depth - 1) for node in bound)
        case cst.Attribute(value=cst.Name(), attr=cst.Name(value=name)):
            owner = ctx.kinds.owner_of(value.value)
            parts = list(ctx.kinds.attributes.get(owner, {}).get(name, ())) if owner else []
        case _:
            return False
    return bool(parts) and all(is_count(ctx, part, depth - 1) for part in parts)


def _is_shape(node: cst.BaseExpression) -> bool:
    """Whether an expression is all sizes of a tensor."""
    match node:
        case cst.Attribute(attr=cst.Name(value="shape")):
            return True
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="size")), args=[]):
            return True
    return False


def _binds_count(ctx: Context, node: cst.CSTNode, depth: int) -> bool:
    """Whether a name is bound to a whole number there."""
    parents = ctx.names.parents
    up = parents.get(node)
    match node, up:
        case cst.Param(annotation=cst.Annotation(annotation=cst.Name(value=kind))), _:
            return kind == "int"
        case cst.Param(default=default), _:
            return default is not None and not is_none(default) and is_count(ctx, default, depth)
        case _, cst.AugAssign(operator=sign, value=value):
            whole = not isinstance(sign, cst.DivideAssign | cst.PowerAssign)
            return whole and is_count(ctx, value, depth)
        case _, cst.For(iter=cst.Call(func=cst.Name(value="range"))):
            return True
        case _, cst.CompFor(iter=cst.Call(func=cst.Name(value="range"))):
            return True
        case _, cst.Element():
            pair = parents.get(up) if up is not None else None
            whole_value = ctx.names.value_of(pair) if pair is not None else None
            if whole_value is not None and _is_shape(whole_value):
                return True
            return is_count(ctx, ctx.names.part_of(node), depth)
    return is_count(ctx, ctx.names.value_of(node), depth)
