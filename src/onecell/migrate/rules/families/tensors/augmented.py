"""`x += y` of a tensor that is given: whoever gives it sees the change in torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, operand, upwards
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.registry import Change, syntax
from onecell.migrate.rules.families.tensors.in_place import viewed

_OPERATORS: Final[Mapping[type[cst.BaseAugOp], str]] = {
    cst.AddAssign: "+",
    cst.SubtractAssign: "-",
    cst.MultiplyAssign: "*",
    cst.DivideAssign: "/",
}


_OF_TENSORS: Final = frozenset(
    "size numel dim unsqueeze expand expand_as view_as type_as float long detach permute clone mm"  # noqa: SIM905 - as above
    " bmm masked_fill gather scatter index_select contiguous cuda cpu device new_zeros".split()
)
"""Attributes that tensors have, and nothing else of this kind."""


_LIKE: Final = frozenset(["expand_as", "view_as", "type_as", "reshape_as"])


def _supposed(ctx: Context, node: cst.AugAssign) -> str | None:
    """Return what has to hold for `x += y` of a tensor that is given to be `x.copy_(x + y)`.

    Whoever gives it sees the change. None where x may be a number, is bound to something else as
    well, or is no parameter of a function.
    """
    target = node.target
    if ctx.to != "mindspore" or type(node.operator) not in _OPERATORS:
        return None
    reads = _reads_beside(ctx, target) if isinstance(target, cst.Name) else []
    if not isinstance(target, cst.Name) or not any(_is_of_tensor(ctx, read) for read in reads):
        return None
    bound = {each.node for read in reads for each in ctx.names.assignments(read)}
    values = [
        ctx.names.value_of(each)
        for each in bound
        if not isinstance(each, cst.Param)
        and not isinstance(ctx.names.parents.get(each), cst.AugAssign)
    ]
    given = any(isinstance(each, cst.Param) for each in bound)
    whole = all(isinstance(v, cst.Name | cst.Attribute) and viewed(v) is None for v in values)
    return f"`{target.value}` is no part of another tensor" if given and whole else None


def _reads_beside(ctx: Context, target: cst.Name) -> list[cst.Name]:
    """Return what reads a name in the function that binds it."""

    def function_of(node: cst.CSTNode) -> cst.CSTNode | None:
        ups = upwards(node, ctx.names.parents)
        return next((up for up in ups if isinstance(up, cst.FunctionDef)), None)

    home = function_of(target)
    every = ctx.names.called(target.value)
    return [each for each in every if each in ctx.names.loads and function_of(each) is home]


def _is_of_tensor(ctx: Context, read: cst.Name) -> bool:
    """Whether a name is read as that of a tensor."""
    up = ctx.names.parents.get(read)
    if isinstance(up, cst.Attribute) and up.value is read and up.attr.value in _OF_TENSORS:
        return True
    call = ctx.names.parents.get(up) if isinstance(up, cst.Arg) else None
    func = call.func if isinstance(call, cst.Call) else None
    likened = isinstance(func, cst.Attribute) and func.attr.value in _LIKE
    return likened or ctx.kinds.of(read) == "tensor"


def _copied(node: cst.AugAssign) -> cst.Expr:
    """Return `x.copy_(x + y)` for `x += y`."""
    sign = _OPERATORS[type(node.operator)]
    value = node.value if sign == "+" else operand(node.value)
    return cst.Expr(expression(f"x_.copy_(x_ {sign} v_)", x_=node.target, v_=value))


@syntax("in_place", cst.AugAssign)
def _given(ctx: Context, node: cst.AugAssign) -> Change | None:
    said = _supposed(ctx, node)
    if said is None:
        return None
    return Change("What else holds the tensor sees the change.", _copied, (said,))
