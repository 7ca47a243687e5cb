"""Methods that change a tensor in place, which MindSpore has for no CPU: `copy_` alone does it.

`x.copy_(y)` changes the whole of x for whoever holds it, and its gradient is torch's. In part of a
tensor it changes nothing or the wrong part, without a word; there an item is set. A parameter gets
its first numbers from an initializer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_pure, literal, operand, upwards
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.modules.initializers import HOME, between, filled, uniform
from onecell.migrate.rules.families.tensors.in_place import is_shared, viewed
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
PARAMETERS: Final = frozenset(
    "weight bias weight_ih weight_hh bias_ih bias_hh gamma beta embedding_table".split()  # noqa: SIM905 - as above
)
_LISTED: Final = frozenset(["parameters", "named_parameters"])


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
        takes = _is_new(ctx, held) or _comes_back(ctx, node, held)
        return _computing(ctx, node, form, name) if takes and name != "copy_" else None
    base = less_data(held)
    if isinstance(base, cst.Subscript):
        if not is_pure(base.value):
            return None
        return _setting(ctx, node, form, name)
    if name == "copy_" and base is held and _is_view(ctx, base):
        raise Unsure(
            "what is copied into a view is right in MindSpore, and its gradient is not",
            "copy into the tensor itself, in its shape, and make the view anew",
        )
    if not is_pure(base):
        return None
    if _is_part(ctx, base) or (base is held and _is_new_view(ctx, base)):
        return _setting(ctx, node, form, name)
    given = base is held and not is_parameter(ctx, base) and not (known and _is_own(ctx, base))
    if name == "copy_":
        return (lambda updated: updated) if known else None
    if given:
        return None
    return _copying(ctx, node, form, name)


_OPERATORS: Final[Mapping[type[cst.BaseAugOp], str]] = {
    cst.AddAssign: "+",
    cst.SubtractAssign: "-",
    cst.MultiplyAssign: "*",
    cst.DivideAssign: "/",
}
_OF_TENSORS: Final = frozenset(
    "size numel dim unsqueeze expand expand_as view_as type_as float long detach permute clone mm"  # noqa: SIM905 - as above
    " bmm masked_fill gather scatter index_select contiguous cuda cpu device new_zeros".split()
)
"""Attributes that tensors have, and nothing else of this kind."""
_LIKE: Final = frozenset(["expand_as", "view_as", "type_as", "reshape_as"])


def augmented(ctx: Context, node: cst.AugAssign) -> str | None:
    """Return what has to hold for `x += y` of a tensor that is given to be `x.copy_(x + y)`.

    Whoever gives it sees the change. None where x may be a number, is bound to something else as
    well, or is no parameter of a function.
    """
    target = node.target
    if ctx.to != "mindspore" or type(node.operator) not in _OPERATORS:
        return None
    reads = _reads_beside(ctx, target) if isinstance(target, cst.Name) else []
    if not isinstance(target, cst.Name) or not any(_is_of_tensor(ctx, read) for read in reads):
        return None
    bound = {each.node for read in reads for each in ctx.names.assignments(read)}
    values = [
        ctx.names.value_of(each)
        for each in bound
        if not isinstance(each, cst.Param)
        and not isinstance(ctx.names.parents.get(each), cst.AugAssign)
    ]
    given = any(isinstance(each, cst.Param) for each in bound)
    whole = all(isinstance(v, cst.Name | cst.Attribute) and viewed(v) is None for v in values)
    return f"`{target.value}` is no part of another tensor" if given and whole else None


def _reads_beside(ctx: Context, target: cst.Name) -> list[cst.Name]:
    """Return what reads a name in the function that binds it."""

    def function_of(node: cst.CSTNode) -> cst.CSTNode | None:
        ups = upwards(node, ctx.names.parents)
        return next((up for up in ups if isinstance(up, cst.FunctionDef)), None)

    home = function_of(target)
    every = ctx.names.called(target.value)
    return [each for each in every if each in ctx.names.loads and function_of(each) is home]


def _is_of_tensor(ctx: Context, read: cst.Name) -> bool:
    """Whether a name is read as that of a tensor."""
    up = ctx.names.parents.get(read)
    if isinstance(up, cst.Attribute) and up.value is read and up.attr.value in _OF_TENSORS:
        return True
    call = ctx.names.parents.get(up) if isinstance(up, cst.Arg) else None
    func = call.func if isinstance(call, cst.Call) else None
    likened = isinstance(func, cst.Attribute) and func.attr.value in _LIKE
    return likened or ctx.kinds.of(read) == "tensor"


def copied(node: cst.AugAssign) -> cst.Expr:
    """Return `x.copy_(x + y)` for `x += y`."""
    sign = _OPERATORS[type(node.operator)]
    value = node.value if sign == "+" else operand(node.value)
    return cst.Expr(expression(f"x_.copy_(x_ {sign} v_)", x_=node.target, v_=value))


Retarget = Callable[[cst.BaseExpression], cst.BaseExpression]


def item_target(ctx: Context, target: cst.BaseExpression) -> Retarget | None:
    """Return how an item of a parameter is named where it is set, None where it may stay.

    MindSpore keeps nothing of what is set in `p.data`, and torch lets no item of p itself be set.
    """
    if not isinstance(target, cst.Subscript) or not is_pure(target.value):
        return None
    held = target.value
    if ctx.to == "torch":
        return _of_data if is_parameter(ctx, held) and ctx.names.path(held) is None else None
    if not isinstance(held, cst.Attribute) or held.attr.value != "data":
        return None
    is_tensor = is_parameter(ctx, held.value) or ctx.kinds.of(held.value) == "tensor"
    return less_data if is_tensor and ctx.names.path(held) is None else None


def _of_data(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return `p.data[i]` for `p[i]`."""
    assert isinstance(node, cst.Subscript)  # noqa: S101 - the caller asked
    return node.with_changes(value=cst.Attribute(node.value, cst.Name("data")))


def less_data(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return `p` for `p.data`, and `p[i]` for `p.data[i]`."""
    if isinstance(node, cst.Attribute) and node.attr.value == "data":
        return node.value
    if isinstance(node, cst.Subscript):
        return node.with_changes(value=less_data(node.value))
    return node


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


def _is_part(ctx: Context, node: cst.BaseExpression) -> bool:
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


def _is_view(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression, or what its name is bound to, is a view of what something else holds.

    A view of what has no gradient, as `p.data` or what is detached, is none here.
    """
    values: list[cst.BaseExpression | None] = [node]
    if isinstance(node, cst.Name):
        if _is_new_view(ctx, node):
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


def _is_new_view(ctx: Context, node: cst.BaseExpression) -> bool:
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
    return computed or _is_new(ctx, inner) or _views_new(ctx, inner)


def _is_own(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether a name is bound in this file to nothing but whole tensors."""
    if not isinstance(node, cst.Name):
        return False
    bound = ctx.names.assignments(node)
    values = [ctx.names.value_of(each.node) for each in bound]
    return bool(values) and all(
        value is not None and (viewed(value) is None or _is_new(ctx, value)) for value in values
    )


def _is_new(ctx: Context, node: cst.BaseExpression) -> bool:
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
    return name in _NEW or (name in _FORMS and _is_new(ctx, node.func.value))


def _comes_back(ctx: Context, node: cst.Call, held: cst.BaseExpression) -> bool:
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
