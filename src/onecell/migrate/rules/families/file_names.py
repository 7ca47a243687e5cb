"""Names of checkpoints: how they end in each framework, as far as the module shows it."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.scopes import Assignment
from onecell.migrate.meaning.syntax import is_none, literal
from onecell.migrate.rules.context import Context

_SUFFIXES: Final = {"torch": (".pt", ".pth"), "mindspore": (".ckpt",)}
"""Framework → how the names of its checkpoints end, the usual one first."""
_DEPTH: Final = 10


def renamed(ctx: Context, name: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return a file's name with the suffix of `ctx.to`, None where its end is not written out."""
    match name:
        case cst.SimpleString() if isinstance(literal(name), str):
            quotes = len(name.quote)
            text = name.value[:-quotes]
            cut = _cut(ctx, text)
            return None if cut is None else name.with_changes(value=cut + name.quote)
        case cst.FormattedString(parts=[*before, cst.FormattedStringText() as last]):
            cut = _cut(ctx, last.value)
            if cut is None:
                return None
            return name.with_changes(parts=[*before, last.with_changes(value=cut)])
        case cst.ConcatenatedString():
            right = renamed(ctx, name.right)
            return right and name.with_changes(right=right)
        case cst.BinaryOperation(operator=cst.Add()):
            right = renamed(ctx, name.right)
            return right and name.with_changes(right=right)
    return None


def _cut(ctx: Context, text: str) -> str | None:
    """Return `text` with the suffix of `ctx.to` for one of the source's; None if it has neither."""
    put = _SUFFIXES[ctx.to]
    if text.endswith(put):
        return text
    old = next((end for end in _SUFFIXES[ctx.source] if text.endswith(end)), None)
    return text.removesuffix(old) + put[0] if old is not None else None


def is_given_name(ctx: Context, name: cst.BaseExpression, depth: int = _DEPTH) -> bool:
    """Whether whoever calls or runs the module chooses a file's name, and so how it ends.

    False where the module makes the name, and its end was not seen.
    """
    if depth == 0:
        return False
    if isinstance(name, cst.Attribute):
        owner = ctx.kinds.owner_of(name.value)
        kept = ctx.kinds.attributes.get(owner, {}) if owner is not None else {}
        values = [v for v in kept.get(name.attr.value, ()) if not is_none(v)]
        return all(is_given_name(ctx, value, depth - 1) for value in values)
    if not isinstance(name, cst.Name):
        return False
    bound = ctx.names.assignments(name)
    return bool(bound) and all(
        isinstance(each, Assignment) and _is_given(ctx, each.node, depth - 1) for each in bound
    )


def _is_given(ctx: Context, target: cst.CSTNode, depth: int) -> bool:
    if isinstance(target, cst.Param):
        return target.default is None or is_none(target.default)
    value = ctx.names.value_of(target)
    return value is not None and is_given_name(ctx, value, depth)


_LEAVES: Final = frozenset(
    ("weight", "bias", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "gamma", "beta")
)
"""Names of tensors of a module that is saved alone: a flat dictionary has these."""


def inner_key(ctx: Context, load: cst.Call) -> str | None:
    """Return a key by which a part of what is loaded is read, None where nothing shows one.

    A name with a dot, or of a parameter, is a tensor's, which a flat file has too.
    """
    up = ctx.names.parents.get(load)
    read: list[cst.CSTNode] = [load]
    if isinstance(up, cst.Assign) and isinstance(up.targets[0].target, cst.Name):
        read = ctx.names.reads_of(up.targets[0].target)
    for node in read:
        around = ctx.names.parents.get(node)
        value: object = None
        if isinstance(around, cst.Subscript) and around.value is node and len(around.slice) == 1:
            index = around.slice[0].slice
            value = literal(index.value) if isinstance(index, cst.Index) else None
        elif isinstance(around, cst.Attribute) and around.attr.value in ("get", "pop"):
            call = ctx.names.parents.get(around)
            if isinstance(call, cst.Call) and call.args:
                value = literal(call.args[0].value)
        if isinstance(value, str) and "." not in value and value not in _LEAVES:
            return value
    return None
