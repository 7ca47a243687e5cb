"""Methods of torch's tensors that make another one like theirs: `new`, `new_zeros`, `new_full`."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_named, is_pure, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Made, Plan
from onecell.migrate.rules.families.receivers import (
    receiver,
    renaming,
    shown,
)


def of_torch_alone(ctx: Context, node: cst.Call, name: str, *, known: bool) -> Made | None:
    """Plan what nothing but torch's tensors has, whether the file shows one or not."""
    supposed = () if known else (f"`{shown(node)}` is a tensor",)
    if ctx.kinds.defines(name):
        return None
    if _spreads_sizes(node, name):
        return ("new_zeros", _gathered, *supposed)
    if name == "clone" and not node.args:
        return ("clone", renaming("copy"), *supposed)
    if name == "new" and is_of_list(node):
        name = "new_tensor"
    places = [arg for arg in node.args if not _is_moot(arg)]
    if name in _LIKE_IT and len(places) == _LIKE_IT[name].count(",") and is_pure(receiver(node)):
        for arg in node.args:
            if _is_moot(arg):
                ctx.forget(arg.value)
        return ("new", _like_it(ctx, name), *supposed)
    if name == "new" and len(node.args) > 1 and not any(arg.keyword for arg in node.args):
        return (*new(node), *supposed)
    return None


_LIKE_IT: Final = {"new_full": "full(a_, b_, dtype=x_.dtype)", "new_tensor": "tensor(a_, x_.dtype)"}
"""Methods that make a tensor of the same element type → what MindSpore's functions do."""


def _is_moot(arg: cst.Arg) -> bool:
    """Whether an argument of what makes a tensor changes no number of it."""
    return is_named(arg, "device") or (
        is_named(arg, "requires_grad") and literal(arg.value) is False
    )


def _like_it(ctx: Context, name: str) -> Plan:
    function, _, rest = _LIKE_IT[name].partition("(")
    path = f"mindspore.{'' if function == 'tensor' else 'ops.'}{function}"

    def build(updated: cst.Call) -> cst.BaseExpression:
        values = (arg.value for arg in updated.args if not _is_moot(arg))
        given = dict(zip(("a_", "b_"), values, strict=False))
        return expression(f"f_({rest}", f_=ctx.speller.spell(path), x_=receiver(updated), **given)

    return build


def is_of_list(node: cst.Call) -> bool:
    """Whether `x.new([1, 2])` is given numbers, as `new_tensor` is."""
    return len(node.args) == 1 and isinstance(node.args[0].value, cst.List)


def _spreads_sizes(node: cst.Call, name: str) -> bool:
    """Whether a tensor like another is made by sizes one by one, which MindSpore takes as one."""
    return (
        name in ("new_zeros", "new_ones")
        and len(node.args) > 1
        and not any(arg.keyword for arg in node.args)
    )


def _gathered(updated: cst.Call) -> cst.BaseExpression:
    sizes = [
        cst.StarredElement(arg.value) if arg.star else cst.Element(arg.value)
        for arg in updated.args
    ]
    return updated.with_changes(args=[cst.Arg(cst.Tuple(sizes))])


def new(node: cst.Call) -> tuple[str, Plan]:
    """Plan `x.new(2, 3)`, whose numbers are whatever memory held: zeros are as good."""
    if not node.args or any(
        arg.keyword is not None or isinstance(arg.value, cst.List | cst.Tuple) for arg in node.args
    ):
        raise Unsure("`new` of a tensor is given no sizes", "`x.new_tensor(data)`")
    if (
        len(node.args) == 1
        and not node.args[0].star
        and not isinstance(node.args[0].value, cst.Integer | cst.BinaryOperation)
    ):
        raise Unsure(
            "`new` of a tensor may be given numbers or a size",
            "write `x.new_zeros(size)` or `x.new_tensor(data)`",
        )

    def build(updated: cst.Call) -> cst.BaseExpression:
        sizes = [
            cst.StarredElement(arg.value) if arg.star else cst.Element(arg.value)
            for arg in updated.args
        ]
        return expression("_.new_zeros(s_)", _=receiver(updated), s_=cst.Tuple(sizes))

    return "new", build
