"""`Variable(x)`, which since torch 0.4 has been x without the gradient that led to it."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, expression, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import family
from onecell.migrate.rules.families.tensors.unasked import suppose_unasked

_PATHS = ("torch.autograd.Variable", "torch.autograd.variable.Variable")
_ASKS = ("requires_grad", "volatile")


@family("variable", "`Variable(x)` and `x`, or `ops.stop_gradient(x)`", _PATHS, gives="tensor")
def _plan(ctx: Context, node: cst.Call, path: str) -> Plan:
    del path
    hidden = [arg for arg in node.args if arg.star]
    if any(arg.star == "*" for arg in hidden) or not node.args or hidden == list(node.args):
        raise Unsure("what `Variable` is given is not written out")
    first, *rest = (arg for arg in node.args if not arg.star)
    for arg in hidden:
        said = f"`{code(arg.value)}` holds no `requires_grad`"
        ctx.holds.setdefault(node, []).append(said)
    if first.keyword is not None and first.keyword.value != "data":
        raise Unsure("what `Variable` is given is not written out")
    for arg in rest:
        name = arg.keyword.value if arg.keyword is not None else _ASKS[0]
        if name not in _ASKS:
            raise Unsure(f"`{name}` has no exact counterpart")
        if name == "requires_grad" and literal(arg.value) is not False:
            suppose_unasked(ctx, node)
    if len(rest) > 1 and any(arg.keyword is None for arg in rest):
        raise Unsure("more than one argument of `Variable` is given by position")
    for arg in (*rest, *hidden):
        ctx.forget(arg.value)
    ctx.forget(node.func)
    if is_data(ctx, first.value):
        return lambda updated: updated.args[0].value
    return lambda updated: expression(
        "f_(x_)",
        f_=ctx.speller.spell("mindspore.ops.stop_gradient"),
        x_=updated.args[0].value,
    )


_MAKING: Final = frozenset(
    "zeros ones full rand randn empty arange tensor tensor_type from_numpy randint eye"  # noqa: SIM905 - one name a line would be a page
    " zeros_like ones_like full_like rand_like randn_like empty_like load".split()
)
"""Rules of functions whose result has no gradient."""
_NEW: Final = frozenset(["new", "new_zeros", "new_ones", "new_full", "new_empty", "new_tensor"])


def is_data(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression surely has no gradient: made here, or taken out of the graph."""
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name), value=held)):
            if name in _NEW or name == "detach":
                return True
            row = ctx.row(node.func)
            if row is not None:
                return row.rule in _MAKING
            # A method of what has none, such as `x.new(…).zero_()`.
            return ctx.names.path(node.func) is None and not node.args and is_data(ctx, held)
        case cst.Call():
            row = ctx.row(node.func)
            return row is not None and row.rule in _MAKING
        case cst.Attribute(attr=cst.Name(value="data")):
            return True
    return False
