"""Methods of tensors and optimizers, and of what may be one."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import as_keyword, expression, is_pure, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Made, Plan
from onecell.migrate.rules.families.modules.element_types import CASTS, plan_back
from onecell.migrate.rules.families.modules.module_methods import of_module, set_train
from onecell.migrate.rules.families.receivers import (
    forget_args,
    is_like_module,
    moves,
    receiver,
    renaming,
    shown,
)
from onecell.migrate.rules.families.tensors.changes import plan_change
from onecell.migrate.rules.families.tensors.in_place import check_method
from onecell.migrate.rules.families.tensors.method_rows import is_of_others, plan_row, plan_supposed
from onecell.migrate.rules.families.tensors.unasked import plan_requiring
from onecell.migrate.rules.families.tensors.variable import is_data

_LACKING: Final = frozenset(
    [
        "value",
        "set_data",
        "assign_value",
        "asnumpy_",
        "init_data",
        "tile_",
        "random_categorical",
        "top_k",
        "ptp",
        "choose",
        "fills",
        "searchsorted",
        "resize",
        "fill",
        "equal",
        "gather_elements",
        "select",
    ]
)
"""Methods of MindSpore's tensors that torch's lack, or have for something else."""


_GUESSED: Final = {
    "size": "it is `shape` there",
    "detach": "it is `mindspore.ops.stop_gradient` there",
    "to": "leave the call out",
    "cpu": "leave the call out",
    "cuda": "leave the call out",
}
"""Methods of tensors that other objects may have as well → what they become."""
_LISTING: Final = ("parameters", "named_parameters")
_THERE: Final = {
    "forward": "construct",
    "train": "set_train",
    "eval": "set_train(False)",
    "parameters": "get_parameters",
    "named_parameters": "parameters_and_names",
}
"""Methods of torch's modules → what MindSpore's are called."""
_NORM: Final = "`norm` with an order is that of a matrix in MindSpore, of all numbers in torch"
_SIZED: Final = {"zeros", "ones", "rand", "randn"}
"""Rules of functions that take the shape of a tensor."""


def _like_tensor(ctx: Context, node: cst.Call) -> bool:
    """Whether something unknown is treated as a tensor because nothing speaks against it.

    What may be an object of this module's own that has such a method does; so does an instance of
    a class from elsewhere; and a bare `size()` is a tensor's where it is unpacked or indexed.
    """
    func = node.func
    assert isinstance(func, cst.Attribute)  # noqa: S101 - the caller looked
    name, held = func.attr.value, func.value
    if name == "size" and not node.args:
        parent = ctx.names.parents.get(node)
        if isinstance(parent, cst.Assign):
            return any(isinstance(t.target, cst.Tuple | cst.List) for t in parent.targets)
        if isinstance(parent, cst.Arg):
            call = ctx.names.parents.get(parent)
            if not isinstance(call, cst.Call) or parent.star:
                return True
            row = ctx.row(call.func)
            return row is not None and row.rule in _SIZED and len(call.args) == 1
        return isinstance(parent, cst.Subscript | cst.StarredElement)
    if ctx.kinds.defines(name):
        return False
    if isinstance(held, cst.Name) and name in ("size", "detach"):
        values = [ctx.names.value_of(bound.node) for bound in ctx.names.assignments(held)]
        made = [ctx.names.path(v.func) for v in values if isinstance(v, cst.Call)]
        return not any(
            path and not ctx.is_foreign(path) and path.rpartition(".")[2][:1].isupper()
            for path in made
        )
    return True


def _is_mode(node: cst.Call, name: str) -> bool:
    """Whether a call is one of those by which torch's modules change their mode."""
    if name == "train" and len(node.args) == 1:
        return _named(node.args[0], "mode") or isinstance(literal(node.args[0].value), bool)
    return name in ("train", "eval") and not node.args


def _named(arg: cst.Arg, name: str) -> bool:
    return arg.keyword is not None and arg.keyword.value == name


def to_mindspore(ctx: Context, node: cst.Call, name: str, kind: str) -> Made | None:
    """Return the rule and plan of a tensor's or optimizer's method, None where it may stay.

    Raises:
        Unsure: the method is known to have no counterpart.
    """
    known = kind == "tensor"
    if kind not in ("", "tensor"):
        if kind == "optimizer" and name in ("step", "zero_grad"):
            raise Unsure(
                f"`{name}` belongs to a training step that is written otherwise there",
                "use mindspore.value_and_grad, then call the optimizer with the gradients",
            )
        return None
    if not known and (name == "flatten_parameters" or not may_be_tensor(ctx, node)):
        return of_module(ctx, node, name) if name == "flatten_parameters" else None
    if not known and name in _GUESSED and not _like_tensor(ctx, node):
        if name == "size" and not node.args and not ctx.kinds.defines(name):
            plan: Plan = lambda u: expression("_.shape", _=receiver(u))  # noqa: E731
            return "size", plan, f"`{shown(node)}` is a tensor"
        raise Unsure(
            f"`{name}` of something that this file does not show to be a tensor",
            f"if it is one, {_GUESSED[name]}",
        )
    if (changed := _of_change(ctx, node, name, known=known)) is not None:
        return changed
    if (found := _of_any_tensor(ctx, node, name, known=known)) is not None:
        return found
    if not known and (taken := _of_like_module(ctx, node, name)) is not None:
        return taken
    if name == "backward":
        raise Unsure(
            "`backward` has no counterpart: MindSpore differentiates functions",
            "use mindspore.value_and_grad on the function that computes the loss",
        )
    if name == "zero_grad" and not ctx.kinds.defines(name) and not _differentiates(ctx):
        raise Unsure(
            "`zero_grad` has no counterpart: MindSpore's gradients are results, kept nowhere",
            "leave the call out",
        )
    if (made := _of_torch_alone(ctx, node, name, known=known)) is not None:
        return made
    return plan_row(ctx, node, name) if known else plan_supposed(ctx, node, name)


def _of_like_module(ctx: Context, node: cst.Call, name: str) -> Made | None:
    """Plan a method of modules of what is used as one, None for any other.

    Raises:
        Unsure: modules have such a method alone, and nothing shows that it is one.
    """
    surely = name in ("forward", *_LISTING) or _is_mode(node, name)
    if not surely and (name not in CASTS or node.args):
        return None
    if is_like_module(ctx, node) and (found := of_module(ctx, node, name)) is not None:
        return (*found, f"`{shown(node)}` is a module")
    if not surely:
        return None
    raise Unsure(
        f"`{name}` of something that this file does not show to be a module",
        f"if it is one, it is `{_THERE[name]}`",
    )


def _of_change(ctx: Context, node: cst.Call, name: str, *, known: bool) -> tuple[str, Plan] | None:
    """Plan a method that changes its tensor; raise `Unsure` where MindSpore's would not."""
    change = plan_change(ctx, node, name, known=known)
    if change is not None:
        return "in_place", change
    if name == "requires_grad_" and (plan := plan_requiring(ctx, node, fresh=_is_made(ctx, node))):
        return "variable", plan
    check_method(ctx, name, known=known)
    return None


def _is_made(ctx: Context, node: cst.Call) -> bool:
    """Whether a method's tensor is made where the method is called."""
    return isinstance(receiver(node), cst.Call) and is_data(ctx, receiver(node))


def _of_torch_alone(ctx: Context, node: cst.Call, name: str, *, known: bool) -> Made | None:
    """Plan what nothing but torch's tensors has, whether the file shows one or not."""
    supposed = () if known else (f"`{shown(node)}` is a tensor",)
    if ctx.kinds.defines(name):
        return None
    if _spreads_sizes(node, name):
        return ("new_zeros", _gathered, *supposed)
    if name == "clone" and not node.args:
        return ("clone", renaming("copy"), *supposed)
    if name == "new" and _is_of_list(node):
        name = "new_tensor"
    places = [arg for arg in node.args if not _is_moot(arg)]
    if name in _LIKE_IT and len(places) == _LIKE_IT[name].count(",") and is_pure(receiver(node)):
        for arg in node.args:
            if _is_moot(arg):
                ctx.forget(arg.value)
        return ("new", _like_it(ctx, name), *supposed)
    if name == "new" and len(node.args) > 1 and not any(arg.keyword for arg in node.args):
        return (*_new(node), *supposed)
    return None


_LIKE_IT: Final = {"new_full": "full(a_, b_, dtype=x_.dtype)", "new_tensor": "tensor(a_, x_.dtype)"}
"""Methods that make a tensor of the same element type → what MindSpore's functions do."""


def _is_moot(arg: cst.Arg) -> bool:
    """Whether an argument of what makes a tensor changes no number of it."""
    return _named(arg, "device") or (_named(arg, "requires_grad") and literal(arg.value) is False)


def _like_it(ctx: Context, name: str) -> Plan:
    function, _, rest = _LIKE_IT[name].partition("(")
    path = f"mindspore.{'' if function == 'tensor' else 'ops.'}{function}"

    def build(updated: cst.Call) -> cst.BaseExpression:
        values = (arg.value for arg in updated.args if not _is_moot(arg))
        given = dict(zip(("a_", "b_"), values, strict=False))
        return expression(f"f_({rest}", f_=ctx.speller.spell(path), x_=receiver(updated), **given)

    return build


def _is_of_list(node: cst.Call) -> bool:
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


def _of_any_tensor(
    ctx: Context, node: cst.Call, name: str, *, known: bool
) -> tuple[str, Plan] | None:
    """Do as `to_mindspore` for what is written otherwise whatever the file shows."""
    if name == "size" and len(node.args) <= 1 and not any(a.star for a in node.args):
        if node.args:
            return "size", lambda u: expression("_.shape[i_]", _=receiver(u), i_=u.args[0].value)
        return "size", lambda u: expression("_.shape", _=receiver(u))
    if name == "detach" and not node.args:
        return "detach", lambda u: expression(
            "f_(x_)", f_=ctx.speller.spell("mindspore.ops.stop_gradient"), x_=receiver(u)
        )
    if name == "new" and known and not _is_of_list(node):
        return _new(node)
    if name in ("cpu", "cuda") and (known or not node.args):
        return "device", receiver
    if name == "to" and moves(ctx, node):
        forget_args(ctx, node)
        return "device", receiver
    return None


def _new(node: cst.Call) -> tuple[str, Plan]:
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


def _differentiates(ctx: Context) -> bool:
    """Whether the file calls `backward`, which is marked, and with it all of its step."""
    return any(
        isinstance(call.func, cst.Attribute) and call.func.attr.value == "backward"
        for call in ctx.names.of_kind(cst.Call)
    )


def may_be_tensor(ctx: Context, node: cst.Call) -> bool:
    """Whether an unknown receiver may be a tensor: nothing of another library's."""
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    value = node.func.value
    return ctx.names.path(value) is None and not isinstance(
        value, cst.SimpleString | cst.FormattedString | cst.Dict | cst.List | cst.Tuple
    )


def to_torch(ctx: Context, node: cst.Call, name: str, kind: str) -> tuple[str, Plan] | None:
    """Return the rule and plan of a tensor's or optimizer's method, None where it may stay.

    Raises:
        Unsure: the method is known to have no counterpart.
    """
    if kind not in ("", "tensor") or not may_be_tensor(ctx, node):
        return None
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    if name == "asnumpy" and not node.args:
        return "asnumpy", lambda u: expression("_.detach().cpu().numpy()", _=receiver(u))
    found = set_train(ctx, node, name) or plan_back(ctx, node, name)
    if found is not None:
        return found
    if name == "construct" and kind == "":
        raise Unsure(
            "`construct` of something that this file does not show to be a cell",
            "if it is one, it is `forward`",
        )
    if name == "expand_dims" and len(node.args) == 1 and not node.args[0].star:
        return "unsqueeze_method", lambda u: expression(
            "_.unsqueeze(i_)", _=receiver(u), i_=u.args[0].value
        )
    if name == "trainable_params" and not node.args:
        return of_module(ctx, node, name)
    if name in ("get_parameters", "parameters_and_names") and not node.args:
        return of_module(ctx, node, name)
    if name in ("std", "var") and not is_of_others(ctx, node.func.value):
        raise Unsure(
            f"`{name}` divides by N - 1 in torch and by N in MindSpore", "write the division out"
        )
    return _known_to_torch(ctx, node, name) if kind == "tensor" else None


def _known_to_torch(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Do as `to_torch` for what is surely a tensor."""
    if name == "transpose" and (len(node.args) != 2 or any(a.keyword for a in node.args)):
        if not node.args or any(a.keyword for a in node.args):
            raise Unsure("`transpose` without its axes has no exact counterpart")
        return "transpose", renaming("permute")
    if name == "mean" and any(_named(arg, "keep_dims") for arg in node.args):
        raise Unsure("`mean` of a tensor has other keywords in torch")
    if name == "split" and any(_named(arg, "axis") for arg in node.args):
        raise Unsure("`split` of a tensor has other keywords in torch")
    if name == "norm" and len(node.args) == 1:
        raise Unsure(_NORM, "write it out")
    if name in ("max", "min") and any(_named(arg, "axis") for arg in node.args):
        raise Unsure(f"`{name}` along an axis gives the indices too in torch")
    if name == "astype":
        if len(node.args) != 1 or ctx.kinds.of(node.args[0].value) != "dtype":
            raise Unsure("`astype` of anything but an element type has no exact counterpart")
        return "astype", renaming("to")
    if name == "copy" and not node.args:
        return "clone", renaming("clone")
    if name == "squeeze" and node.args and node.args[0].keyword is not None:
        return "squeeze", lambda u: u.with_changes(args=[as_keyword(u.args[0], "dim")])
    if name in _LACKING:
        raise Unsure(f"`{name}` of a tensor has no exact counterpart")
    return None
