"""Names of checkpoints: how they end in each framework, wherever a module writes one out."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.survey import CHECKPOINTS
from onecell.migrate.meaning.syntax import literal, upwards
from onecell.migrate.rules.context import Context

_SUFFIXES: Final = {"torch": CHECKPOINTS, "mindspore": (".ckpt",)}
"""Framework → how the names of its checkpoints end."""
_USUAL: Final = {"torch": ".pt", "mindspore": ".ckpt"}


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
    put = _USUAL[ctx.to]
    if text.endswith(_SUFFIXES[ctx.to]):
        return text
    if "://" in text or "\n" in text:
        return None
    old = next((end for end in _SUFFIXES[ctx.source] if text.endswith(end)), None)
    return text.removesuffix(old) + put if old is not None else None


def other_name(
    ctx: Context, node: cst.SimpleString | cst.FormattedString
) -> cst.SimpleString | cst.FormattedString | None:
    """Return a text that ends as a checkpoint's name does with the end of `ctx.to`, else None."""
    if isinstance(ctx.names.parents.get(node), cst.Expr):
        return None  # documentation
    found = renamed(ctx, node)
    if not isinstance(found, cst.SimpleString | cst.FormattedString) or found.deep_equals(node):
        return None
    return found


def is_in_call(ctx: Context, node: cst.CSTNode) -> bool:
    """Whether a name is part of a call that saves or loads, which is told itself."""
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.Call) and (row := ctx.row(up.func)) is not None:
            return row.rule in ("save", "load")
        if isinstance(up, cst.BaseStatement):
            break
    return False
