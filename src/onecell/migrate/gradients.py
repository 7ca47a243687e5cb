"""Where the gradients of a training step end, seen from its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import libcst as cst

from onecell.migrate.arguments import Unsure
from onecell.migrate.assumptions import Assumption
from onecell.migrate.context import Context
from onecell.migrate.cuts import is_cut
from onecell.migrate.flow import nodes
from onecell.migrate.keepers import keepers
from onecell.migrate.origins import Origins
from onecell.migrate.purity import is_free_call
from onecell.migrate.syntax import code

BY_HAND: Final = "write a function that returns the loss, for mindspore.value_and_grad"
_DETACH: Final = "call `detach` on it, or compute it in the step"

Assumed = Mapping[cst.Call, tuple[Assumption, ...]]
"""Call of a step → what it takes for granted."""


def check_origins(ctx: Context, inside: Sequence[cst.BaseStatement]) -> tuple[Assumption, ...]:
    """Return what has to hold so that no gradient goes on beyond the lines of a step.

    Raises:
        Unsure: the lines read what a module may have computed before them.
    """
    for kept in (*keepers(ctx), *sorted(ctx.outside.keepers)):
        raise Unsure(f"`{kept}` may be computed by a module before the step", _DETACH)
    origins = Origins(ctx, {node for statement in inside for node in nodes(statement)})
    for node in (node for statement in inside for node in nodes(statement)):
        if isinstance(node, cst.Name):
            is_read = node in ctx.names.loads
        else:
            is_read = isinstance(node, cst.Attribute)
        if not is_read or not isinstance(node, cst.BaseExpression) or is_cut(ctx, node):
            continue
        up = ctx.names.parents.get(node)
        called = up if isinstance(up, cst.Call) and up.func is node else None
        if called is not None and not is_free_call(ctx, called):
            origins.keeps(node)
        before = dict(origins.assumed)
        if origins.carries(node):
            raise Unsure(f"`{code(node)}` may be computed by a module before the step", _DETACH)
        if called is not None:
            origins.assumed = before  # what is called is no tensor
    return tuple(origins.assumed)
