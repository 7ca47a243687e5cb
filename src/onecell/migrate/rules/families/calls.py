"""Calls of what the table has: arguments renamed and, where a row says so, reshaped."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_named, is_none, keyword, literal
from onecell.migrate.rules.arguments import Converter
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families import registry
from onecell.migrate.rules.families.called import converted
from onecell.migrate.rules.families.modules import first_numbers, padding, padding_modes
from onecell.migrate.rules.families.tensors.denormals import in_float64, kept_type
from onecell.migrate.rules.families.tensors.made import TYPES
from onecell.migrate.rules.families.tensors.picked import supposed
from onecell.migrate.rules.families.tensors.ranks import guessed_axis
from onecell.migrate.rules.table.row import Row


def plan_call(
    ctx: Context, node: cst.Call, row: Row, *, func: bool = True, begun: bool = True
) -> Plan:
    """Return how a call of `row` is rewritten; `func` False leaves what is called as it is.

    `begun` False says that the first numbers of a layer's parameters are seen to.

    Raises:
        Unsure: the call would not surely compute the same.
    """
    place = _in_place(node, row)
    if place is not None:
        said = "nothing else reads what goes in afterwards, which torch changes in place"
        ctx.holds.setdefault(node, []).append(said)
        plain = plan_call(ctx, _without(node, place), row)
        return lambda updated: plain(_without(updated, place))
    if (
        ctx.source == "torch"
        and "reduction" in row.torch.names
        and _with_reduction(node) is not node
    ):
        plain = plan_call(ctx, _with_reduction(node), row, func=func)
        return lambda updated: plain(_with_reduction(updated))
    if _guesses_axis(ctx, node, row):
        axis = guessed_axis(ctx, node.args[0].value) if row.gives == "tensor" else None
        if axis is None:
            said = "what comes in has two or four axes, for which torch takes axis 1 unless told"
            ctx.holds.setdefault(node, []).append(said)
            axis = cst.Integer("1")
        plain = plan_call(ctx, _with_axis(node, axis), row)
        return lambda updated: plain(_with_axis(updated, axis))
    if (typed := _typed_by_out(ctx, node, row)) is not None:
        out, kind = typed
        ctx.forget(node.args[out].value)
        whole = plan_call(ctx, _with_type(node, out, cst.Name(kind)), row)
        return lambda updated: whole(
            _with_type(updated, out, ctx.speller.spell(f"mindspore.{kind}"))
        )
    if (wide := kept_type(ctx, node, row)) is not None:
        plain = plan_call(ctx, in_float64(ctx, node), row)
        return lambda updated: expression(
            "x_.astype(t_)", x_=plain(in_float64(ctx, updated)), t_=wide
        )
    if node.args and (picked := supposed(ctx, node, row.rule, node.args[0].value)) is not None:
        ctx.holds.setdefault(node, []).append(picked)
    if row.rule == "parameter" and ctx.to == "torch":
        _name_parameter(ctx, node)
    if begun and func and (starts := first_numbers.starts(ctx, node, row)):
        places = {place for place in starts.values() if place >= 0}
        less = replace(row, fixed={n: v for n, v in row.fixed.items() if n != "embedding_table"})
        plain = plan_call(ctx, _less(node, places), less, begun=False)
        return first_numbers.plan_started(ctx, starts, node, lambda u: plain(_less(u, places)))
    if (mode := padding_modes.mode_of(ctx, node, row)) is not None:
        plain = plan_call(ctx, padding_modes.padded(node, mode), row, func=func, begun=False)
        return lambda u: padding_modes.said(plain(padding_modes.padded(u, mode)), mode)
    special = registry.of_shape(row.shape)
    converter = Converter(
        row, ctx.source, ctx.to, ctx.make, ctx.same, loose=row.shape == "cell" and func
    )
    if special is not None:
        return special(ctx, node, row, converter)
    plan = converted(ctx, node, row, converter)
    padding.hold_back(ctx, node, row)
    if row.rule == "data" and _draws_order(node, row):
        ctx.holds.setdefault(node, []).append("another random order of the samples will do")
    return plan


_REDUCING: Final = ("size_average", "reduce")
"""How torch spelled `reduction` before."""


def _with_reduction(node: cst.Call) -> cst.Call:
    """Return a call with `reduction` for its two earlier spellings, where these are literals."""
    given = {a.keyword.value: literal(a.value) for a in node.args if a.keyword is not None}
    values = [given[name] for name in _REDUCING if name in given]
    if not values or "reduction" in given or literal in values:
        return node
    if given.get("reduce") is False:
        word = "none"
    else:
        word = "sum" if given.get("size_average") is False else "mean"
    kept = [a for a in node.args if a.keyword is None or a.keyword.value not in _REDUCING]
    if kept:
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(args=[*kept, keyword("reduction", cst.SimpleString(f'"{word}"'))])


def _draws_order(node: cst.Call, row: Row) -> bool:
    """Whether a loader or sampler draws the order of the samples."""
    name = row.torch.path.rpartition(".")[2]
    if name != "DataLoader":
        return name in ("random_split", "RandomSampler", "SubsetRandomSampler")
    given = [arg.value for arg in node.args if is_named(arg, "shuffle")]
    given += [arg.value for arg in node.args[2:3] if arg.keyword is None]
    return bool(given) and literal(given[0]) is not False


_GUESSING: Final = frozenset(["softmax", "log_softmax", "softmax_layer", "log_softmax_layer"])
"""Rules of what torch finds an axis for, by how many there are, where none is given."""


def _guesses_axis(ctx: Context, node: cst.Call, row: Row) -> bool:
    """Whether a softmax is given no axis, or None."""
    if ctx.to != "mindspore" or row.rule not in _GUESSING or any(a.star for a in node.args):
        return False
    found = [arg.value for arg in node.args if is_named(arg, "dim")]
    found += [arg.value for arg in node.args if arg.keyword is None][
        row.torch.positional.index("dim") :
    ]
    return not found or is_none(found[0])


def _with_axis(node: cst.Call, axis: cst.BaseExpression) -> cst.Call:
    args = list(node.args)
    if args and (is_named(args[-1], "dim") or is_none(args[-1].value)):
        del args[-1]
    if args and not isinstance(args[-1].comma, cst.Comma):
        space = cst.SimpleWhitespace(" ")
        args[-1] = args[-1].with_changes(comma=cst.Comma(whitespace_after=space))
    return node.with_changes(args=[*args, keyword("dim", axis)])


def _typed_by_out(ctx: Context, node: cst.Call, row: Row) -> tuple[int, str] | None:
    """Return where `out=torch.LongTensor(n)` stands, which says of what type, and the type."""
    if ctx.to != "mindspore" or row.gives != "tensor" or "dtype" not in row.torch.names:
        return None
    for place, arg in enumerate(node.args):
        if not is_named(arg, "out") or not isinstance(arg.value, cst.Call):
            continue
        home, _, name = (ctx.names.path(arg.value.func) or "").rpartition(".")
        if home not in ("torch", "torch.cuda") or any(is_named(a, "dtype") for a in node.args):
            return None
        kind = TYPES.get(name)
        return (place, kind) if kind is not None else None
    return None


def _with_type(node: cst.Call, place: int, dtype: cst.BaseExpression) -> cst.Call:
    args = list(node.args)
    args[place] = args[place].with_changes(keyword=cst.Name("dtype"), value=dtype)
    return node.with_changes(args=args)


def _in_place(node: cst.Call, row: Row) -> int | None:
    """Return which argument asks that what comes in be changed, None where none does."""
    if "inplace" not in row.fixed:
        return None
    stands = row.torch.positional.index("inplace")
    return next(
        (
            place
            for place, arg in enumerate(node.args)
            if (arg.keyword.value == "inplace" if arg.keyword is not None else place == stands)
            and not any(before.star for before in node.args[: place + 1])
            and literal(arg.value) is True
        ),
        None,
    )


def _less(node: cst.Call, places: set[int]) -> cst.Call:
    """Return a call without some arguments; those after them go by their names."""
    for place in sorted(places, reverse=True):
        node = _without(node, place)
    return node


def _name_parameter(ctx: Context, node: cst.Call) -> None:
    """Suppose that nobody asks for the name of a parameter, where it is not its attribute's."""
    given = [a.value for a in node.args if is_named(a, "name")]
    given += [a.value for a in node.args[1:2] if a.keyword is None]
    parent = ctx.names.parents.get(node)
    attributes = {
        target.target.attr.value
        for target in getattr(parent, "targets", ())
        if isinstance(target.target, cst.Attribute)
    }
    if given and not is_none(given[0]) and literal(given[0]) not in attributes:
        said = "a checkpoint calls it by its place in its module, not by `name`"
        ctx.holds.setdefault(node, []).append(said)


def _without(node: cst.Call, place: int) -> cst.Call:
    """Return a call without one of its arguments."""
    args = [arg for i, arg in enumerate(node.args) if i != place]
    if args and place == len(args):
        args[-1] = args[-1].with_changes(comma=node.args[place].comma)
    return node.with_changes(args=args)
