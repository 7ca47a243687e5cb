"""Which class of a module a method that is called belongs to."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.rules.context import Context


def may_be(ctx: Context, func: cst.Attribute, owner: cst.ClassDef) -> bool:
    """Whether a method may be that of a class; of constructors most are of others."""
    if func.attr.value != "__init__":
        return True
    if isinstance(func.value, cst.Name):
        return ctx.kinds.local_class(func.value) is owner
    around = ctx.kinds.class_around(func)
    return around is not None and around is not owner and _derives(ctx, around, owner, 10)


def _derives(ctx: Context, node: cst.ClassDef, owner: cst.ClassDef, depth: int) -> bool:
    bases = [ctx.kinds.local_class(base.value) for base in node.bases]
    return owner in bases or (
        depth > 0 and any(b is not None and _derives(ctx, b, owner, depth - 1) for b in bases)
    )


def method(owner: cst.ClassDef, name: str) -> cst.FunctionDef | None:
    """Return the method of that name that a class defines itself, or None."""
    for line in owner.body.body:
        if isinstance(line, cst.FunctionDef) and line.name.value == name:
            return line
    return None
