"""Items of parameters that are set: `p.data[i] = t` in torch, `p[i] = t` in MindSpore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import is_pure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.registry import Change, syntax
from onecell.migrate.rules.families.tensors.holders import (
    is_parameter,
)

_Retarget = Callable[[cst.BaseExpression], cst.BaseExpression]


def _item_target(ctx: Context, target: cst.BaseExpression) -> _Retarget | None:
    """Return how an item of a parameter is named where it is set, None where it may stay.

    MindSpore keeps nothing of what is set in `p.data`, and torch lets no item of p itself be set.
    """
    if not isinstance(target, cst.Subscript) or not is_pure(target.value):
        return None
    held = target.value
    if ctx.to == "torch":
        return _of_data if is_parameter(ctx, held) and ctx.names.path(held) is None else None
    if not isinstance(held, cst.Attribute) or held.attr.value != "data":
        return None
    is_tensor = is_parameter(ctx, held.value) or ctx.kinds.of(held.value) == "tensor"
    return less_data if is_tensor and ctx.names.path(held) is None else None


def _of_data(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return `p.data[i]` for `p[i]`."""
    assert isinstance(node, cst.Subscript)  # noqa: S101 - the caller asked
    return node.with_changes(value=cst.Attribute(node.value, cst.Name("data")))


def less_data(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return `p` for `p.data`, and `p[i]` for `p.data[i]`."""
    if isinstance(node, cst.Attribute) and node.attr.value == "data":
        return node.value
    if isinstance(node, cst.Subscript):
        return node.with_changes(value=less_data(node.value))
    return node


_SAID: Final = "An item of a parameter is set."


@syntax("data_item", cst.Assign)
def _set(ctx: Context, node: cst.Assign) -> Change | None:
    others = [_item_target(ctx, each.target) for each in node.targets]
    if not any(others):
        return None

    def build(updated: cst.Assign) -> cst.Assign:
        pairs = zip(others, updated.targets, strict=True)
        named = [t.with_changes(target=other(t.target)) if other else t for other, t in pairs]
        return updated.with_changes(targets=named)

    return Change(_SAID, build)


@syntax("data_item", cst.AugAssign)
def _augmented(ctx: Context, node: cst.AugAssign) -> Change | None:
    other = _item_target(ctx, node.target)
    if other is None:
        return None
    return Change(_SAID, lambda updated: updated.with_changes(target=other(updated.target)))
