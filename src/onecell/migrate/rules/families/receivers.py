"""What a method is called on, and the plans that methods share."""

from __future__ import annotations

from typing import Final

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


_OF_MODULES: Final = frozenset(
    "eval parameters named_parameters state_dict load_state_dict zero_grad modules children".split()  # noqa: SIM905 - one line
)
"""Methods without which few modules are used, and which nothing else has."""


def is_like_module(ctx: Context, node: cst.Call) -> bool:
    """Whether what a method is called on is used as a module in this file.

    It is, if it has another method of modules called, or is itself called with something.
    """
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    name = node.func.attr.value
    if _is_part(ctx, node.func.value) and name == ctx.kinds.step and node.args:
        steps = [f for f in ctx.names.of_kind(cst.FunctionDef) if f.name.value == name]
        owners = [ctx.kinds.method_of(each) for each in steps]
        return all(owner is None or ctx.kinds.of_class(owner) for owner in owners)
    if ctx.kinds.defines(name):
        return False
    if name in _OF_MODULES and not node.args:
        return True
    held = code(node.func.value)
    for call in ctx.names.of_kind(cst.Call):
        func = call.func
        method = isinstance(func, cst.Attribute) and func.attr.value in _OF_MODULES
        if method and isinstance(func, cst.Attribute) and code(func.value) == held:
            return True
        if call.args and isinstance(func, cst.Name | cst.Attribute) and code(func) == held:
            return True
    return False


def _is_part(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression is an attribute of a module of this file, as its parts are."""
    owner = ctx.kinds.owner_of(node.value) if isinstance(node, cst.Attribute) else None
    return owner is not None and bool(ctx.kinds.of_class(owner))


def shown(node: cst.Call) -> str:
    """Return what a method is called on, as the source has it, on one line."""
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    return " ".join(code(node.func.value).split())


def may_be_tensor(ctx: Context, node: cst.Call) -> bool:
    """Whether an unknown receiver may be a tensor: nothing of another library's."""
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    value = node.func.value
    return ctx.names.path(value) is None and not isinstance(
        value, cst.SimpleString | cst.FormattedString | cst.Dict | cst.List | cst.Tuple
    )
