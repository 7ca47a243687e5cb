"""Packed sequences: MindSpore's recurrent layers take the lengths instead.

torch packs rows of several lengths, runs a layer over the pack and pads what comes out. MindSpore's
layer takes the padded rows and `seq_length`, and gives the same numbers, zeros behind each row's
end, and the same last states. So the pack becomes its rows as far as the longest goes, the layer
gets the lengths, and what was padded is there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.syntax import (
    elements,
    expression,
    is_none,
    is_pure,
    keyword,
    literal,
    operand,
    upwards,
)
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import family
from onecell.migrate.rules.table.row import Signature

_HOME: Final = "torch.nn.utils.rnn"
_PACK: Final = Signature(
    f"{_HOME}.pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True)"
)
_PAD: Final = Signature(
    f"{_HOME}.pad_packed_sequence(sequence, batch_first=False, padding_value=0.0,"
    " total_length=None)"
)
_LAYERS: Final = frozenset(
    f"{home}.nn.{name}" for home in ("torch", "mindspore") for name in ("LSTM", "GRU", "RNN")
)
_ABOUT: Final = "`pack_padded_sequence`, a recurrent layer, and `layer(x, hx, seq_length=lengths)`"
_MOVES: Final = frozenset(["cpu", "cuda", "tolist", "numpy", "long", "int", "detach", "contiguous"])
_BY_HAND: Final = "give MindSpore's layer the padded rows and `seq_length=lengths`"


@family("packed", _ABOUT, [_PACK.path], gives="tensor")
def _pack(ctx: Context, node: cst.Call, path: str) -> Plan:
    del path
    given = _given(node, _PACK)
    lengths = _lengths(ctx, node)
    whole = _is_true(given.get("batch_first"))
    place = next(i for i, arg in enumerate(node.args) if arg.value is given["input"])
    for arg in node.args:
        if arg.value is not given["input"]:
            ctx.forget(arg.value)
    ctx.forget(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        part = "x_[:, : int(l_.max())]" if whole else "x_[: int(l_.max())]"
        return expression(part, x_=updated.args[place].value, l_=_tensor(ctx, lengths))

    return build


def _lengths(ctx: Context, pack: cst.Call) -> cst.BaseExpression:
    """Return the lengths that a call packs by; raises `Unsure` where the call has to stay."""
    given = _given(pack, _PACK)
    if "input" not in given or "lengths" not in given:
        raise Unsure("what is packed, or its lengths, is not written out", _BY_HAND)
    lengths = _plain(given["lengths"])
    name = _bound_to(ctx, pack)
    if name is None or not _only_runs(ctx, name):
        raise Unsure("a pack is used for more than a recurrent layer of this file", _BY_HAND)
    if not is_pure(lengths):
        raise Unsure("the lengths are computed where they are given", _BY_HAND)
    if _is_true(given.get("batch_first")) is None:
        raise Unsure("whether rows or steps come first is not written out", _BY_HAND)
    return lengths


def lengths_for(ctx: Context, call: cst.Call) -> cst.BaseExpression | None:
    """Return the lengths of the pack that a recurrent layer is run on, None where it is none."""
    if not call.args or not isinstance(call.args[0].value, cst.Name):
        return None
    pack = _packed(ctx, call.args[0].value)
    if pack is None or not _is_layer(ctx, call.func):
        return None
    try:
        return _lengths(ctx, pack)
    except Unsure:
        return None  # it is marked where it is packed


def check_lengths(ctx: Context, call: cst.Call) -> None:
    """Raise `Unsure` where a layer of MindSpore's is given lengths, which torch's has not."""
    if ctx.to != "torch" or not _is_layer(ctx, call.func):
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
    given = _given(node, _PAD)
    value = given.get("padding_value")
    if value is not None and literal(value) not in (0, 0.0):
        raise Unsure("MindSpore pads what a layer gives with zeros", _BY_HAND)
    sequence = given.get("sequence")
    pack = _source(ctx, sequence) if isinstance(sequence, cst.Name) else None
    if pack is None:
        raise Unsure("what is padded does not surely come from a layer of this file", _BY_HAND)
    if _is_true(given.get("batch_first")) is not _is_true(_given(pack, _PACK).get("batch_first")):
        raise Unsure("rows and steps change places between packing and padding", _BY_HAND)
    lengths = _lengths(ctx, pack)
    place = next(i for i, arg in enumerate(node.args) if arg.value is sequence)
    total = given.get("total_length")
    total = None if total is None or is_none(total) else total
    whole = next((i for i, arg in enumerate(node.args) if arg.value is total), None)
    for arg in node.args:
        if arg.value is not sequence and arg.value is not total:
            ctx.forget(arg.value)
    ctx.forget(node.func)
    rows_first = _is_true(given.get("batch_first"))

    def build(updated: cst.Call) -> cst.BaseExpression:
        padded = updated.args[place].value
        if whole is not None:
            step = 1 if rows_first else 0
            padded = expression(
                f"f_(x_, (0, 0, {'' if rows_first else '0, 0, '}0, t_ - x_.shape[{step}]))",
                f_=ctx.speller.spell("mindspore.ops.pad"),
                x_=padded,
                t_=operand(updated.args[whole].value),
            )
        return expression("x_, l_", x_=padded, l_=_tensor(ctx, lengths))

    if not isinstance(ctx.names.parents.get(node), cst.Assign):
        raise Unsure("what is padded is not given a name", _BY_HAND)
    return build


def _tensor(ctx: Context, lengths: cst.BaseExpression) -> cst.BaseExpression:
    return expression("f_(x_)", f_=ctx.speller.spell("mindspore.Tensor"), x_=lengths)


def _given(node: cst.Call, side: Signature) -> dict[str, cst.BaseExpression]:
    """Return parameter → argument; raises `Unsure` for arguments that are not written out."""
    found = {}
    for each in bind(node.args, side):
        if each.parameter is None:
            raise Unsure("the arguments are not written out", _BY_HAND)
        found[each.parameter] = node.args[each.index].value
    return found


def _is_true(node: cst.BaseExpression | None) -> bool | None:
    """Return what a flag says; None where that is not written out."""
    value = False if node is None else literal(node)
    return value if isinstance(value, bool) else None


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


def _bound_to(ctx: Context, node: cst.Call) -> cst.Name | None:
    """Return the one name that the value of a call is bound to."""
    up = ctx.names.parents.get(node)
    if not isinstance(up, cst.Assign) or len(up.targets) != 1:
        return None
    target = up.targets[0].target
    return target if isinstance(target, cst.Name) else None


def _only_runs(ctx: Context, pack: cst.Name) -> bool:
    """Whether all that reads a pack, until its name is bound anew, is recurrent layers."""
    line, block = _place(ctx, pack)
    for later in block[block.index(line) + 1 :]:
        reads = [
            node
            for node in nodes(later)
            if isinstance(node, cst.Name) and node.value == pack.value and node in ctx.names.loads
        ]
        if not all(_runs(ctx, read) for read in reads):
            return False
        if pack.value in _binds(later):
            return True
    return True


def _runs(ctx: Context, read: cst.CSTNode) -> bool:
    """Whether a read is the first argument of a recurrent layer of this file."""
    arg = ctx.names.parents.get(read)
    call = ctx.names.parents.get(arg) if isinstance(arg, cst.Arg) else None
    return isinstance(call, cst.Call) and call.args[0] is arg and _is_layer(ctx, call.func)


def _is_layer(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether something is a recurrent layer, as far as this file makes it."""
    values: list[cst.BaseExpression | None] = []
    kinds = ctx.kinds
    if isinstance(node, cst.Name):
        values = [ctx.names.value_of(each.node) for each in ctx.names.assignments(node)]
    elif isinstance(node, cst.Attribute) and (owner := kinds.owner_of(node.value)) is not None:
        values = list(kinds.attributes.get(owner, {}).get(node.attr.value, ()))
    return bool(values) and all(
        isinstance(value, cst.Call) and ctx.names.path(value.func) in _LAYERS for value in values
    )


def _packed(ctx: Context, name: cst.Name) -> cst.Call | None:
    """Return the call that packs what a name stands for where it is read, None for any other."""
    found = _last_bound(ctx, name)
    if found is None:
        return None
    target, value = found
    is_pack = isinstance(value, cst.Call) and ctx.names.path(value.func) == _PACK.path
    return (
        value if is_pack and isinstance(target, cst.Name) and isinstance(value, cst.Call) else None
    )


def _source(ctx: Context, name: cst.Name) -> cst.Call | None:
    """Return the call that packed what a layer made the name's value of, None if none did."""
    found = _last_bound(ctx, name)
    if found is None:
        return None
    target, run = found
    parts = elements(target)
    first = parts[0] if parts else None
    if not isinstance(first, cst.Name) or first.value != name.value:
        return None
    if not isinstance(run, cst.Call) or not _is_layer(ctx, run.func) or not run.args:
        return None
    given = run.args[0].value
    return _packed(ctx, given) if isinstance(given, cst.Name) else None


def _last_bound(
    ctx: Context, name: cst.Name
) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Return the target and value of the assignment that a name was last bound by, in its block."""
    line, block = _place(ctx, name)
    for earlier in reversed(block[: block.index(line)]):
        if name.value not in _binds(earlier):
            continue
        if isinstance(earlier, cst.SimpleStatementLine) and len(earlier.body) == 1:
            small = earlier.body[0]
            if isinstance(small, cst.Assign) and len(small.targets) == 1:
                return small.targets[0].target, small.value
        return None
    return None


def _place(
    ctx: Context, node: cst.CSTNode
) -> tuple[cst.BaseStatement, Sequence[cst.BaseStatement]]:
    """Return the statement of a block that a node is in, and the block's statements."""
    before: cst.CSTNode = node
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.IndentedBlock | cst.Module):
            assert isinstance(before, cst.BaseStatement)  # noqa: S101 - of a block
            return before, [line for line in up.body if isinstance(line, cst.BaseStatement)]
        before = up
    raise AssertionError("a node outside of its module")


def _binds(line: cst.CSTNode) -> set[str]:
    """Return the names that a statement assigns to."""
    found: set[str] = set()
    for node in nodes(line):
        targets: list[cst.CSTNode] = []
        if isinstance(node, cst.Assign):
            targets = [each.target for each in node.targets]
        elif isinstance(node, cst.AugAssign | cst.AnnAssign | cst.For | cst.NamedExpr):
            targets = [node.target]
        for target in targets:
            found |= {part.value for part in nodes(target) if isinstance(part, cst.Name)}
    return found
