"""Tell who else holds a tensor: whether a name has a part of one, a view, or a whole of its own."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.kinds import PARAMETERS
from onecell.migrate.meaning.syntax import upwards
from onecell.migrate.rules.context import Context
from onecell.migrate.rules.families.tensors.in_place import is_shared, viewed

_NEW: Final = frozenset(
    "clone copy new new_zeros new_ones new_full new_empty new_tensor masked_fill scatter"  # noqa: SIM905 - one name a line would be a page
    " repeat sum mean matmul bmm exp log softmax sigmoid tanh".split()
)
"""Methods that return a tensor of its own."""


_OWN_RULES: Final = frozenset(
    "zeros ones zeros_like ones_like full full_like rand randn empty empty_like arange tensor"  # noqa: SIM905 - as above
    " rand_like randn_like tensor_type typed_tensor eye bmm mm matmul cat stack where".split()
)
"""Rules of functions that do."""


_VIEWING: Final = frozenset(
    "unsqueeze squeeze_function transpose_function permute_function t_function flatten reshape"  # noqa: SIM905 - as above
    " dropout_function identity from_numpy parameter typed_tensor".split()
)
"""Rules of functions that may give back what they are given, or a view of it."""


_CUTTING: Final = frozenset(["chunk", "split", "unbind"])
_LISTED: Final = frozenset(["parameters", "named_parameters"])


def is_parameter(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression surely stands for a parameter of a module."""
    if isinstance(node, cst.Attribute):
        return node.attr.value in PARAMETERS or is_own_parameter(ctx, node)
    if not isinstance(node, cst.Name):
        return False
    bound = ctx.names.assignments(node)
    return bool(bound) and all(_loops_over_parameters(ctx, each.node) for each in bound)


def is_own_parameter(ctx: Context, node: cst.Attribute) -> bool:
    """Whether an attribute of `self` is set to parameters, and to nothing else."""
    owner = ctx.kinds.owner_of(node.value)
    values = ctx.kinds.attributes.get(owner, {}).get(node.attr.value, ()) if owner else ()
    rows = [ctx.row(value.func) if isinstance(value, cst.Call) else None for value in values]
    return bool(rows) and all(row is not None and row.rule == "parameter" for row in rows)


def _loops_over_parameters(ctx: Context, target: cst.CSTNode) -> bool:
    for up in upwards(target, ctx.names.parents):
        if isinstance(up, cst.For | cst.CompFor):
            call = up.iter
            return (
                isinstance(call, cst.Call)
                and isinstance(call.func, cst.Attribute)
                and call.func.attr.value in _LISTED
            )
        if not isinstance(up, cst.Tuple | cst.Element):
            return False
    return False


def is_part(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether a name is bound to an item of a tensor."""
    if not isinstance(node, cst.Name):
        return False
    values = [ctx.names.value_of(each.node) for each in ctx.names.assignments(node)]
    return any(value is not None and _is_item(ctx, value) for value in values)


def _is_item(ctx: Context, value: cst.BaseExpression | None) -> bool:
    while value is not None:
        inner = viewed(value)
        if isinstance(value, cst.Subscript):
            return inner is not None and ctx.kinds.of(inner) == "tensor"
        value = inner
    return False


def is_cut(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether a name goes over the parts that a tensor is cut into."""
    if not isinstance(node, cst.Name):
        return False
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.For) and node.deep_equals(up.target):
            func = up.iter.func if isinstance(up.iter, cst.Call) else None
            name = func.attr if isinstance(func, cst.Attribute) else func
            return isinstance(name, cst.Name) and name.value in _CUTTING
    return False


def is_view(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression, or what its name is bound to, is a view of what something else holds.

    A view of what has no gradient, as `p.data` or what is detached, is none here.
    """
    values: list[cst.BaseExpression | None] = [node]
    if isinstance(node, cst.Name):
        if is_new_view(ctx, node):
            return False  # its items are set
        values = [ctx.names.value_of(each.node) for each in ctx.names.assignments(node)]
    return any(value is not None and _shares(ctx, value) for value in values)


def _shares(ctx: Context, value: cst.BaseExpression) -> bool:
    """Whether a chain of views begins at a name or attribute."""
    seen = False
    while (inner := viewed(value)) is not None and not isinstance(value, cst.Subscript):
        name = value.attr if isinstance(value, cst.Attribute) else None
        if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute):
            name = value.func.attr
        if name is not None and name.value in ("data", "detach"):
            return False
        seen, value = True, inner
    return seen and isinstance(value, cst.Name | cst.Attribute) and not is_parameter(ctx, value)


def is_new_view(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether a name is bound to nothing but views of what nothing else holds.

    `copy_` into a view gives MindSpore a wrong gradient, and setting all of its items does not.
    """
    if not isinstance(node, cst.Name):
        return False
    values = [ctx.names.value_of(each.node) for each in ctx.names.assignments(node)]
    return bool(values) and all(value is not None and _views_new(ctx, value) for value in values)


def _views_new(ctx: Context, value: cst.BaseExpression) -> bool:
    inner = viewed(value)
    if inner is None or isinstance(value, cst.Subscript):
        return False
    row = ctx.row(inner.func) if isinstance(inner, cst.Call) else None
    computed = row is not None and row.gives == "tensor" and row.rule not in _VIEWING
    return computed or is_new(ctx, inner) or _views_new(ctx, inner)


def is_own(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether a name is bound in this file to nothing but whole tensors."""
    if not isinstance(node, cst.Name):
        return False
    bound = ctx.names.assignments(node)
    values = [ctx.names.value_of(each.node) for each in bound]
    return bool(values) and all(
        value is not None and (viewed(value) is None or is_new(ctx, value)) for value in values
    )


def is_new(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether nothing else holds what an expression gives."""
    if isinstance(node, cst.BinaryOperation | cst.UnaryOperation):
        return True
    if not isinstance(node, cst.Call):
        return False
    row = ctx.row(node.func)
    if row is not None:
        shares = row.rule in ("typed_tensor", "tensor_type") and any(
            ctx.kinds.of(arg.value) == "tensor" for arg in node.args
        )
        return row.rule in _OWN_RULES and not shares
    if not isinstance(node.func, cst.Attribute):
        return False
    name = node.func.attr.value
    return name in _NEW or (_changes(name) and is_new(ctx, node.func.value))


def comes_back(ctx: Context, node: cst.Call, held: cst.BaseExpression) -> bool:
    """Whether the statement binds the name anew that the changed tensor had: nothing sees it."""
    name = held
    while (inner := viewed(name)) is not None and not isinstance(name, cst.Subscript):
        name = inner
    if not isinstance(name, cst.Name) or (name is held and is_shared(ctx, name, node)):
        return False
    for up in upwards(node, ctx.names.parents):
        if isinstance(up, cst.Assign):
            targets = [each.target for each in up.targets]
            return len(targets) == 1 and name.deep_equals(targets[0])
        if not isinstance(up, cst.Attribute | cst.Call):
            return False
    return False


def _changes(name: str) -> bool:
    """Whether a method changes its tensor and gives it back."""
    return name.endswith("_") and not name.endswith("__")
