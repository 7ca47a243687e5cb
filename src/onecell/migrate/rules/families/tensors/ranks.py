"""How many axes a tensor has, as far as the expression that makes it shows."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_pure, literal
from onecell.migrate.rules.context import Context

_KEEPING: Final = frozenset(
    "transpose permute contiguous float double half detach exp log abs tanh sigmoid relu clamp"  # noqa: SIM905 - one name a line would be a page
    " clone to cpu cuda masked_fill expand_as type type_as div mul t flip cumsum pow neg".split()
)
"""Methods, and functions of one tensor, that leave the number of axes as it is."""
_MAKING: Final = {"bmm": 3, "mm": 2}
_LAYERS: Final = frozenset(["linear", "dropout", "layer_norm", "tanh_layer", "relu_layer"])
"""Rules of layers that do so too."""
_ZERO: Final = (0, 1, 3)
"""Numbers of axes with which torch's softmax goes along axis 0, if it is not told; else along 1."""


def guessed_axis(ctx: Context, value: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the axis that torch's softmax takes where none is given, None where nothing shows."""
    rank = _rank(ctx, value)
    if isinstance(rank, int):
        return cst.Integer("0" if rank in _ZERO else "1")
    return None if rank is None else expression("0 if n_ in (0, 1, 3) else 1", n_=rank)


def _rank(ctx: Context, value: cst.BaseExpression) -> int | cst.BaseExpression | None:
    """Return how many axes a tensor has, or an expression of that number."""
    if isinstance(value, cst.BinaryOperation):
        one, other = value.left, value.right
        plain = literal(other) is not literal
        return (
            _rank(ctx, one) if plain else _rank(ctx, other) if literal(one) is not literal else None
        )
    if not isinstance(value, cst.Call):
        return expression("x_.ndim", x_=value) if is_pure(value) else None
    path = ctx.names.path(value.func)
    if path is None and isinstance(value.func, cst.Attribute):
        name = value.func.attr.value
        if name in ("view", "reshape"):
            return _given(value)
        held = _rank(ctx, value.func.value) if name in {*_KEEPING, "unsqueeze"} else None
        if held is not None and name == "unsqueeze":
            return held + 1 if isinstance(held, int) else expression("n_ + 1", n_=held)
        if held is not None:
            return held
    name = (path or "").rpartition(".")[2]
    if (path or "").startswith("torch.") and name in _MAKING:
        return _MAKING[name]
    row = ctx.kinds.made_by(value.func)
    keeps = (row is not None and row.rule in _LAYERS) or (
        (path or "").startswith("torch.") and name in _KEEPING
    )
    return _rank(ctx, value.args[0].value) if keeps and value.args else None


def _given(node: cst.Call) -> int | None:
    """Return how many sizes are written out."""
    args = node.args
    if len(args) == 1 and isinstance(args[0].value, cst.Tuple | cst.List):
        parts = args[0].value.elements
        return None if any(isinstance(e, cst.StarredElement) for e in parts) else len(parts)
    if any(arg.star or arg.keyword for arg in args):
        return None
    return len(args) if len(args) > 1 else None
