"""Devices, which MindSpore has one of for the process: names of them go, or hold its own name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import literal, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.receivers import is_device
from onecell.migrate.rules.families.registry import Change, family, syntax

_BY_HAND: Final = "leave it out, or write a string: MindSpore has one device for the process"
_SCOPES: Final = cst.FunctionDef | cst.ClassDef


def _is_device_only(ctx: Context, node: cst.Assign) -> bool:
    """Whether a statement names a device that is used for nothing but moving things there."""
    target = node.targets[0].target
    if ctx.to != "mindspore" or len(node.targets) != 1 or not isinstance(target, cst.Name):
        return False
    if ctx.kinds.of(node.value) != "device" or target in ctx.pinned:
        return False
    ups = upwards(node, ctx.names.parents)
    around: Iterator[cst.CSTNode] = (up for up in ups if isinstance(up, _SCOPES))
    scope = next(around, None)
    if isinstance(scope, cst.ClassDef):
        return False  # anybody may read it as an attribute
    if scope is None and target.value in ctx.outside.taken:
        return False
    reads = ctx.names.reads_of(target)
    # One that nothing here reads is there for other files.
    return bool(reads) and all(_moves_only(ctx, name) for name in reads)


def _moves_only(ctx: Context, name: cst.CSTNode) -> bool:
    arg = ctx.names.parents.get(name)
    if not isinstance(arg, cst.Arg):
        return False
    if arg.keyword is not None:
        return arg.keyword.value in ("device", "map_location")
    call = ctx.names.parents.get(arg)
    return (
        isinstance(call, cst.Call)
        and isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "to"
        and is_device(ctx, arg.value)
    )


@syntax("device", cst.Assign)
def _named(ctx: Context, node: cst.Assign) -> Change | None:
    if not _is_device_only(ctx, node):
        return None
    ctx.forget(node.value)
    ctx.devices.add(node.targets[0].target)
    return Change("MindSpore has one device for the process.", below=False)


@family("device", "a `torch.device(…)` that is kept", ["torch.device"], gives="device")
def _made(ctx: Context, node: cst.Call, path: str) -> Plan:
    """Keep what a device is called where it is kept: what is moved there stays where it is."""
    del path
    if not isinstance(ctx.names.parents.get(node), cst.Assign):
        raise Unsure("what a device is made for is not seen", _BY_HAND)
    if not (len(node.args) == 1 and _may_be_cpu(node.args[0].value)):
        raise Unsure("which device is meant depends on the machine", _BY_HAND)
    ctx.forget(node)
    return lambda _: cst.SimpleString('"CPU"')


def _may_be_cpu(name: cst.BaseExpression) -> bool:
    """Whether a device's name is `cpu`, or that where something is not to be had."""
    if isinstance(name, cst.IfExp):
        return _may_be_cpu(name.body) or _may_be_cpu(name.orelse)
    return literal(name) == "cpu"
