"""Which pack a recurrent layer runs on, where padded rows come from, and whose steps come first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.names import root
from onecell.migrate.meaning.syntax import code, elements, is_named, is_pure, literal, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.row import Signature

HOME: Final = "torch.nn.utils.rnn"
PACK: Final = Signature(
    f"{HOME}.pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True)"
)
_LAYERS: Final = frozenset(
    f"{home}.nn.{name}" for home in ("torch", "mindspore") for name in ("LSTM", "GRU", "RNN")
)
BY_HAND: Final = "give MindSpore's layer the padded rows and `seq_length=lengths`"


def layers_of(ctx: Context, pack: cst.Call) -> list[cst.Call]:
    """Return the constructors of the layers that run on a pack.

    Raises:
        Unsure: something else takes it.
    """
    if isinstance(ctx.names.parents.get(pack), cst.Arg):
        runs = [_run(ctx, pack)]
    else:
        name = _bound_to(ctx, pack)
        runs = [None] if name is None else _runs(ctx, name)
    made = [makers(ctx, run.func) if run is not None else [] for run in runs]
    if not all(made):
        raise Unsure("a pack is used for more than a recurrent layer of this file", BY_HAND)
    return [layer for each in made for layer in each]


def turns(ctx: Context, layers: list[cst.Call], first: cst.BaseExpression | None) -> bool:
    """Whether layers have rows and steps the other way round than a pack, which torch allows.

    Raises:
        Unsure: that is not seen.
    """
    found = set()
    for layer in layers:
        theirs = next((a.value for a in layer.args if is_named(a, "batch_first")), None)
        one, other = is_true(ctx, first), is_true(ctx, theirs)
        if one is None and other is None and first is not None and theirs is not None:
            found.add(False if _told(ctx, first) == _told(ctx, theirs) else None)
        else:
            found.add(None if one is None or other is None else one is not other)
        if len(layer.args) > 4 and layer.args[4].keyword is None:
            found.add(None)  # too many positions to see the flag
    turned = found.pop() if len(found) == 1 else None
    if turned is None:
        raise Unsure("whether rows or steps come first is not written out", BY_HAND)
    return turned


def given_to(node: cst.Call, side: Signature) -> dict[str, cst.BaseExpression]:
    """Return parameter → argument; raises `Unsure` for arguments that are not written out."""
    found = {}
    for each in bind(node.args, side):
        if each.parameter is None:
            raise Unsure("the arguments are not written out", BY_HAND)
        found[each.parameter] = node.args[each.index].value
    return found


def is_true(ctx: Context, node: cst.BaseExpression | None) -> bool | None:
    """Return what a flag says, also one that is kept on `self`; None where that is not seen."""
    value = False if node is None else literal(_kept(ctx, node))
    return value if isinstance(value, bool) else None


def _kept(ctx: Context, node: cst.BaseExpression) -> cst.BaseExpression:
    """Return what an attribute of `self` is given, once for all, or the expression itself."""
    owner = ctx.kinds.owner_of(node.value) if isinstance(node, cst.Attribute) else None
    if owner is None or not isinstance(node, cst.Attribute):
        return node
    values = ctx.kinds.attributes.get(owner, {}).get(node.attr.value, [])
    return values[0] if len(values) == 1 else node


def _told(ctx: Context, flag: cst.BaseExpression) -> tuple[str, frozenset[int]]:
    """Return what tells a flag from others, also where it was put on `self`: text and bindings."""
    if not is_pure(flag):
        raise Unsure("whether rows or steps come first is computed", BY_HAND)
    kept = _kept(ctx, flag)
    first = root(kept)
    bound = ctx.names.assignments(first) if isinstance(first, cst.Name) else []
    return code(kept), frozenset(id(each.node) for each in bound)


def _bound_to(ctx: Context, node: cst.Call) -> cst.Name | None:
    """Return the one name that the value of a call is bound to."""
    up = ctx.names.parents.get(node)
    if not isinstance(up, cst.Assign) or len(up.targets) != 1:
        return None
    target = up.targets[0].target
    return target if isinstance(target, cst.Name) else None


def _runs(ctx: Context, pack: cst.Name) -> list[cst.Call | None]:
    """Return what reads a pack until its name is bound anew: None for more than a layer's call."""
    line, block = _place(ctx, pack)
    found: list[cst.Call | None] = []
    for later in block[block.index(line) + 1 :]:
        found += [
            _run(ctx, node)
            for node in nodes(later)
            if isinstance(node, cst.Name) and node.value == pack.value and node in ctx.names.loads
        ]
        if pack.value in _binds(later):
            break
    return found


def _run(ctx: Context, read: cst.CSTNode) -> cst.Call | None:
    """Return the call of a recurrent layer of this file that something is the first argument of."""
    arg = ctx.names.parents.get(read)
    call = ctx.names.parents.get(arg) if isinstance(arg, cst.Arg) else None
    runs = isinstance(call, cst.Call) and call.args[0] is arg and makers(ctx, call.func)
    return call if runs and isinstance(call, cst.Call) else None


def makers(ctx: Context, node: cst.BaseExpression) -> list[cst.Call]:
    """Return the calls that make a recurrent layer, none where this file makes something else."""
    values = ctx.kinds.values_of(node)
    made = [v for v in values if isinstance(v, cst.Call) and ctx.names.path(v.func) in _LAYERS]
    return made if len(made) == len(values) else []


def packed_by(ctx: Context, value: cst.BaseExpression) -> cst.Call | None:
    """Return the call that packs what is read, or stands, there; None for anything else."""
    if isinstance(value, cst.Name):
        found = _last_bound(ctx, value)
        if found is None or not isinstance(found[0], cst.Name):
            return None
        value = found[1]
    is_pack = isinstance(value, cst.Call) and ctx.names.path(value.func) == PACK.path
    return value if is_pack and isinstance(value, cst.Call) else None


def source_of(ctx: Context, value: cst.BaseExpression) -> tuple[cst.Call, cst.Call] | None:
    """Return the run of a layer whose rows a value is, and the call that packed them, or None."""
    if isinstance(value, cst.Name):
        found = _last_bound(ctx, value)
        if found is None:
            return None
        target, run = found
        parts = elements(target)
        if parts is None:
            return source_of(ctx, run) if isinstance(run, cst.Subscript) else None
        if not parts or not isinstance(parts[0], cst.Name) or parts[0].value != value.value:
            return None
    elif isinstance(value, cst.Subscript) and code(value).endswith("[0]"):
        run = value.value
    else:
        return None
    if not isinstance(run, cst.Call) or not run.args or not makers(ctx, run.func):
        return None
    pack = packed_by(ctx, run.args[0].value)
    return None if pack is None else (run, pack)


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
