"""Where the gradients of a training step end, seen from its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.syntax import code
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.assumptions import Assumption
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.training.callees import keep_callee
from onecell.migrate.rules.training.cuts import is_cut
from onecell.migrate.rules.training.keepers import keepers
from onecell.migrate.rules.training.origins import Origins
from onecell.migrate.rules.training.purity import is_free_call
from onecell.migrate.rules.training.unused import class_of

BY_HAND: Final = "write a function that returns the loss, for mindspore.value_and_grad"
_DETACH: Final = "call `detach` on it, or compute it in the step"

Assumed = Mapping[cst.Call, tuple[Assumption, ...]]
"""Call of a step → what it takes for granted."""


def check_origins(ctx: Context, inside: Sequence[cst.BaseStatement]) -> tuple[Assumption, ...]:
    """Return what has to hold so that no gradient goes on beyond the lines of a step.

    Raises:
        Unsure: the lines read what a module may have computed before them.
    """
    classes = _classes(ctx, inside)
    own = [each for each in keepers(ctx) if classes is None or each.partition(".")[0] in classes]
    for kept in (*own, *sorted(ctx.outside.keepers)):
        raise Unsure(f"`{kept}` may be computed by a module before the step", _DETACH)
    origins = Origins(ctx, {node for statement in inside for node in nodes(statement)})
    ordered = (node for statement in inside for node in reversed([*nodes(statement)]))
    for node in ordered:
        if isinstance(node, cst.Name):
            is_read = node in ctx.names.loads
        else:
            is_read = isinstance(node, cst.Attribute)
        if not is_read or not isinstance(node, cst.BaseExpression) or is_cut(ctx, node):
            continue
        up = ctx.names.parents.get(node)
        called = up if isinstance(up, cst.Call) and up.func is node else None
        if called is not None and not is_free_call(ctx, called):
            keep_callee(origins, node)
        before = dict(origins.assumed)
        if origins.carries(node):
            raise Unsure(f"`{code(node)}` may be computed by a module before the step", _DETACH)
        if called is not None:
            origins.assumed = before  # what is called is no tensor
    return tuple(origins.assumed)


def _classes(ctx: Context, inside: Sequence[cst.BaseStatement]) -> set[str] | None:
    """Return the classes whose objects a step may use; None where any of the file's may be."""
    found: set[str] = set()
    todo: list[cst.ClassDef] = []
    bodies: list[cst.CSTNode] = list(inside)
    for body in bodies:  # which grows
        for call in (node for node in nodes(body) if isinstance(node, cst.Call)):
            if is_free_call(ctx, call) or ctx.kinds.of(call.func) in ("layer", "cell"):
                continue
            functions = _functions(ctx, call.func)
            bodies += [each for each in functions if each not in bodies]
            owner = _owner(ctx, call.func)
            if owner is None and not functions:
                return None
            todo += [owner] if owner is not None else []
    while todo:
        owner = todo.pop()
        if owner.name.value in found:
            continue
        found.add(owner.name.value)
        if owner not in ctx.kinds.attributes:
            continue
        made = [value for values in ctx.kinds.attributes[owner].values() for value in values]
        for value in (part for each in made for part in nodes(each)):
            local = ctx.kinds.local_class(value.func) if isinstance(value, cst.Call) else None
            todo += [local] if local is not None else []
        todo += [base for each in owner.bases if (base := ctx.kinds.local_class(each.value))]
    return found


def _functions(ctx: Context, callee: cst.BaseExpression) -> list[cst.FunctionDef]:
    """Return the functions of this file that a name stands for, if it stands for nothing else."""
    bound = ctx.names.assignments(callee) if isinstance(callee, cst.Name) else []
    found = [each.node for each in bound if isinstance(each.node, cst.FunctionDef)]
    return found if len(found) == len(bound) else []


def _owner(ctx: Context, callee: cst.BaseExpression) -> cst.ClassDef | None:
    """Return the class of this file whose object is called, by a name or kept in `self`."""
    if isinstance(callee, cst.Name):
        return class_of(ctx, callee)
    holder = ctx.kinds.owner_of(callee.value) if isinstance(callee, cst.Attribute) else None
    if holder is None or not isinstance(callee, cst.Attribute):
        return None
    values = ctx.kinds.attributes.get(holder, {}).get(callee.attr.value, [])
    made = {ctx.kinds.local_class(v.func) if isinstance(v, cst.Call) else None for v in values}
    return made.pop() if len(made) == 1 else None
