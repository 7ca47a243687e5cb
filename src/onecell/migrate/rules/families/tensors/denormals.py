"""Logarithms of what a number too small for float32 was added to: `(mask + 1e-45).log()`.

torch gives -103.28 where the mask is zero. MindSpore's logarithm of float32 takes what is below the
smallest normal number for that number, and gives -87.3 or less; its logarithm of float64 does not.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_pure, literal
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.row import Row

_SMALLEST: Final = 2.0**-126
"""The smallest normal float32."""


def kept_type(ctx: Context, node: cst.Call, row: Row) -> cst.BaseExpression | None:
    """Return the element type that a logarithm has to give back once it is computed in float64.

    None for any that need not be.
    """
    if ctx.to != "mindspore" or row.rule != "log" or len(node.args) != 1 or node.args[0].star:
        return None
    value = node.args[0].value
    if not isinstance(value, cst.BinaryOperation) or not isinstance(value.operator, cst.Add):
        return None
    for number, other in ((value.right, value.left), (value.left, value.right)):
        tiny = literal(number)
        if not isinstance(tiny, float) or not 0 < tiny < _SMALLEST:
            continue
        match other:
            case cst.Call(func=cst.Attribute(attr=cst.Name(value="float")), args=[]):
                return ctx.speller.spell("mindspore.float32")
        return expression("x_.dtype", x_=other) if is_pure(other) else None
    return None


def in_float64(ctx: Context, node: cst.Call) -> cst.Call:
    """Return a call with what it is given made float64."""
    wide = expression(
        "x_.astype(t_)", x_=node.args[0].value, t_=ctx.speller.spell("mindspore.float64")
    )
    return node.with_changes(args=[node.args[0].with_changes(value=wide)])
