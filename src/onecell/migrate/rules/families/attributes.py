"""Attributes of cells, layers, modules and tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import libcst as cst

from onecell.dialect import FRONT_ENDS
from onecell.migrate.meaning.classes import STEP
from onecell.migrate.meaning.syntax import code, expression
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import Converter
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.modules import padding, parameters
from onecell.migrate.rules.families.registry import Change, syntax
from onecell.migrate.rules.families.tensors.holders import is_parameter
from onecell.migrate.rules.table.candidates import of_method
from onecell.migrate.rules.table.row import Row
from onecell.neighbours import find_neighbour, rename_parameters

_LACKING: Final = {"grad_fn", "is_leaf", "requires_grad"}
"""Attributes of tensors that only torch has."""
_LISTS: Final = ("w_ih_list", "w_hh_list", "b_ih_list", "b_hh_list")
"""Attributes of recurrent layers that only MindSpore's have."""
_PAIR: Final[Mapping[str, int]] = {"values": 0, "indices": 1}
"""What torch calls the parts of the pair that `max` along an axis gives."""
_NOT_KEPT: Final = {"bias", "has_bias", "modules", "cells", "normalized_shape"}
"""Arguments of layers that are no attributes of them, or name something else."""


@syntax("size", cst.Attribute)
def _count(ctx: Context, node: cst.Attribute) -> None:
    """Mark the number of a MindSpore tensor's elements."""
    parent = ctx.names.parents.get(node)
    called = isinstance(parent, cst.Call) and parent.func is node
    counts = ctx.to == "torch" and node.attr.value == "size" and not called
    if counts and ctx.kinds.of(node.value) == "tensor":
        raise Unsure("`size` of a tensor is a method in torch", "write `numel()`")


def _other(ctx: Context, node: cst.Attribute) -> str | None:
    """Return what an attribute of a known object is called on the other side, None if the same."""
    kind, name = ctx.kinds.of(node.value), node.attr.value
    old, new = (FRONT_ENDS[f].constructor["bias"] for f in (ctx.source, ctx.to))
    if kind == "cell" and name == old and old != new:
        return new
    parent = ctx.names.parents.get(node)
    called = isinstance(parent, cst.Call) and parent.func is node
    if kind in ("cell", "layer", "module") and name == ctx.kinds.step and not called:
        return STEP[ctx.to]
    owner = ctx.kinds.owner_of(node.value)
    derived = ctx.kinds.base_row(owner) if owner is not None else None
    return _of_layer(ctx, node.value, name) if kind == "layer" or derived is not None else None


def _width(ctx: Context, node: cst.Attribute) -> cst.BaseExpression | None:
    """Return what a recurrent layer's `input_size` is in MindSpore, None for any attribute else."""
    row = ctx.kinds.made_by(node.value) if node.attr.value == "input_size" else None
    if ctx.to != "mindspore" or row is None or row.shape != "recurrent":
        return None
    return expression("x_.w_ih_list[0].shape[1]", x_=node.value)


def _of_layer(ctx: Context, held: cst.BaseExpression, name: str) -> str | None:
    """Return what a layer's parameter or size is called on the other side, None if the same."""
    owner = ctx.kinds.owner_of(held)
    row = ctx.kinds.made_by(held) if owner is None else ctx.kinds.base_row(owner)
    if row is None or (owner is None and _is_left(ctx, held, row)):
        return None
    found = find_neighbour(ctx.source, row.side(ctx.source).path)
    names = {} if found is None else rename_parameters(found, ctx.source, ctx.to)
    sizes = {old: new for old, new in row.names(ctx.source).items() if old not in _NOT_KEPT}
    new = {**sizes, **names}.get(name, name)
    return None if new == name else new


def _is_left(ctx: Context, held: cst.BaseExpression, row: Row) -> bool:
    """Whether a layer stays the source framework's, since its constructor cannot be converted."""
    made = [call for call in ctx.kinds.values_of(held) if isinstance(call, cst.Call)]
    try:
        for call in made:
            Converter(row, ctx.source, ctx.to, ctx.make, ctx.same).convert(call.args, call.args)
            padding.check(ctx, call, row)
    except Unsure:
        return True
    return False


def _check(ctx: Context, node: cst.Attribute) -> None:
    """Raise `Unsure` for an attribute of a tensor that the other framework's lacks."""
    parent, name = ctx.names.parents.get(node), node.attr.value
    called = isinstance(parent, cst.Call) and parent.func is node
    owner = ctx.kinds.owner_of(node.value)
    own = owner is not None and name in ctx.kinds.attributes.get(owner, ())
    is_module = ctx.kinds.of(node.value) in ("module", "") and not own
    if ctx.to == "torch" and name in _LISTS and is_module:
        raise Unsure(
            f"`{name}` of a layer has no exact counterpart", "ask `weight_ih_l0` and so on"
        )
    if called or ctx.to != "mindspore":
        return
    held = node.value
    if name in ("type", "index") and (
        ctx.kinds.of(held) == "device"
        or (
            isinstance(held, cst.Attribute)
            and held.attr.value == "device"
            and ctx.kinds.of(held.value)
            in ("tensor", "", "module", "cell")  # or what a property of it gives
        )
    ):
        raise Unsure(
            f"a device is a string in MindSpore, without `{name}`",
            "compare the string itself, such as `CPU`",
        )
    if ctx.kinds.of(held) != "tensor":
        return
    if name in _PAIR:
        raise Unsure(f"MindSpore gives a plain pair, without `{name}`", f"write `[{_PAIR[name]}]`")
    if name == "requires_grad" and is_parameter(ctx, held):
        return
    if name in _LACKING:
        raise Unsure(f"`{name}` of a tensor has no exact counterpart")


@syntax("attribute", cst.Attribute)
def _attribute(ctx: Context, node: cst.Attribute) -> Change | None:
    try:
        _check(ctx, node)
    except Unsure as why:
        raise Unsure(why.message, why.by_hand or of_method(node.attr.value)) from why
    if (width := _width(ctx, node)) is not None:
        return Change("MindSpore's layer keeps no `input_size`.", lambda _: width)
    old, new = node.attr.value, _other(ctx, node)
    supposed: tuple[str, ...] = ()
    if new is None:
        found = parameters.renamed(ctx, node)
        if found is None:
            return None
        new, sure = found
        supposed = () if sure else (f"`{code(node.value)}` is a layer of this project",)
    named = cst.Name(new)
    return Change(f"`{old}` is `{new}`.", lambda u: u.with_changes(attr=named), supposed)
