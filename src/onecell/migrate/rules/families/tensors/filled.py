"""What a tensor is filled with decides its element type in torch, and never in MindSpore."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import keyword, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter, bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.called import converted
from onecell.migrate.rules.families.registry import shape
from onecell.migrate.rules.table.row import Row

_NOT_FINITE: Final = frozenset(
    f"{home}.{name}"
    for home in ("math", "numpy", "torch")
    for name in ("nan", "inf", "NaN", "NINF")
)


@shape("filled")
def _filled(ctx: Context, node: cst.Call, row: Row, converter: Converter) -> Plan:
    """Without a `dtype`, MindSpore makes integers of any value, and torch what the value is."""
    bound = {b.parameter: node.args[b.index].value for b in bind(node.args, row.side(ctx.source))}
    value = literal(bound["fill_value"])
    missing = "dtype" not in bound and not (isinstance(value, int) and not isinstance(value, bool))
    if missing and not (ctx.to == "mindspore" and _is_float(ctx, bound["fill_value"])):
        raise Unsure("without `dtype`, MindSpore makes integers", "give both sides a `dtype`")

    def result(made: cst.Call) -> cst.Call:
        typed = keyword("dtype", ctx.speller.spell("mindspore.float32"))
        return made.with_changes(args=[*made.args, typed])

    return converted(ctx, node, row, converter, result=result if missing else None)


def _is_float(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression is surely a Python float, or a name bound to nothing else."""
    if isinstance(node, cst.UnaryOperation):
        return _is_float(ctx, node.expression)
    if isinstance(node, cst.BinaryOperation):  # of numbers, which alone may fill
        parts = (node.left, node.right)
        return isinstance(node.operator, cst.Divide) or any(_is_float(ctx, p) for p in parts)
    if isinstance(literal(node), float) or ctx.names.path(node) in _NOT_FINITE:
        return True
    if isinstance(node, cst.Call):
        made = node.func
        return (
            isinstance(made, cst.Name) and made.value == "float" and not ctx.names.assignments(made)
        )
    if not isinstance(node, cst.Name):
        return False
    values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(node)]
    return bool(values) and all(value is not None and _is_float(ctx, value) for value in values)
