"""Calls of a cell: the input's name, and the state that MindSpore's own cell insists on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import libcst as cst

from onecell.dialect import FRONT_ENDS
from onecell.migrate.meaning.syntax import (
    as_keyword,
    elements,
    expression,
    is_none,
    is_pure,
    literal,
    upwards,
)
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan

_CREATED: Final = {"torch.zeros", "torch.ones", "torch.randn", "torch.rand", "torch.empty"}
_DEPTH: Final = 10


@dataclass(frozen=True, slots=True)
class _Given:
    """Which argument of the call is the input, the state, and c where that is apart."""

    x: int | None
    state: int | None
    c: int | None


def plan_cell_call(ctx: Context, node: cst.Call, cell: cst.BaseExpression) -> Plan | None:
    """Return how a call of `cell` is rewritten, None where it may stay.

    Raises:
        Unsure: the call would not surely compute the same.
    """
    old, new = FRONT_ENDS[ctx.source].call, FRONT_ENDS[ctx.to].call
    names = {old[name]: new[name] for name in old}
    needs_state = ctx.target == "native" and ctx.to == "mindspore"
    if any(arg.star for arg in node.args):
        if ctx.target == "native":
            raise Unsure(
                "`*` or `**` hides the state, which must be a pair of tensors there",
                "write the arguments out, or use `--target onecell`",
            )
        needs_state = False
    given = _bind(node.args, old)
    renamed = any(
        arg.keyword is not None
        and names.get(arg.keyword.value, arg.keyword.value) != arg.keyword.value
        for arg in node.args
    )
    joined = given.c is not None and ctx.target == "native"
    state = node.args[given.state].value if given.state is not None else None
    if needs_state and given.x is not None and not joined:
        changed = _plan_state(ctx, node, cell, given, names)
        if changed is not None:
            return changed
    if not renamed and not joined:
        return None

    def build(updated: cst.Call) -> cst.Call:
        args = _rename(updated.args, names)
        if joined and given.state is not None and given.c is not None and state is not None:
            pair = expression("(h_, c_)", h_=args[given.state].value, c_=args[given.c].value)
            args[given.state] = args[given.state].with_changes(value=pair)
            comma = args[given.c].comma
            del args[given.c]
            args[-1] = args[-1].with_changes(comma=comma)
        return updated.with_changes(args=args)

    return build


def _bind(args: Sequence[cst.Arg], spelled: Mapping[str, str]) -> _Given:
    by_name = {spelled["x"]: "x", spelled["state"]: "state", "h_0": "state", "c_0": "c"}
    found: dict[str, int] = {}
    for index, arg in enumerate(args):
        if arg.star:
            continue
        if arg.keyword is not None:
            if arg.keyword.value in by_name:
                found[by_name[arg.keyword.value]] = index
        elif index < 3:
            found[("x", "state", "c")[index]] = index
    return _Given(found.get("x"), found.get("state"), found.get("c"))


def _rename(args: Sequence[cst.Arg], names: dict[str, str]) -> list[cst.Arg]:
    return [
        as_keyword(arg, names.get(arg.keyword.value, arg.keyword.value))
        if arg.keyword is not None
        else arg
        for arg in args
    ]


def _plan_state(
    ctx: Context, node: cst.Call, cell: cst.BaseExpression, given: _Given, names: dict[str, str]
) -> Plan | None:
    """Write out the state, a pair with a batch axis, for MindSpore's own cell."""
    assert given.x is not None  # noqa: S101 - the caller looked
    x = node.args[given.x].value
    state = node.args[given.state].value if given.state is not None else None
    unbatched = rank(ctx, x) == 1
    missing = state is None or is_none(state)
    maybe = (isinstance(state, cst.Name) and _may_be_none(ctx, state)) or (
        isinstance(state, cst.Attribute) and _begins_as_none(ctx, state)
    )
    listed = _is_list(state) or (isinstance(state, cst.Name) and _names_list(ctx, state))
    if not (missing or maybe or listed or unbatched):
        return None
    if (missing or maybe) and not (is_pure(x) and is_pure(cell)):
        raise Unsure(
            "the state is left out, and the input is computed in the call",
            "give the input a name first, or pass zeros",
        )
    zeros_path = "mindspore.ops.zeros"

    def build(updated: cst.Call) -> cst.BaseExpression:
        args = _rename(updated.args, names)
        assert given.x is not None  # noqa: S101
        row = args[given.x].value
        held = cell
        if cell is node.func:
            held = updated.func
        elif isinstance(node.func, cst.Attribute) and cell is node.func.value:
            assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - methods stay methods
            held = updated.func.value
        shape = "(1, cell_.hidden_size)" if unbatched else "(x_.shape[0], cell_.hidden_size)"
        value = args[given.state].value if given.state is not None else cst.Name("None")
        if listed:
            value = _as_tuple(value)
        if unbatched and not missing:
            value = expression("tuple(s.unsqueeze(0) for s in state_)", state_=value)
        if missing or maybe:
            zeros = expression(
                f"(zeros_({shape}, dtype=x_.dtype),) * 2",
                x_=row,
                cell_=held,
                zeros_=ctx.speller.spell(zeros_path),
            )
            name = args[given.state].value if given.state is not None else None
            value = (
                zeros
                if missing or name is None
                else expression(
                    "zeros_ if state_ is None else then_", zeros_=zeros, state_=name, then_=value
                )
            )
        if unbatched:
            args[given.x] = args[given.x].with_changes(value=expression("x_.unsqueeze(0)", x_=row))
        if given.state is None:
            args = _with_state(args, value, given.x)
        else:
            args[given.state] = args[given.state].with_changes(value=value)
        called = updated.with_changes(args=args)
        if unbatched:
            return expression("tuple(s.squeeze(0) for s in called_)", called_=called)
        return called

    return build


def _with_state(args: list[cst.Arg], value: cst.BaseExpression, x: int) -> list[cst.Arg]:
    arg = cst.Arg(value)
    if args[x].keyword is not None or len(args) > 1:
        arg = as_keyword(arg, FRONT_ENDS["mindspore"].call["state"])
    last = args[-1].comma
    if isinstance(last, cst.Comma):
        args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        arg = arg.with_changes(comma=last)
    return [*args, arg]


def _as_tuple(value: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(value, cst.List):
        left = cst.LeftParen(value.lbracket.whitespace_after)
        right = cst.RightParen(value.rbracket.whitespace_before)
        return cst.Tuple(value.elements, lpar=[left], rpar=[right])
    return expression("tuple(_)", _=value)


def _may_be_none(ctx: Context, state: cst.Name) -> bool:
    for bound in ctx.names.assignments(state):
        node = bound.node
        if isinstance(node, cst.Param) and is_none(node.default):
            return not _settled(ctx, node, state)
        if is_none(ctx.names.value_of(node)):
            return True
    return False


def _begins_as_none(ctx: Context, state: cst.Attribute) -> bool:
    """Whether some method sets this attribute of `self` to None."""
    owner = ctx.kinds.owner_of(state.value)
    values = ctx.kinds.attributes.get(owner, {}) if owner is not None else {}
    return any(is_none(value) for value in values.get(state.attr.value, ()))


def _settled(ctx: Context, param: cst.Param, state: cst.Name) -> bool:
    """Whether `if state is None: state = …` at the top level of the function comes before."""
    function = next(
        (u for u in upwards(param, ctx.names.parents) if isinstance(u, cst.FunctionDef)), None
    )
    if function is None:
        return False
    around = [state, *upwards(state, ctx.names.parents)]
    for statement in function.body.body:
        if statement in around:
            return False
        if (
            isinstance(statement, cst.If)
            and isinstance(statement.test, cst.Comparison)
            and isinstance(statement.test.left, cst.Name)
            and statement.test.left.value == state.value
            and isinstance(statement.test.comparisons[0].operator, cst.Is)
            and is_none(statement.test.comparisons[0].comparator)
            and _assigns(statement.body, state.value)
        ):
            return True
    return False


def _assigns(body: cst.BaseSuite, name: str) -> bool:
    for line in body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else [line]:
            if isinstance(small, cst.Assign) and any(
                isinstance(t.target, cst.Name) and t.target.value == name for t in small.targets
            ):
                return not is_none(small.value)
    return False


def _is_list(node: cst.BaseExpression | None) -> bool:
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        return node.func.value == "list"
    return isinstance(node, cst.List | cst.ListComp)


def _names_list(ctx: Context, state: cst.Name) -> bool:
    values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(state)]
    return any(_is_list(value) for value in values)


def rank(ctx: Context, node: cst.BaseExpression, depth: int = _DEPTH) -> int | None:
    """Return how many axes a tensor has, where the module says so in plain numbers."""
    if depth == 0:
        return None
    if isinstance(node, cst.Name):
        values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(node)]
        only = values[0] if len(values) == 1 else None
        return rank(ctx, only, depth - 1) if only is not None else None
    if isinstance(node, cst.Subscript) and len(node.slice) == 1:
        index = node.slice[0].slice
        whole = rank(ctx, node.value, depth - 1)
        single = isinstance(index, cst.Index) and isinstance(literal(index.value), int)
        return whole - 1 if whole is not None and single else None
    if not isinstance(node, cst.Call):
        return None
    path = ctx.names.path(node.func)
    sizes = [arg for arg in node.args if arg.keyword is None]
    if path in _CREATED and sizes and not any(arg.star for arg in node.args):
        parts = elements(sizes[0].value)
        if parts is not None:
            return len(parts)
        written = all(isinstance(literal(arg.value), int) for arg in sizes)
        return len(sizes) if written or len(sizes) > 1 else None
    if path == "torch.tensor" and sizes:
        return _nesting(sizes[0].value)
    if isinstance(node.func, cst.Attribute) and path is None:
        inner = rank(ctx, node.func.value, depth - 1)
        if inner is not None and node.func.attr.value in ("unsqueeze", "squeeze"):
            return inner + (1 if node.func.attr.value == "unsqueeze" else -1)
    return None


def _nesting(node: cst.BaseExpression) -> int | None:
    parts = elements(node)
    if parts is None:
        return 0 if isinstance(node, cst.Integer | cst.Float | cst.UnaryOperation) else None
    inner = _nesting(parts[0]) if parts else 0
    return None if inner is None else inner + 1
