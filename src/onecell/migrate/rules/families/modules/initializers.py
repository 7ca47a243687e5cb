"""`torch.nn.init`: other numbers of the same distribution, put into the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_pure, literal, operand
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import family
from onecell.migrate.rules.families.tensors.holders import (
    is_cut,
    is_parameter,
    is_part,
    is_view,
)
from onecell.migrate.rules.table.row import Signature

HOME: Final = "mindspore.common.initializer"
_INIT: Final = "torch.nn.init."


@dataclass(frozen=True, slots=True)
class _Init:
    """One initializer: torch's arguments after the tensor, and what MindSpore has for it."""

    arguments: str
    made: str
    """With torch's arguments by name, and a trailing underscore; a class of `HOME`."""


_KNOWN: Final[Mapping[str, _Init]] = {
    "constant_": _Init("val", "Constant(val_)"),
    "zeros_": _Init("", "Constant(0)"),
    "ones_": _Init("", "Constant(1)"),
    "eye_": _Init("", "Identity()"),
    "normal_": _Init("mean=0.0, std=1.0", "Normal(std_, mean_)"),
    "xavier_uniform_": _Init("gain=1.0", "XavierUniform(gain_)"),
    "xavier_normal_": _Init("gain=1.0", "XavierNormal(gain_)"),
    "kaiming_uniform_": _Init(
        'a=0, mode="fan_in", nonlinearity="leaky_relu"', "HeUniform(a_, mode_, nonlinearity_)"
    ),
    "kaiming_normal_": _Init(
        'a=0, mode="fan_in", nonlinearity="leaky_relu"', "HeNormal(a_, mode_, nonlinearity_)"
    ),
    "orthogonal_": _Init("gain=1", "Orthogonal(gain_)"),
}
_OLD: Final = frozenset(
    "uniform normal constant eye xavier_uniform xavier_normal kaiming_uniform"  # noqa: SIM905 - shorter so
    " kaiming_normal orthogonal".split()
)
"""Names of torch 0.3 without the underscore, which do the same."""
_PATHS: Final = [
    *(_INIT + name for name in (*_KNOWN, "uniform_")),
    *(_INIT + name for name in sorted(_OLD)),
]
_LACKING: Final = {"trunc_normal_": "TruncatedNormal", "sparse_": "Sparse", "dirac_": "Dirac"}


def uniform(
    ctx: Context, low: cst.BaseExpression | None, high: cst.BaseExpression | None
) -> cst.BaseExpression | None:
    """Return the initializer of numbers between `low` and `high`, None where it has none."""
    if low is None or high is None or not _opposite(low, high):
        return None
    return expression("f_(x_)", f_=ctx.speller.spell(f"{HOME}.Uniform"), x_=high)


def _opposite(low: cst.BaseExpression, high: cst.BaseExpression) -> bool:
    """Whether one is surely the other with a minus."""
    first, second = literal(low), literal(high)
    if isinstance(first, int | float) and isinstance(second, int | float):
        return first == -second
    minus = isinstance(low, cst.UnaryOperation) and isinstance(low.operator, cst.Minus)
    if not minus:
        return _divided(low, high)
    assert isinstance(low, cst.UnaryOperation)  # noqa: S101 - as asked above
    return low.expression.deep_equals(high)


def _divided(low: cst.BaseExpression, high: cst.BaseExpression) -> bool:
    """Whether both are quotients or products whose first parts are opposite."""
    return (
        isinstance(low, cst.BinaryOperation)
        and isinstance(high, cst.BinaryOperation)
        and isinstance(low.operator, cst.Divide | cst.Multiply)
        and type(low.operator) is type(high.operator)
        and _opposite(low.left, high.left)
        and low.right.deep_equals(high.right)
    )


def filled(
    ctx: Context,
    parameter: cst.BaseExpression,
    made: cst.BaseExpression,
    *,
    plain: bool = False,
) -> cst.BaseExpression:
    """Return the call that puts what an initializer gives into a parameter, or a plain tensor."""
    made_there = "f_(x_, p_.shape, p_.dtype)"
    return expression(
        f"p_.copy_({made_there}.init_data())" if plain else f"p_.set_data({made_there})",
        p_=parameter,
        f_=ctx.speller.spell(f"{HOME}.initializer"),
        x_=made,
    )


def between(
    ctx: Context, like: cst.BaseExpression, low: cst.BaseExpression, high: cst.BaseExpression
) -> cst.BaseExpression:
    """Return numbers drawn between two bounds, in the shape and type of `like`."""
    drawn = expression("f_(p_)", f_=ctx.speller.spell("mindspore.ops.rand_like"), p_=like)
    if literal(low) == 0 and literal(high) == 1:
        return drawn
    if literal(low) == 0:
        return expression("d_ * b_", d_=drawn, b_=operand(high))
    return expression("d_ * (b_ - a_) + a_", d_=drawn, a_=operand(low), b_=operand(high))


@family("initializer", "`nn.init.uniform_(p, a, b)` and `p.set_data(initializer(…))`", _PATHS)
def _plan(ctx: Context, node: cst.Call, path: str) -> Plan:
    name = path.removeprefix(_INIT).rstrip("_") + "_"
    if not isinstance(ctx.names.parents.get(node), cst.Expr):
        raise Unsure(
            "what an initializer returns is used",
            f"give the parameter its numbers on a line of its own: {_said(name)}",
        )
    known = "a=0.0, b=1.0" if name == "uniform_" else _KNOWN[name].arguments
    side = Signature(f"{path}(tensor, {known})" if known else f"{path}(tensor)")
    given: dict[str, int] = {}
    for each in bind(node.args, side):
        given[each.parameter or ""] = each.index
    if "tensor" not in given or not is_pure(node.args[given["tensor"]].value):
        raise Unsure("the parameter is computed where it is given", _said(name))
    target = node.args[given["tensor"]].value
    if is_cut(ctx, target) or is_part(ctx, target) or is_view(ctx, target):
        made = _said(name).removeprefix("`p.set_data(").partition(", p.shape")[0]
        raise Unsure(
            "part of a tensor gets its numbers by another name",
            f"set it in the tensor itself: `p[a:b] = {made}, p[a:b].shape, p.dtype).init_data()`",
        )
    plain = ctx.kinds.of(target) == "tensor" and not is_parameter(ctx, target)
    defaults = {key: cst.parse_expression(text) for key, text in side.defaults.items()}
    ctx.forget(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        values = {key: updated.args[at].value for key, at in given.items()}
        parameter = values.pop("tensor")
        values = {key: values.get(key, default) for key, default in defaults.items()} | values
        if isinstance(parameter, cst.Subscript):
            return _in_part(parameter, name, values)
        if name == "uniform_":
            made = uniform(ctx, values["a"], values["b"])
            if made is None:
                drawn = between(ctx, parameter, values["a"], values["b"])
                put = "p_.copy_(x_)" if plain else "p_.set_data(x_)"
                return expression(put, p_=parameter, x_=drawn)
        else:
            text = _KNOWN[name].made
            kind, _, rest = text.partition("(")
            spelled = {f"{key}_": value for key, value in values.items()}
            made = expression(f"f_({rest}", f_=ctx.speller.spell(f"{HOME}.{kind}"), **spelled)
        return filled(ctx, parameter, made, plain=plain)

    if isinstance(target, cst.Subscript) and name not in _NUMBERS:
        raise Unsure("only part of a parameter gets its numbers", _said(name))
    return build


_NUMBERS: Final = {"constant_": "", "zeros_": "0.0", "ones_": "1.0"}


def _in_part(
    part: cst.Subscript, name: str, values: Mapping[str, cst.BaseExpression]
) -> cst.BaseExpression:
    """Return the assignment of one number to part of a parameter."""
    number = values["val"] if name == "constant_" else cst.parse_expression(_NUMBERS[name])
    return cst.NamedExpr(part, number)


def _said(name: str) -> str:
    made = "Uniform(a)" if name == "uniform_" else _KNOWN[name].made.replace("_", "")
    return f"`p.set_data(initializer({made}, p.shape, p.dtype))`"


@family(
    "initializer",
    "`nn.init.uniform_(p, a, b)` and `p.set_data(initializer(…))`",
    [_INIT + name for name in _LACKING],
)
def _lacking(ctx: Context, node: cst.Call, path: str) -> Plan:
    del ctx, node
    there = _LACKING[path.removeprefix(_INIT)]
    raise Unsure(
        f"`{path}` draws other numbers than `{there}`",
        f"`p.set_data(initializer({there}(…), p.shape, p.dtype))`, if its distribution will do",
    )


_GAINS: Final = {"tanh": "5 / 3", "relu": "2**0.5", "selu": "0.75"}


@family(
    "gain",
    "`nn.init.calculate_gain(name)` and the number that it returns",
    [_INIT + "calculate_gain"],
)
def _gain(ctx: Context, node: cst.Call, path: str) -> Plan:
    bound = bind(node.args, Signature(f"{path}(nonlinearity, param=None)"))
    given = {each.parameter: each.index for each in bound}
    name = literal(node.args[given["nonlinearity"]].value) if "nonlinearity" in given else None
    slope = given.get("param")
    if not isinstance(name, str):
        return _looked_up(ctx, node, given)
    if name == "leaky_relu":
        text = "(2 / (1 + 0.01**2)) ** 0.5" if slope is None else "(2 / (1 + a_**2)) ** 0.5"
    elif name in ("linear", "sigmoid", *(f"conv{n}d" for n in (1, 2, 3))):
        text = "1.0"
    elif name in _GAINS:
        text = _GAINS[name]
    else:
        raise Unsure(f"no gain is known for {name!r}")
    ctx.forget(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        if slope is None or name != "leaky_relu":
            return cst.parse_expression(text)
        return expression(text, a_=operand(updated.args[slope].value))

    return build


def _looked_up(ctx: Context, node: cst.Call, given: Mapping[str | None, int]) -> Plan:
    """Plan the gain of a name that is only known when the program runs."""
    if "nonlinearity" not in given or "param" in given:
        raise Unsure("which gain is asked for is not written out", "write the number")
    gains = {
        "linear": "1.0",
        "sigmoid": "1.0",
        **{f"conv{n}d": "1.0" for n in (1, 2, 3)},
        **_GAINS,
        "leaky_relu": "(2 / (1 + 0.01**2)) ** 0.5",
    }
    text = "{" + ", ".join(f'"{name}": {gain}' for name, gain in gains.items()) + "}[name_]"
    place = given["nonlinearity"]
    ctx.forget(node.func)
    return lambda updated: expression(text, name_=updated.args[place].value)
