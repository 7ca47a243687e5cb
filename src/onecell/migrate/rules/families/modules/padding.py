"""An embedding's padding: torch's row has no gradient, and MindSpore's `padding_idx` trains it.

Both begin with zeros there. A hook on the table takes the row out of its gradient.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, expression, is_none, is_pure, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.row import Row

_HOOK: Final = (
    "e_.embedding_table.register_hook(lambda grad: grad.index_fill(0, i_([p_], t_), 0.0))"
)


_APART: Final = "make the embedding in a statement of its own"


def hold_back(ctx: Context, node: cst.Call, row: Row) -> None:
    """Let a line follow an embedding's that keeps its padding from being trained.

    Raises:
        Unsure: it has padding, and no place for such a line.
    """
    padding = padded_by(ctx, node, row)
    if padding is None:
        return
    check(ctx, node, row)
    assigned, places = _line_of(ctx, node)
    assert isinstance(assigned, cst.Assign)  # noqa: S101 - as checked
    held = expression(f"e_{places}", e_=assigned.targets[0].target)
    number = literal(padding)
    if not isinstance(number, int):
        said = f"`{' '.join(code(padding).split())}` is the number of a row, from 0"
        ctx.holds.setdefault(node, []).append(said)
        padding = expression("e_.padding_idx", e_=held)
    hook = expression(
        _HOOK,
        e_=held,
        i_=ctx.speller.spell("mindspore.tensor"),
        p_=padding,
        t_=ctx.speller.spell("mindspore.int32"),
    )
    if ctx.names.parents[assigned] in ctx.lines.followed:
        raise Unsure("two embeddings with padding are made on one line", _APART)
    ctx.lines.followed[ctx.names.parents[assigned]] = cst.SimpleStatementLine([cst.Expr(hook)])


def check(ctx: Context, node: cst.Call, row: Row) -> None:
    """Raise `Unsure` where an embedding has padding, and no place for the line that holds it."""
    padding = padded_by(ctx, node, row)
    if padding is None:
        return
    if ctx.to == "torch":
        raise Unsure("MindSpore trains the row of `padding_idx`, torch does not")
    number = literal(padding)
    if isinstance(number, int) and number < 0:
        raise Unsure("`padding_idx` of MindSpore counts from the first row")
    assigned, _ = _line_of(ctx, node)
    line = ctx.names.parents.get(assigned) if assigned is not None else None
    if (
        not isinstance(assigned, cst.Assign)
        or len(assigned.targets) != 1
        or not isinstance(assigned.targets[0].target, cst.Name | cst.Attribute)
        or not is_pure(assigned.targets[0].target)
        or not isinstance(line, cst.SimpleStatementLine)
        or len(line.body) != 1
    ):
        raise Unsure(
            "MindSpore trains the row of `padding_idx`, torch does not",
            _APART,
        )


def _line_of(ctx: Context, node: cst.Call) -> tuple[cst.CSTNode | None, str]:
    """Return what a layer is given to, through `nn.Sequential(…)`, and its places in that."""
    up, places = ctx.names.parents.get(node), ""
    while isinstance(up, cst.Arg):
        around = ctx.names.parents[up]
        row = ctx.row(around.func) if isinstance(around, cst.Call) else None
        if row is None or row.rule != "sequential" or not isinstance(around, cst.Call):
            return None, ""
        if any(arg.star or arg.keyword is not None for arg in around.args):
            return None, ""
        places = f"[{list(around.args).index(up)}]{places}"
        up = ctx.names.parents.get(around)
    return up, places


def padded_by(ctx: Context, node: cst.Call, row: Row) -> cst.BaseExpression | None:
    """Return what an embedding is given as its padding, None where it has none."""
    if row.rule != "embedding":
        return None
    for each in bind(node.args, row.side(ctx.source)):
        if each.parameter == "padding_idx" and not is_none(node.args[each.index].value):
            return node.args[each.index].value
    return None
