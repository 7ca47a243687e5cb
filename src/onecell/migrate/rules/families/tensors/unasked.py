"""`requires_grad` of what is no parameter: MindSpore differentiates functions, and keeps none."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import literal, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.tensors.holders import is_own_parameter

_ASKING: Final = ("grad", "retain_grad", "register_hook")
"""Attributes by which a program asks a tensor for its gradient."""
_DIFFERENTIATES: Final = "`requires_grad` has no counterpart: MindSpore differentiates functions"
_BY_HAND: Final = "name the tensor in `grad_position` of mindspore.value_and_grad"
_SUPPOSED: Final = "nobody asks for the gradient of what is made with `requires_grad`"


def suppose_unasked(ctx: Context, node: cst.Call) -> None:
    """Suppose that nobody asks for the gradient of the tensor that a call makes.

    Raises:
        Unsure: this file asks tensors for gradients, or gives what is made to an optimizer.
    """
    if _asks(ctx) or _is_optimized(ctx, node):
        raise Unsure(_DIFFERENTIATES, _BY_HAND)
    ctx.holds.setdefault(node, []).append(_SUPPOSED)


def plan_requiring(ctx: Context, node: cst.Call, *, fresh: bool) -> Plan | None:
    """Plan `x.requires_grad_()`, None where it may be a parameter's; `fresh` of what is made here.

    Raises:
        Unsure: somebody asks for the gradient.
    """
    wanted = literal(node.args[0].value) if node.args else True
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - a method
    if wanted is False and fresh:
        return _held
    if wanted is not True:
        return None
    if not _is_trained(ctx, node.func.value):
        suppose_unasked(ctx, node)
    return _held


def _held(updated: cst.Call) -> cst.BaseExpression:
    return cst.ensure_type(updated.func, cst.Attribute).value


def _is_trained(ctx: Context, held: cst.BaseExpression) -> bool:
    """Whether an attribute of `self` is a parameter that nothing here keeps from training."""
    if not isinstance(held, cst.Attribute) or ctx.names.called("requires_grad"):
        return False
    return is_own_parameter(ctx, held)


def _asks(ctx: Context) -> bool:
    for asked in _ASKING:
        for name in ctx.names.called(asked):
            up = ctx.names.parents.get(name)
            if isinstance(up, cst.Attribute) and up.attr is name:
                return True
    return any(
        (ctx.names.path(call.func) or "").startswith("torch.autograd.grad")
        for call in ctx.names.of_kind(cst.Call)
    )


def _is_optimized(ctx: Context, node: cst.Call) -> bool:
    """Whether an optimizer is given what a call makes, here or by the name that it gets."""
    given: list[cst.CSTNode] = [node]
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.Assign):
            for target in (each.target for each in up.targets):
                if isinstance(target, cst.Name):
                    given += ctx.names.reads_of(target)
        if isinstance(up, cst.BaseSmallStatement):
            break
    return any(
        isinstance(up, cst.Call)
        and (row := ctx.row(up.func)) is not None
        and row.gives == "optimizer"
        for each in given
        for up in upwards(each, ctx.names.parents)
    )
