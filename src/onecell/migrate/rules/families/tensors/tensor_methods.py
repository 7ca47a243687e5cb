"""Methods of tensors and optimizers, and of what may be one."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import expression, is_named, literal
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Made, Plan
from onecell.migrate.rules.families.modules.element_types import CASTS
from onecell.migrate.rules.families.modules.module_methods import THERE, of_module
from onecell.migrate.rules.families.receivers import (
    forget_args,
    is_like_module,
    may_be_tensor,
    moves,
    receiver,
    shown,
)
from onecell.migrate.rules.families.tensors.alike import is_of_list, new, of_torch_alone
from onecell.migrate.rules.families.tensors.changes import plan_change
from onecell.migrate.rules.families.tensors.in_place import check_method
from onecell.migrate.rules.families.tensors.method_rows import plan_row, plan_supposed
from onecell.migrate.rules.families.tensors.unasked import plan_requiring
from onecell.migrate.rules.families.tensors.variable import is_data

_GUESSED: Final = {
    "size": "it is `shape` there",
    "detach": "it is `mindspore.ops.stop_gradient` there",
    "to": "leave the call out",
    "cpu": "leave the call out",
    "cuda": "leave the call out",
}
"""Methods of tensors that other objects may have as well → what they become."""
_LISTING: Final = ("parameters", "named_parameters")
_MODES: Final = {"train": "set_train", "eval": "set_train(False)"}
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
        return is_named(node.args[0], "mode") or isinstance(literal(node.args[0].value), bool)
    return name in ("train", "eval") and not node.args


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
    if (made := of_torch_alone(ctx, node, name, known=known)) is not None:
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
    other = _MODES.get(name) or THERE[name]
    raise Unsure(
        f"`{name}` of something that this file does not show to be a module",
        f"if it is one, it is `{other}`",
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
    if name == "new" and known and not is_of_list(node):
        return new(node)
    if name in ("cpu", "cuda") and (known or not node.args):
        return "device", receiver
    if name == "to" and moves(ctx, node):
        forget_args(ctx, node)
        return "device", receiver
    return None


def _differentiates(ctx: Context) -> bool:
    """Whether the file calls `backward`, which is marked, and with it all of its step."""
    return any(
        isinstance(call.func, cst.Attribute) and call.func.attr.value == "backward"
        for call in ctx.names.of_kind(cst.Call)
    )
