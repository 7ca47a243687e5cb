"""The way back: what MindSpore's initializers draw, as a tensor or as the start of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import code, expression, keyword, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.arguments import bind
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import family
from onecell.migrate.rules.table.row import Row, Signature

HOME: Final = "mindspore.common.initializer"
_LEAKY: Final = "negative_slope=0, mode='fan_in', nonlinearity='leaky_relu'"
_KNOWN: Final[Mapping[str, tuple[str, str]]] = {
    "Zero": ("", "torch.nn.init.zeros_(p_)"),
    "One": ("", "torch.nn.init.ones_(p_)"),
    "Constant": ("value", "torch.nn.init.constant_(p_, value_)"),
    "Normal": ("sigma=0.01, mean=0.0", "torch.nn.init.normal_(p_, mean_, sigma_)"),
    "Uniform": ("scale=0.07", "torch.nn.init.uniform_(p_, -scale_, scale_)"),
    "XavierUniform": ("gain=1", "torch.nn.init.xavier_uniform_(p_, gain_)"),
    "XavierNormal": ("gain=1", "torch.nn.init.xavier_normal_(p_, gain_)"),
    "HeUniform": (
        _LEAKY,
        "torch.nn.init.kaiming_uniform_(p_, negative_slope_, mode_, nonlinearity_)",
    ),
    "HeNormal": (
        _LEAKY,
        "torch.nn.init.kaiming_normal_(p_, negative_slope_, mode_, nonlinearity_)",
    ),
    "Orthogonal": ("gain=1.0", "torch.nn.init.orthogonal_(p_, gain_)"),
    "Identity": ("", "torch.nn.init.eye_(p_)"),
    "TruncatedNormal": (
        "sigma=0.01",
        "torch.nn.init.trunc_normal_(p_, 0.0, sigma_, -2 * sigma_, 2 * sigma_)",
    ),
}
"""Class → its arguments, and what fills a tensor so."""
_BY_WORD: Final = {
    "zeros": "Zero",
    "zero": "Zero",
    "ones": "One",
    "one": "One",
    "normal": "Normal",
    "uniform": "Uniform",
    "xavier_uniform": "XavierUniform",
    "xavieruniform": "XavierUniform",
    "xavier_normal": "XavierNormal",
    "xaviernormal": "XavierNormal",
    "he_uniform": "HeUniform",
    "heuniform": "HeUniform",
    "he_normal": "HeNormal",
    "henormal": "HeNormal",
    "orthogonal": "Orthogonal",
    "identity": "Identity",
    "truncatednormal": "TruncatedNormal",
}
_STARTS: Final = {
    "linear": {"weight_init": "weight", "bias_init": "bias"},
    "conv1d": {"weight_init": "weight", "bias_init": "bias"},
    "conv2d": {"weight_init": "weight", "bias_init": "bias"},
    "embedding": {"embedding_table": "weight"},
}
"""Rule of a layer → argument that says how a parameter starts, and the parameter."""


def _fill(ctx: Context, made: cst.BaseExpression, tensor: cst.BaseExpression) -> cst.BaseExpression:
    """Return what fills `tensor` as the initializer `made` does.

    Raises:
        Unsure: it is none that is known.
    """
    word = literal(made)
    values: dict[str, cst.BaseExpression] = {}
    if isinstance(word, str) and word.lower() in _BY_WORD:
        name = _BY_WORD[word.lower()]
        call = None
    elif isinstance(word, int | float) and not isinstance(word, bool):
        name, call, values = "Constant", None, {"value": made}
    elif ctx.kinds.of(made) == "filler" and not isinstance(made, cst.Call):
        return cst.Call(made, [cst.Arg(tensor)])  # an initializer that has a name
    else:
        path = ctx.names.path(made.func) if isinstance(made, cst.Call) else None
        home, _, name = (path or "").rpartition(".")
        if home not in (HOME, "mindspore.common") or name not in _KNOWN:
            raise Unsure(
                "which numbers an initializer draws is not written out",
                "fill the parameter by `torch.nn.init` after it is made",
            )
        assert isinstance(made, cst.Call)  # noqa: S101 - as asked above
        call = made
    arguments, text = _KNOWN[name]
    signature = Signature(f"{HOME}.{name}({arguments})")
    values = {key: cst.parse_expression(each) for key, each in signature.defaults.items()} | values
    if call is not None:
        for each in bind(call.args, signature):
            if each.parameter is None:
                raise Unsure("`*` hides what an initializer is given")
            values[each.parameter] = call.args[each.index].value
        ctx.forget(call.func)
        ctx.gone.add(call)
    path, _, rest = text.partition("(")
    simple = [part for part in rest.removesuffix(")").split(", ") if part != "p_"]
    while simple and simple[-1].endswith("_") and call is None and name != "Constant":
        default = signature.defaults.get(simple[-1].removesuffix("_"))
        if name in ("Normal", "Uniform", "HeUniform", "HeNormal", "TruncatedNormal") or not default:
            break
        simple.pop()
    spelled = {f"{key}_": _operand(each) for key, each in values.items()}
    return expression(
        f"f_({', '.join(['p_', *simple])})", f_=ctx.speller.spell(path), p_=tensor, **spelled
    )


@family(
    "first_numbers",
    "`initializer('normal', shape)` and `torch.nn.init.normal_(torch.empty(shape))`",
    [f"{HOME}.{name}" for name in _KNOWN],
    gives="filler",
    back=True,
)
def _named(ctx: Context, node: cst.Call, path: str) -> Plan:
    if not isinstance(ctx.names.parents.get(node), cst.Assign):
        raise Unsure(f"where `{path}` goes is not seen", "fill the parameter by `torch.nn.init`")
    late = {f"a{i}": arg.value for i, arg in enumerate(node.args) if literal(arg.value) is literal}
    names = list(late)
    args = [
        arg.with_changes(value=cst.Name(names.pop(0))) if arg.value in late.values() else arg
        for arg in node.args
    ]
    given = "".join(f", {name}={name}_" for name in late)
    filled = code(_fill(ctx, node.with_changes(args=args), cst.Name("p")))
    ctx.gone.discard(node)
    return lambda _: expression(
        f"lambda p{given}: {filled}", **{f"{name}_": each for name, each in late.items()}
    )


def _operand(node: cst.BaseExpression) -> cst.BaseExpression:
    return node if not isinstance(node, cst.BinaryOperation) else expression("(x_)", x_=node)


@family(
    "first_numbers",
    "`initializer('normal', shape)` and `torch.nn.init.normal_(torch.empty(shape))`",
    [f"{HOME}.initializer", "mindspore.common.initializer"],
    gives="tensor",
    back=True,
)
def _plan(ctx: Context, node: cst.Call, path: str) -> Plan:
    signature = Signature(f"{path}(init, shape=None, dtype=None)")
    given = {each.parameter: each.index for each in bind(node.args, signature)}
    if "init" not in given:
        raise Unsure("`init` is not given")
    made = node.args[given["init"]].value
    if ctx.kinds.of(made) == "tensor":
        ctx.forget(node.func)
        for name in ("shape", "dtype"):
            if name in given:
                ctx.forget(node.args[given[name]].value)
        return lambda updated: updated.args[given["init"]].value
    if "shape" not in given:
        raise Unsure("`shape` is not given")
    filled = code(_fill(ctx, made, cst.Name("empty_")))
    ctx.forget(node.func)

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = [cst.Arg(updated.args[given["shape"]].value)]
        if "dtype" in given:
            args = [
                args[0].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))),
                keyword("dtype", updated.args[given["dtype"]].value),
            ]
        whole = cst.Call(ctx.speller.spell("torch.empty"), args)
        return expression(filled, empty_=whole)

    return build


def starts(ctx: Context, node: cst.Call, row: Row) -> dict[str, int]:
    """Return which arguments of a layer say how a parameter starts, by the parameter's name.

    A default that is not torch's has the place -1.
    """
    known = _STARTS.get(row.rule) if ctx.to == "torch" else None
    if known is None:
        return {}
    found = {}
    for place, arg in enumerate(node.args):
        if arg.star:
            return {}
        name = arg.keyword.value if arg.keyword is not None else None
        if name is None and place < len(row.mindspore.positional):
            name = row.mindspore.positional[place]
        if name in known and not _is_torchs(ctx, arg.value, row, name):
            found[known[name]] = place
    given = {a.keyword.value for a in node.args if a.keyword is not None}
    given |= set(row.mindspore.positional[: sum(a.keyword is None for a in node.args)])
    if row.rule == "embedding" and "embedding_table" not in given:
        found["weight"] = -1
    return found


def _is_torchs(ctx: Context, value: cst.BaseExpression, row: Row, name: str) -> bool:
    """Whether an argument asks for what torch does anyway."""
    wanted = row.fixed.get(name, "None")
    return ctx.same(value, wanted) or (wanted == "None" and literal(value) is None)


def plan_started(ctx: Context, places: Mapping[str, int], node: cst.Call, plain: Plan) -> Plan:
    """Return the plan of a layer that gets its first numbers by `initialized`.

    Args:
        ctx: the module.
        places: what `starts` has returned.
        node: the call.
        plain: what becomes of the call without these arguments.
    """
    fillers = {}
    for name, place in places.items():
        made = node.args[place].value if place >= 0 else cst.SimpleString("'normal'")
        if ctx.kinds.of(made) == "tensor":
            fillers[name] = expression("lambda p, t=t_: p.data.copy_(t)", t_=made)
            continue
        fillers[name] = _plainly(_fill(ctx, made, cst.Name("p")))
    held = ctx.write("initialized")

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = [cst.Arg(plain(updated))]
        args += [keyword(name, each) for name, each in fillers.items()]
        space = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args[:-1] = [arg.with_changes(comma=space) for arg in args[:-1]]
        return cst.Call(held, args)

    return build


def _plainly(filled: cst.BaseExpression) -> cst.BaseExpression:
    """Return the function that fills, without a lambda where it has but the parameter."""
    assert isinstance(filled, cst.Call)  # noqa: S101 - as it was made
    if len(filled.args) == 1:
        return filled.func
    return expression("lambda p: x_", x_=filled)
