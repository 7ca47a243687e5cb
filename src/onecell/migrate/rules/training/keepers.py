"""Attributes by which one call of a method leaves what a module computed to the next.

torch follows a gradient through them into the earlier call; a function that MindSpore
differentiates sees only what runs in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from onecell.migrate.meaning.syntax import upwards
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.stores import kept_in
from onecell.migrate.rules.training.cuts import is_cut
from onecell.migrate.rules.training.origins import Origins


def keepers(ctx: Context) -> tuple[str, ...]:
    """Return `Class.attribute` for each in which methods keep what is not detached.

    An attribute that is only read further down in the method that has just set it keeps nothing.
    """
    if not ctx.keepers:
        ctx.keepers.append(tuple(_keepers(ctx)))
    return ctx.keepers[0]


def _keepers(ctx: Context) -> Iterator[str]:
    for attribute, owner in _attributes(ctx):
        if any(_carries(ctx, value) for value in kept_in(ctx, attribute)) and any(
            not is_cut(ctx, read) and not _is_set_before(ctx, read)
            for read in _reads(ctx, attribute)
        ):
            yield f"{owner.name.value}.{attribute}"


def _attributes(ctx: Context) -> Iterator[tuple[str, cst.ClassDef]]:
    """Yield each attribute that a method other than the constructor sets, with its class."""
    seen: set[str] = set()
    for node in ctx.names.of_kind(cst.Attribute):
        name = node.attr.value
        if name in seen or not isinstance(node.value, cst.Name) or node.value.value != "self":
            continue
        owner = ctx.kinds.class_around(node)
        function = _function(ctx, node)
        if owner is None or function is None or function.name.value == "__init__":
            continue
        if any(True for _ in kept_in(ctx, name)):
            seen.add(name)
            yield name, owner


def _carries(ctx: Context, value: cst.BaseExpression) -> bool:
    """Whether a value may carry a gradient, as an argument of `forward` may."""
    function = _function(ctx, value)
    if function is None or function.name.value == "__init__":
        return False
    if Origins(ctx, set()).carries(value):
        return True
    owner = ctx.kinds.method_of(function)
    if owner is None or function.name.value != ctx.kinds.step or is_cut(ctx, value):
        return False
    return isinstance(value, cst.Name) and any(
        isinstance(bound.node, cst.Param) for bound in ctx.names.assignments(value)
    )


def _reads(ctx: Context, attribute: str) -> Iterator[cst.Attribute]:
    parents = ctx.names.parents
    for name in ctx.names.called(attribute):
        node = parents.get(name)
        if not isinstance(node, cst.Attribute) or node.attr is not name:
            continue
        up = parents.get(node)
        while isinstance(up, cst.Element | cst.Tuple | cst.List):
            up = parents.get(up)
        if not isinstance(up, cst.AssignTarget):
            yield node


def _is_set_before(ctx: Context, read: cst.Attribute) -> bool:
    """Whether an earlier line of the same function, which always runs, has set the attribute."""
    function = _function(ctx, read)
    lines = list(function.body.body) if function is not None else []
    around = {read, *upwards(read, ctx.names.parents)}
    for line in lines:
        if line in around:
            return False
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            targets = small.targets if isinstance(small, cst.Assign) else ()
            stack: list[cst.BaseExpression] = [target.target for target in targets]
            while stack:
                target = stack.pop()
                if isinstance(target, cst.Tuple | cst.List):
                    stack += [element.value for element in target.elements]
                elif target.deep_equals(read):
                    return True
    return False


def _function(ctx: Context, node: cst.CSTNode) -> cst.FunctionDef | None:
    ups = upwards(node, ctx.names.parents)
    return next((up for up in ups if isinstance(up, cst.FunctionDef)), None)
