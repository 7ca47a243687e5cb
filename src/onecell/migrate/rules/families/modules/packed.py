"""Packed sequences: MindSpore's recurrent layers take the lengths instead.

torch packs rows of several lengths, runs a layer over the pack and pads what comes out. MindSpore's
layer takes the padded rows and `seq_length`, and gives the same numbers, zeros behind each row's
end, and the same last states. So the pack becomes its rows as far as the longest goes, the layer
gets the lengths, and what was padded is there already.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_none, is_pure, keyword, literal, operand
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.modules.packs import (
    BY_HAND,
    HOME,
    PACK,
    given_to,
    is_true,
    layers_of,
    makers,
    packed_by,
    source_of,
    turns,
)
from onecell.migrate.rules.families.registry import family
from onecell.migrate.rules.table.row import Signature

_PAD: Final = Signature(
    f"{HOME}.pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None)"
)
_ABOUT: Final = "`pack_padded_sequence`, a recurrent layer, and `layer(x, hx, seq_length=lengths)`"
_MOVES: Final = frozenset(["cpu", "cuda", "tolist", "numpy", "long", "int", "detach", "contiguous"])


@family("packed", _ABOUT, [PACK.path], gives="tensor")
def _pack(ctx: Context, node: cst.Call, path: str) -> Plan:
    del path
    given = given_to(node, PACK)
    lengths = _lengths(ctx, node)
    first = given.get("batch_first")
    turned = turns(ctx, layers_of(ctx, node), first)
    place = next(i for i, arg in enumerate(node.args) if arg.value is given["input"])
    for arg in node.args:
        if arg.value is not given["input"]:
            ctx.forget(arg.value)
    ctx.forget(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        parts = "x_[:, : int(l_.max())]", "x_[: int(l_.max())]"
        part = _either(ctx, first, parts) + (".swapaxes(0, 1)" if turned else "")
        return expression(
            part, x_=updated.args[place].value, l_=_tensor(ctx, lengths), f_=first or lengths
        )

    return build


def _either(ctx: Context, first: cst.BaseExpression | None, parts: tuple[str, str]) -> str:
    """Return what to write if rows come first and if steps do: one of them, where that is seen."""
    flag = is_true(ctx, first)
    return parts[0] if flag is True else parts[1] if flag is False else " if f_ else ".join(parts)


def _lengths(ctx: Context, pack: cst.Call) -> cst.BaseExpression:
    """Return the lengths that a call packs by; raises `Unsure` where the call has to stay."""
    given = given_to(pack, PACK)
    if "input" not in given or "lengths" not in given:
        raise Unsure("what is packed, or its lengths, is not written out", BY_HAND)
    lengths = _plain(given["lengths"])
    run_by = layers_of(ctx, pack)
    if not is_pure(lengths):
        raise Unsure("the lengths are computed where they are given", BY_HAND)
    turns(ctx, run_by, given.get("batch_first"))
    return lengths


def lengths_for(ctx: Context, call: cst.Call) -> cst.BaseExpression | None:
    """Return the lengths of the pack that a recurrent layer is run on, None where it is none."""
    pack = packed_by(ctx, call.args[0].value) if call.args else None
    if pack is None or not makers(ctx, call.func):
        return None
    try:
        return _lengths(ctx, pack)
    except Unsure:
        return None  # it is marked where it is packed


def check_lengths(ctx: Context, call: cst.Call) -> None:
    """Raise `Unsure` where a layer of MindSpore's is given lengths, which torch's has not."""
    if ctx.to != "torch" or not makers(ctx, call.func):
        return
    if len(call.args) > 2 or any(
        arg.keyword is not None and arg.star == "" and arg.keyword.value == "seq_length"
        for arg in call.args
    ):
        raise Unsure(
            "torch's recurrent layers take no `seq_length`",
            "pack the rows with `pack_padded_sequence` and pad what comes out",
        )


def with_lengths(ctx: Context, lengths: cst.BaseExpression, updated: cst.Call) -> cst.Call:
    """Return a call of a recurrent layer that is given the lengths of its rows as well."""
    named = keyword("seq_length", _tensor(ctx, lengths))
    return updated.with_changes(args=[*updated.args, named])


@family("packed", _ABOUT, [_PAD.path])
def _pad(ctx: Context, node: cst.Call, path: str) -> Plan:
    del path
    given = given_to(node, _PAD)
    value = given.get("padding_value")
    if value is not None and literal(value) not in (0, 0.0):
        raise Unsure("MindSpore pads what a layer gives with zeros", BY_HAND)
    sequence = given.get("sequence")
    found = source_of(ctx, sequence) if sequence is not None else None
    if found is None or sequence is None:
        raise Unsure("what is padded does not surely come from a layer of this file", BY_HAND)
    run, pack = found
    lengths = _lengths(ctx, pack)
    first = given.get("batch_first")
    turned = turns(ctx, makers(ctx, run.func), first)
    place = next(i for i, arg in enumerate(node.args) if arg.value is sequence)
    total = given.get("total_length")
    total = None if total is None or is_none(total) else total
    whole = next((i for i, arg in enumerate(node.args) if arg.value is total), None)
    for arg in node.args:
        if arg.value is not sequence and arg.value is not total:
            ctx.forget(arg.value)
    ctx.forget(node.func)
    assigned = isinstance(ctx.names.parents.get(node), cst.Assign | cst.Return)

    def build(updated: cst.Call) -> cst.BaseExpression:
        padded = updated.args[place].value
        if turned:
            padded = expression("x_.swapaxes(0, 1)", x_=padded)
        if whole is not None:
            more = "(0, 0, 0, t_ - x_.shape[1])", "(0, 0, 0, 0, 0, t_ - x_.shape[0])"
            padded = expression(
                f"p_(x_, {_either(ctx, first, more)})",
                p_=ctx.speller.spell("mindspore.ops.pad"),
                x_=padded,
                t_=operand(updated.args[whole].value),
                f_=first or lengths,
            )
        pair = "x_, l_" if assigned else "(x_, l_)"
        return expression(pair, x_=padded, l_=_tensor(ctx, lengths))

    return build


def _tensor(ctx: Context, lengths: cst.BaseExpression) -> cst.BaseExpression:
    return expression("f_(x_)", f_=ctx.speller.spell("mindspore.Tensor"), x_=lengths)


def _plain(lengths: cst.BaseExpression) -> cst.BaseExpression:
    """Return the lengths without what only moves them: `l` for `l.cpu().tolist()`."""
    while True:
        if isinstance(lengths, cst.Attribute) and lengths.attr.value == "data":
            lengths = lengths.value
        elif (
            isinstance(lengths, cst.Call)
            and isinstance(lengths.func, cst.Attribute)
            and lengths.func.attr.value in _MOVES
            and not lengths.args
        ):
            lengths = lengths.func.value
        else:
            return lengths
