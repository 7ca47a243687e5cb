"""The way back of MindSpore's convolutions: `pad_mode` "valid" and "same", which torch has too.

MindSpore pads the same unless told otherwise; torch knows that word only where the stride is one.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import keyword, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.row import Row

_PLACES: Final = {"stride": 3, "pad_mode": 4, "padding": 5}


def _given(node: cst.Call, name: str) -> int | None:
    for place, arg in enumerate(node.args):
        if arg.keyword.value == name if arg.keyword is not None else place == _PLACES[name]:
            return place
    return None


def mode_of(ctx: Context, node: cst.Call, row: Row) -> str | None:
    """Return how a convolution of MindSpore's pads, None where a row tells.

    Raises:
        Unsure: torch has no word for it.
    """
    if ctx.to != "torch" or row.rule not in ("conv1d", "conv2d") or any(a.star for a in node.args):
        return None
    place = _given(node, "pad_mode")
    mode = literal(node.args[place].value) if place is not None else "same"
    if mode not in ("same", "valid"):
        return None
    padding = _given(node, "padding")
    if padding is not None and literal(node.args[padding].value) != 0:
        raise Unsure(f"`padding` beside pad_mode {mode!r} is not used", "leave it out")
    stride = _given(node, "stride")
    step = literal(node.args[stride].value) if stride is not None else 1
    if mode == "same" and step not in (1, (1, 1)):
        raise Unsure(
            "torch pads the same only where the stride is one", "write `torch.nn.functional.pad`"
        )
    return str(mode)


def padded(node: cst.Call, mode: str) -> cst.Call:
    """Return the call as if it said how much is padded, which is nothing."""
    args = list(node.args)
    place, padding = _given(node, "pad_mode"), _given(node, "padding")
    word = cst.SimpleString("'pad'")
    if place is not None:
        args[place] = args[place].with_changes(value=word)
    else:
        if args and not isinstance(args[-1].comma, cst.Comma):
            space = cst.SimpleWhitespace(" ")
            args[-1] = args[-1].with_changes(comma=cst.Comma(whitespace_after=space))
        args.append(keyword("pad_mode", word))
    if padding is not None and mode == "same":
        del args[padding]
    return node.with_changes(args=args)


def said(built: cst.BaseExpression, mode: str) -> cst.BaseExpression:
    """Return torch's call with the word for its padding."""
    if mode == "valid" or not isinstance(built, cst.Call):
        return built
    args = list(built.args)
    if args and not isinstance(args[-1].comma, cst.Comma):
        space = cst.SimpleWhitespace(" ")
        args[-1] = args[-1].with_changes(comma=cst.Comma(whitespace_after=space))
    return built.with_changes(args=[*args, keyword("padding", cst.SimpleString('"same"'))])
