"""Methods that change a tensor in place, which MindSpore has for no CPU: `copy_` alone does it.

`x.copy_(y)` changes the whole of x for whoever holds it, and its gradient is torch's. In part of a
tensor it changes nothing or the wrong part, without a word; there an item is set. A parameter gets
its first numbers from an initializer. Who else holds a tensor is told in `holders`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_pure, literal, operand
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.modules.initializers import HOME, between, filled, uniform
from onecell.migrate.rules.families.tensors.holders import (
    comes_back,
    is_new,
    is_new_view,
    is_own,
    is_parameter,
    is_part,
    is_view,
)
from onecell.migrate.rules.families.tensors.items import less_data
from onecell.migrate.rules.table.row import Signature


@dataclass(frozen=True, slots=True)
class _Form:
    """What a method without its underscore computes."""

    arguments: str
    text: str
    """`x_` for the tensor, arguments with an underscore, `f_` for `function`."""
    function: str = ""
    fresh: bool = False
    """Whether the old numbers do not matter."""


def _function(name: str, arguments: str = "", *, fresh: bool = False) -> _Form:
    given = "".join(f", {each}_" for each in arguments.split(", ") if each)
    return _Form(arguments, f"f_(x_{given})", f"mindspore.ops.{name}", fresh)


_FORMS: Final[Mapping[str, _Form]] = {
    "copy_": _Form("src", "src_", fresh=True),
    "fill_": _function("full_like", "value", fresh=True),
    "zero_": _function("zeros_like", fresh=True),
    "uniform_": _Form("from_=0.0, to=1.0", "", fresh=True),
    "normal_": _Form("mean=0.0, std=1.0", "f_(x_) * std_ + mean_", "mindspore.ops.randn_like"),
    "bernoulli_": _Form("p=0.5", "(f_(x_) < p_).astype(x_.dtype)", "mindspore.ops.rand_like"),
    "add_": _Form("other", "x_ + other_"),
    "sub_": _Form("other", "x_ - other_"),
    "mul_": _Form("other", "x_ * other_"),
    "div_": _Form("other", "x_ / other_"),
    "pow_": _Form("exponent", "x_ ** exponent_"),
    "neg_": _Form("", "-x_"),
    "clamp_": _Form("min, max", "x_.clamp(min_, max_)"),
    "masked_fill_": _Form("mask, value", "x_.masked_fill(mask_, value_)"),
    "scatter_": _Form("dim, index, src", "x_.scatter(dim_, index_, src_)"),
    **{f"{name}_": _function(name) for name in ("exp", "log", "sqrt", "tanh", "sigmoid", "abs")},
}


def plan_change(ctx: Context, node: cst.Call, name: str, *, known: bool) -> Plan | None:
    """Return how a method that ends in `_` is written, None where this file shows too little.

    Args:
        ctx: the module.
        node: the call.
        name: what the method is called.
        known: whether the receiver is surely a tensor.

    Raises:
        Unsure: the tensor is part of another one, or the arguments are none that are known.
    """
    form = _FORMS.get(name)
    if form is None or ctx.kinds.defines(name):
        return None
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    held = node.func.value
    if not isinstance(ctx.names.parents.get(node), cst.Expr):
        takes = is_new(ctx, held) or comes_back(ctx, node, held)
        return _computing(ctx, node, form, name) if takes and name != "copy_" else None
    base = less_data(held)
    if isinstance(base, cst.Subscript):
        if not is_pure(base.value):
            return None
        return _setting(ctx, node, form, name)
    if name == "copy_" and base is held and is_view(ctx, base):
        raise Unsure(
            "what is copied into a view is right in MindSpore, and its gradient is not",
            "copy into the tensor itself, in its shape, and make the view anew",
        )
    if not is_pure(base):
        return None
    if is_part(ctx, base) or (base is held and is_new_view(ctx, base)):
        return _setting(ctx, node, form, name)
    given = base is held and not is_parameter(ctx, base) and not (known and is_own(ctx, base))
    if name == "copy_":
        return (lambda updated: updated) if known else None
    if given:
        return None
    return _copying(ctx, node, form, name)


def _values(
    node: cst.Call, updated: cst.Call, form: _Form, name: str
) -> dict[str, cst.BaseExpression]:
    """Return parameter → argument; raises `Unsure` for arguments that the form does not have."""
    side = Signature(f"{name}({form.arguments})")
    bound = bind([a.with_changes(keyword=_plain(a.keyword)) for a in node.args], side)
    given = {each.parameter: updated.args[each.index].value for each in bound}
    if None in given:
        raise Unsure(f"the arguments of `{name}` are not written out")
    defaults = {key: cst.parse_expression(text) for key, text in side.defaults.items()}
    values = defaults | {key: value for key, value in given.items() if key is not None}
    for parameter in side.names:
        if parameter not in values:
            raise Unsure(f"`{name}` is given no `{parameter}`")
    return values


def _plain(keyword: cst.Name | None) -> cst.Name | None:
    """Return a keyword as the forms have it: `from` is no name in Python."""
    return cst.Name("from_") if keyword is not None and keyword.value == "from" else keyword


def _computed(
    ctx: Context, tensor: cst.BaseExpression, form: _Form, values: Mapping[str, cst.BaseExpression]
) -> cst.BaseExpression:
    """Return what the method without its underscore gives."""
    if not form.text:
        return between(ctx, tensor, values["from_"], values["to"])
    if form.text == "src_":
        return values["src"]
    if "src" in values and isinstance(number := literal(values["src"]), int):
        # MindSpore scatters no whole number on the CPU, and a float into any element type.
        values = {**values, "src": cst.parse_expression(repr(float(number)))}
    operates = any(sign in form.text for sign in "+-*/<")
    parts = {f"{key}_": operand(each) if operates else each for key, each in values.items()}
    if form.function:
        parts["f_"] = ctx.speller.spell(form.function)
    return expression(form.text, x_=operand(tensor) if operates else tensor, **parts)


def _computing(ctx: Context, node: cst.Call, form: _Form, name: str) -> Plan:
    _values(node, node, form, name)

    def build(updated: cst.Call) -> cst.BaseExpression:
        assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - a method stays one
        values = _values(node, updated, form, name)
        return _computed(ctx, updated.func.value, form, values)

    return build


def _setting(ctx: Context, node: cst.Call, form: _Form, name: str) -> Plan:
    """Plan an assignment to an item; `rewriting` makes a statement of the named expression."""
    _values(node, node, form, name)

    def build(updated: cst.Call) -> cst.BaseExpression:
        assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - a method stays one
        part = less_data(updated.func.value)
        values = _values(node, updated, form, name)
        if not isinstance(part, cst.Subscript):
            part = cst.Subscript(part, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
            return cst.NamedExpr(part, _computed(ctx, part.value, form, values))
        return cst.NamedExpr(part, _computed(ctx, part, form, values))

    return build


def _copying(ctx: Context, node: cst.Call, form: _Form, name: str) -> Plan:
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    first = is_parameter(ctx, less_data(node.func.value))
    _values(node, node, form, name)

    def build(updated: cst.Call) -> cst.BaseExpression:
        assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - a method stays one
        held = updated.func.value
        base = less_data(held)
        values = _values(node, updated, form, name)
        made = _first_numbers(ctx, name, values) if first else None
        if made is not None:
            return filled(ctx, base, made)
        return expression("h_.copy_(v_)", h_=held, v_=_computed(ctx, base, form, values))

    return build


def _first_numbers(
    ctx: Context, name: str, values: Mapping[str, cst.BaseExpression]
) -> cst.BaseExpression | None:
    """Return the initializer that gives a parameter such numbers, if there is one."""

    def made(kind: str, *given: cst.BaseExpression) -> cst.BaseExpression:
        names = {f"a{n}_": value for n, value in enumerate(given)}
        return expression(
            f"f_({', '.join(names)})", f_=ctx.speller.spell(f"{HOME}.{kind}"), **names
        )

    match name:
        case "zero_":
            return made("Constant", cst.Integer("0"))
        case "fill_":
            return made("Constant", values["value"])
        case "normal_":
            return made("Normal", values["std"], values["mean"])
        case "uniform_":
            return uniform(ctx, values["from_"], values["to"])
    return None
