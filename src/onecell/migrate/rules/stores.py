"""What a module puts where: into names, attributes and items."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from onecell.migrate.meaning.syntax import upwards
from onecell.migrate.rules.context import Context


def assigned(ctx: Context, target: cst.CSTNode) -> cst.BaseExpression | None:
    """Return what a target is bound to, or what that is a part of; None for what is only read."""
    inner = target
    for up in upwards(target, ctx.names.parents):
        match up:
            case cst.AssignTarget():
                statement = ctx.names.parents[up]
                return statement.value if isinstance(statement, cst.Assign) else None
            case cst.AugAssign() | cst.AnnAssign() | cst.NamedExpr():
                return up.value if up.target is inner else None
            case cst.For() | cst.CompFor():
                return up.iter if up.target is inner else None
            case cst.AsName():
                item = ctx.names.parents.get(up)
                return item.item if isinstance(item, cst.WithItem) else None
            case cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
                inner = up
            case cst.Match():
                return up.subject
            case cst.MatchPattern() | cst.MatchCase() | cst.MatchSequenceElement():
                inner = up
            case _:
                return None
    return None


def stored(ctx: Context, held: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Yield what a line puts into what `held` reads: an item, an attribute, or by a method."""
    parents = ctx.names.parents
    up = parents.get(held)
    over = parents.get(up) if up is not None else None
    if isinstance(up, cst.Attribute) and isinstance(over, cst.Call) and over.func is up:
        if isinstance(parents.get(over), cst.Expr):
            yield from (arg.value for arg in over.args)
    elif isinstance(up, cst.Subscript | cst.Attribute) and up.value is held:
        value = assigned(ctx, up)
        if value is not None:
            yield value


def kept_in(ctx: Context, attribute: str) -> Iterator[cst.BaseExpression]:
    """Yield what the module puts into an attribute of that name, of whichever object."""
    for name in ctx.names.called(attribute):
        target = ctx.names.parents.get(name)
        if isinstance(target, cst.Attribute) and target.attr is name:
            value = assigned(ctx, target)
            if value is not None:
                yield value
            yield from stored(ctx, target)
