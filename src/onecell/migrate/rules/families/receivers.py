"""What a method is called on, and the plans that methods share."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import code
from onecell.migrate.rules.context import Context, Plan


def is_super(node: cst.BaseExpression) -> bool:
    """Whether `node` is a call of `super`."""
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == "super"
    )


def renaming(new: str) -> Plan:
    """Return the plan that calls a method by another name."""

    def build(updated: cst.Call) -> cst.Call:
        assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - methods stay methods
        return updated.with_changes(func=updated.func.with_changes(attr=cst.Name(new)))

    return build


def receiver(updated: cst.Call) -> cst.BaseExpression:
    """Return what a method is called on: the plan that leaves the call out."""
    assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - methods stay methods
    return updated.func.value


def moves(ctx: Context, node: cst.Call) -> bool:
    """Whether every argument of `.to(...)` is a device."""
    return bool(node.args) and all(
        is_device(ctx, arg.value)
        or (arg.keyword is not None and arg.keyword.value in ("device", "non_blocking"))
        for arg in node.args
    )


def is_device(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression is a device: made by torch, a string, or called so."""
    if ctx.kinds.of(node) == "device" or isinstance(node, cst.SimpleString):
        return True
    return code(node).rpartition(".")[2].strip("_").lower() in ("device", "dev")


def forget_args(ctx: Context, node: cst.Call) -> None:
    """Note that the arguments of a call are left out."""
    for arg in node.args:
        ctx.forget(arg.value)
