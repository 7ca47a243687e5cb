"""Whether every parameter of an optimizer gets a gradient in every step, or needs none.

torch leaves a parameter out of a step in which it has no gradient. MindSpore gives it zeros, with
which weight decay, and moments of earlier steps, still move it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import libcst as cst

from onecell.migrate.meaning.flow import nodes
from onecell.migrate.meaning.syntax import code, elements, is_none, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.assumptions import Assumption
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.training.origins import Origins
from onecell.migrate.rules.training.reaching import Reach, Unclear

_ALL: Final = ("parameters", "get_parameters", "trainable_params")
_BY_HAND: Final = "give the optimizer only what the step uses"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an optimizer does with a gradient of zeros."""

    decays: bool
    remembers: bool
    """Whether earlier gradients move a parameter whose gradient is zero."""
    params: cst.BaseExpression


def check_unused(
    ctx: Context, optimizer: cst.BaseExpression, inside: Sequence[cst.BaseStatement], loss: str
) -> tuple[Assumption, ...]:
    """Return what has to hold so that a parameter without a gradient moves in neither framework.

    Raises:
        Unsure: the optimizer decays a parameter that the file shows never to be used.
    """
    said = (Assumption("unused", code(optimizer)),)
    made = list(_made(ctx, optimizer, set()))
    kinds = [_kind(ctx, each) for each in made]
    if not made or any(kind is None for kind in kinds):
        return said
    moving = [kind for kind in kinds if kind is not None and (kind.decays or kind.remembers)]
    for kind in moving:
        model = _model(ctx, kind.params)
        owner = class_of(ctx, model) if model is not None else None
        if owner is None:
            return said
        never = _never_read(ctx, owner)
        if never and kind.decays:
            name = f"{owner.name.value}.{sorted(never)[0]}"
            raise Unsure(f"`{name}` is never used, and the optimizer decays it there", _BY_HAND)
        try:
            used = _used(ctx, owner, inside, loss)
        except Unclear:
            return said
        if not _parts(ctx, owner).keys() - never <= used:
            return said
    return ()


def _made(
    ctx: Context, node: cst.BaseExpression, seen: set[cst.CSTNode]
) -> Iterator[cst.BaseExpression | None]:
    """Yield the calls that may have made an optimizer; None for what is not seen."""
    if node in seen:
        return
    seen.add(node)
    if isinstance(node, cst.Call) and ctx.kinds.of(node) == "optimizer":
        yield node
        return
    if isinstance(node, cst.Attribute):
        owner = ctx.kinds.owner_of(node.value)
        kept = ctx.kinds.attributes.get(owner, {}).get(node.attr.value, []) if owner else []
        values = [value for value in kept if not is_none(value)]
    elif isinstance(node, cst.Name):
        values = []
        for bound in ctx.names.assignments(node):
            if isinstance(bound.node, cst.Param):
                values += Origins(ctx, set()).given(bound.node)
            else:
                value = ctx.names.value_of(bound.node)
                if value is None:
                    yield None
                elif not is_none(value):
                    values.append(value)
    else:
        values = []
    if not values:
        yield None
    for value in values:
        yield from _made(ctx, value, seen)


def _kind(ctx: Context, made: cst.BaseExpression | None) -> _Kind | None:
    if not isinstance(made, cst.Call) or (row := ctx.row(made.func)) is None:
        return None
    side = row.side(ctx.source)
    try:
        given = {b.parameter: made.args[b.index].value for b in bind(made.args, side)}
    except Unsure:
        return None
    if None in given or "params" not in given:
        return None

    def number(name: str) -> object:
        value = given.get(name)
        return float(side.defaults[name]) if value is None else literal(value)

    remembers = number("momentum") != 0 if "momentum" in side.names else True
    return _Kind(number("weight_decay") != 0, remembers, given["params"])


def _model(ctx: Context, params: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the model whose parameters are given, all of them and no others."""
    if isinstance(params, cst.Call) and isinstance(params.func, cst.Name) and len(params.args) == 1:
        params = params.args[0].value if params.func.value == "list" else params
    func = params.func if isinstance(params, cst.Call) and not params.args else None
    if isinstance(func, cst.Attribute) and func.attr.value in _ALL:
        return func.value
    return None


def class_of(ctx: Context, node: cst.BaseExpression) -> cst.ClassDef | None:
    """Return the class of this file whose instance a model surely is."""
    values: list[cst.BaseExpression] = []
    if isinstance(node, cst.Name):
        for bound in ctx.names.assignments(node):
            if isinstance(bound.node, cst.Param):
                annotation = bound.node.annotation
                if annotation is not None and not list(Origins(ctx, set()).given(bound.node)):
                    return ctx.kinds.local_class(annotation.annotation)
                values += Origins(ctx, set()).given(bound.node)
            else:
                value = ctx.names.value_of(bound.node)
                if value is None:
                    return None
                values.append(value)
    classes = {
        ctx.kinds.local_class(v.func) if isinstance(v, cst.Call) else _class_named(ctx, v, node)
        for v in values
    }
    return classes.pop() if len(classes) == 1 else None


def _class_named(
    ctx: Context, value: cst.BaseExpression, of: cst.BaseExpression
) -> cst.ClassDef | None:
    return class_of(ctx, value) if isinstance(value, cst.Name) and value is not of else None


def _parts(ctx: Context, owner: cst.ClassDef) -> dict[str, cst.BaseExpression]:
    """Return the attributes of a module that have parameters."""
    found = {}
    for name, values in ctx.kinds.attributes.get(owner, {}).items():
        for value in values:
            row = ctx.row(value.func) if isinstance(value, cst.Call) else None
            if row is not None and (row.gives in ("tensor", "device") and row.rule != "parameter"):
                continue
            if row is not None and row.rule in _EMPTY:
                continue
            if row is not None or isinstance(value, cst.Call | cst.ListComp | cst.List):
                found[name] = value
    return found


_EMPTY: Final = frozenset(
    "dropout identity relu_layer tanh_layer sigmoid_layer softmax_layer log_softmax_layer"  # noqa: SIM905 - one name a line would be a page
    " cross_entropy_layer mse_loss_layer".split()
)
"""Layers without parameters."""


def _never_read(ctx: Context, owner: cst.ClassDef) -> set[str]:
    """Return the parts that no line of the file reads."""
    parents = ctx.names.parents

    def is_read(name: cst.Name) -> bool:
        up = parents.get(name)
        target = parents.get(up) if up is not None else None
        while isinstance(target, cst.Element | cst.Tuple):
            target = parents.get(target)
        return isinstance(up, cst.Attribute) and not isinstance(target, cst.AssignTarget)

    parts = [n for n, value in _parts(ctx, owner).items() if ctx.kinds.of(value) in _WITH_WEIGHTS]
    if any(not _is_plain_base(ctx, base) for base in owner.bases):
        return set()
    return {part for part in parts if not any(is_read(n) for n in ctx.names.called(part))}


_WITH_WEIGHTS: Final = ("cell", "cells", "layer", "layers", "module", "modules")


def _is_plain_base(ctx: Context, base: cst.Arg) -> bool:
    row = ctx.row(base.value)
    return row is not None and row.rule == "module"


def _used(
    ctx: Context, owner: cst.ClassDef, inside: Sequence[cst.BaseStatement], loss: str
) -> set[str]:
    """Return the parts whose parameters surely have a gradient by the loss.

    Raises:
        Unclear: that cannot be told.
    """
    if any(not _is_plain_base(ctx, base) for base in owner.bases):
        raise Unclear
    used: set[str] = set()
    for call, places in Reach(ctx).calls(inside, loss):
        func = call.func
        if isinstance(func, cst.Name) and class_of(ctx, func) is owner:
            used |= _used_by(ctx, owner, places, 5)
    return used


def _used_by(
    ctx: Context, owner: cst.ClassDef, places: frozenset[int] | None, depth: int
) -> set[str]:
    """Return the parts that reach what a module returns; `places` are those of a tuple."""
    forward = next(
        (
            line
            for line in owner.body.body
            if isinstance(line, cst.FunctionDef) and line.name.value == ctx.kinds.step
        ),
        None,
    )
    body = list(forward.body.body) if forward is not None else []
    last = body[-1] if body else None
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) else None
    returns = [n for n in nodes(forward) if isinstance(n, cst.Return)] if forward else []
    if not isinstance(small, cst.Return) or small.value is None or len(returns) != 1 or not depth:
        raise Unclear
    parts = elements(small.value) or [small.value]
    # Of a result that is not taken apart where one sees it, any single part may be what is used.
    ways = [[part] for part in parts]
    if places is not None and len(parts) > 1:
        ways = [[parts[place] for place in places if place < len(parts)]]
    lines = [line for line in body[:-1] if isinstance(line, cst.BaseStatement)]
    read = set.intersection(*(Reach(ctx).attributes(lines, way) for way in ways))
    found = set()
    for name, value in _parts(ctx, owner).items():
        if name in read and _is_whole(ctx, value, depth):
            found.add(name)
    return found


def _is_whole(ctx: Context, value: cst.BaseExpression, depth: int) -> bool:
    """Whether whoever uses a part uses all of its parameters."""
    local = ctx.kinds.local_class(value.func) if isinstance(value, cst.Call) else None
    if local is None:
        row = ctx.row(value.func) if isinstance(value, cst.Call) else None
        if row is not None and row.rule in ("sequential", "module_list"):
            made = [arg.value for arg in value.args] if isinstance(value, cst.Call) else []
            return all(_is_whole(ctx, each, depth) for each in made)
        if isinstance(value, cst.List | cst.Tuple):
            return all(_is_whole(ctx, each, depth) for each in elements(value) or [value])
        if isinstance(value, cst.ListComp | cst.GeneratorExp):
            return _is_whole(ctx, value.elt, depth)
        return row is not None and row.rule != "module"
    return not _parts(ctx, local).keys() - _used_by(ctx, local, None, depth - 1)
