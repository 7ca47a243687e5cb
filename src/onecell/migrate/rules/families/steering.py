"""The way back: what steers MindSpore and changes no number, and what only its programs need."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import family

_STEERING: Final = [
    f"mindspore.{name}"
    for name in (
        *("set_context", "set_auto_parallel_context", "reset_auto_parallel_context"),
        *("set_ps_context", "set_device", "set_deterministic", "set_algo_parameters"),
    )
]
_ONCE: Final = (
    *("mindspore.jit", "mindspore.ms_function", "mindspore.jit_class", "mindspore.lazy_inline"),
    *("mindspore.ops.constexpr", "mindspore.ops.primitive.constexpr", "mindspore.common.jit"),
    *("mindspore.ops.primitive._primexpr", "mindspore.ops.primexpr", "mindspore.api.ms_function"),
    *("mindspore.common.api.ms_function", "mindspore.common.api.jit", "mindspore.api.jit"),
)
"""What decorates a function that MindSpore compiles, or computes as it does."""


@family(
    "steering",
    "`set_context` and its like, which change no number, go",
    _STEERING,
    back=True,
)
def _gone(ctx: Context, node: cst.Call, path: str) -> Plan:
    if not isinstance(ctx.names.parents.get(node), cst.Expr):
        raise Unsure(f"what `{path}` returns is used", "leave it out")
    ctx.forget(node)
    for arg in node.args:
        ctx.forget(arg.value)
    return lambda _: cst.Name("None")


def is_compiling(ctx: Context, node: cst.Decorator) -> bool:
    """Whether a decorator only has MindSpore compile what it decorates."""
    made = node.decorator
    func = made.func if isinstance(made, cst.Call) else made
    return ctx.to == "torch" and ctx.names.path(func) in _ONCE


@family(
    "parameter_tuple",
    "`ParameterTuple(…)` and `torch.nn.ParameterList(…)`",
    ["mindspore.ParameterTuple"],
    gives="tensors",
    back=True,
)
def _tuple(ctx: Context, node: cst.Call, path: str) -> Plan:
    if len(node.args) != 1 or node.args[0].star:
        raise Unsure(f"`{path}` of anything but one list", "write `torch.nn.ParameterList(…)`")
    value = node.args[0].value
    ctx.forget(node.func)
    if _method(value) in ("trainable_params", "get_parameters", "untrainable_params"):
        return lambda updated: expression("list(x_)", x_=updated.args[0].value)
    said = "a checkpoint calls its tensors by their places, such as `weights.0`"
    ctx.holds.setdefault(node, []).append(said)
    return lambda updated: expression(
        "f_(x_)", f_=ctx.speller.spell("torch.nn.ParameterList"), x_=updated.args[0].value
    )


def _method(value: cst.BaseExpression) -> str:
    """Return the name of the method that `value` calls, "" where it is no such call."""
    func = value.func if isinstance(value, cst.Call) else None
    return func.attr.value if isinstance(func, cst.Attribute) else ""
