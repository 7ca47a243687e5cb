"""Names of classes as text: `type(m).__name__ == "Linear"`, `classname.find("Linear") != -1`."""

from __future__ import annotations

from functools import cache
from typing import Final

import libcst as cst

from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.table.lookup import ROWS

_SEARCHES: Final = ("find", "rfind", "index", "count", "startswith", "endswith", "__contains__")
"""Methods that look for a part of a string."""


@cache
def _renamed(source: str, to: str) -> dict[str, str]:
    """Return the name of each class that is called otherwise there, and that name."""
    found: dict[str, str] = {}
    for row in ROWS:
        if row.gives not in ("layer", "module", "modules", "optimizer") or row.one_way == source:
            continue
        old, new = (row.side(f).path.rpartition(".")[2] for f in (source, to))
        if old != new:
            found.setdefault(old, new)
    return found


def other_name(ctx: Context, node: cst.SimpleString) -> str | None:
    """Return the class's name to write in place of a string, None where it may stay.

    Raises:
        Unsure: the string is part of a name, or of one of this file's own classes as well.
    """
    text = node.evaluated_value
    if not isinstance(text, str) or not text:
        return None
    parent = ctx.names.parents.get(node)
    if not isinstance(parent, cst.Arg | cst.Comparison | cst.ComparisonTarget | cst.Element):
        return None
    names = _renamed(ctx.source, ctx.to)
    lower = text.islower()
    known = {old.lower(): new.lower() for old, new in names.items()} if lower else names
    hit = {old: new for old, new in known.items() if text in old and text not in new}
    if not hit and text not in known:
        return None
    how = _compared(ctx, node)
    own = {c.name.value for c in ctx.names.of_kind(cst.ClassDef)}
    if how == "whole" and text in known and text not in own:
        return known[text]
    if how != "part" or not hit:
        return None
    both = {part for each in own for part in (text, *hit.values()) if part in each}
    if set(hit) != {text} or both:
        said = ", ".join(f"`{old}` is `{new}`" for old, new in sorted(hit.items()))
        raise Unsure(f"{said} in {ctx.to}, and `{text}` is looked for in names of classes")
    return hit[text]


def _compared(ctx: Context, node: cst.SimpleString) -> str:
    """Return "whole" for a string that is compared with a class's name, "part" if looked for."""
    parents = ctx.names.parents
    up = parents[node]
    if isinstance(up, cst.Arg):
        call = parents[up]
        func = call.func if isinstance(call, cst.Call) else None
        searches = isinstance(func, cst.Attribute) and func.attr.value in _SEARCHES
        if searches and isinstance(func, cst.Attribute) and _is_name(ctx, func.value):
            return "part"
        return ""
    if isinstance(up, cst.Element):
        target = parents.get(parents[up])
        around = parents.get(target) if isinstance(target, cst.ComparisonTarget) else None
        inside = isinstance(around, cst.Comparison) and _is_name(ctx, around.left)
        return "whole" if inside else ""
    around = parents[up] if isinstance(up, cst.ComparisonTarget) else up
    if not isinstance(around, cst.Comparison) or len(around.comparisons) != 1:
        return ""
    other = around.comparisons[0]
    held = around.left if other.comparator is node else other.comparator
    if not _is_name(ctx, held):
        return ""
    if isinstance(other.operator, cst.Equal | cst.NotEqual):
        return "whole"
    inside = isinstance(other.operator, cst.In | cst.NotIn) and other.comparator is held
    return "part" if inside else ""


def _is_name(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression is the name of an instance's class."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.attr.value in ("lower", "strip") and _is_name(ctx, node.func.value)
    if isinstance(node, cst.Name):
        values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(node)]
        return bool(values) and all(
            value is not None and not isinstance(value, cst.Name) and _is_name(ctx, value)
            for value in values
        )
    if not isinstance(node, cst.Attribute) or node.attr.value not in ("__name__", "__qualname__"):
        return False
    held = node.value
    if isinstance(held, cst.Attribute):
        return held.attr.value == "__class__"
    func = held.func if isinstance(held, cst.Call) else None
    return isinstance(func, cst.Name) and func.value == "type"
