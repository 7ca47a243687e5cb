"""Where no gradient goes through: detached values, whole numbers, shapes, fresh tensors."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import upwards
from onecell.migrate.rules.context import Context

CUT: Final = frozenset(
    "detach item numpy asnumpy tolist argmax size dim numel long int short byte bool eq ne".split()  # noqa: SIM905 - one name a line would be a page
)
"""Methods whose result has no gradient."""
PLAIN: Final = frozenset({"data", "shape", "dtype", "device", "ndim"})
"""Attributes of tensors that have no gradient."""
_NUMBERS: Final = frozenset({"len", "range", "int", "float", "str", "bool", "isinstance", "print"})
"""Python's functions whose result has no gradient."""
_FRESH: Final = frozenset(
    "tensor from_numpy zeros ones zeros_like ones_like rand randn rand_like randn_like randint"  # noqa: SIM905 - as above
    " arange argmax multinomial stop_gradient randperm eye empty".split()
)
"""The frameworks' functions whose result has no gradient, whatever they are given."""
_GRADLESS: Final = ("torch.no_grad", "torch.inference_mode", "mindspore._no_grad")
_TYPES: Final = frozenset({"int", "float", "str", "bool", "bytes", "None"})


def is_gradless(ctx: Context, node: cst.CSTNode) -> bool:
    """Whether `node` stands under `torch.no_grad()`."""
    for up in upwards(node, ctx.names.parents):
        held: list[cst.BaseExpression] = []
        if isinstance(up, cst.With):
            held = [item.item for item in up.items]
        elif isinstance(up, cst.FunctionDef):
            held = [decorator.decorator for decorator in up.decorators]
        for one in held:
            if isinstance(one, cst.Call) and ctx.names.path(one.func) in _GRADLESS:
                return True
    return False


def gives_no_gradient(ctx: Context, call: cst.Call) -> bool:
    """Whether what a call gives has no gradient, whatever goes in."""
    func = call.func
    path = ctx.names.path(func)
    if path is not None:
        home, _, leaf = path.rpartition(".")
        return leaf in _FRESH and home in ("torch", "mindspore", "mindspore.ops")
    if isinstance(func, cst.Attribute):
        return func.attr.value in CUT
    return isinstance(func, cst.Name) and func.value in _NUMBERS and not ctx.names.assignments(func)


def is_cut(ctx: Context, node: cst.CSTNode) -> bool:
    """Whether a value is only read where no gradient goes through: detached, or an index."""
    inner = node
    for up in upwards(node, ctx.names.parents):
        match up:
            case cst.BaseStatement() | cst.Lambda() | cst.BaseComp():
                return False
            case cst.Call():
                if gives_no_gradient(ctx, up) or _is_looked_up(ctx, up, inner):
                    return True
            case cst.Attribute():
                if up.attr.value in PLAIN and up.value is inner:
                    return True
            case cst.Comparison():
                return True
            case cst.Subscript():
                if up.value is not inner:
                    return True
        inner = up
    return False


def _is_looked_up(ctx: Context, call: cst.Call, arg: cst.CSTNode) -> bool:
    """Whether an argument is the index that an embedding takes: whole numbers."""
    if ctx.kinds.of(call.func) != "layer" or arg is call.func:
        return False
    func = call.func
    values: list[cst.BaseExpression] = []
    if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name):
        owner = ctx.kinds.owner_of(func.value)
        if owner is not None:
            values = ctx.kinds.attributes.get(owner, {}).get(func.attr.value, [])
    elif isinstance(func, cst.Name):
        bound = [ctx.names.value_of(each.node) for each in ctx.names.assignments(func)]
        values = [value for value in bound if value is not None]
    rows = [ctx.row(value.func) if isinstance(value, cst.Call) else None for value in values]
    return bool(rows) and all(row is not None and row.rule == "embedding" for row in rows)


def is_plain_type(ctx: Context, param: cst.Param) -> bool:
    """Whether an annotation names numbers, text or arrays, which have no gradient."""
    if param.annotation is None:
        return False
    stack: list[cst.BaseExpression] = [param.annotation.annotation]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.BinaryOperation):
            stack += [node.left, node.right]
        elif not (isinstance(node, cst.Name) and node.value in _TYPES):
            path = ctx.names.path(node)
            if path not in ("numpy.ndarray", "pathlib.Path", "argparse.Namespace"):
                return False
    return True
