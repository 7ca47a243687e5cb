"""Methods of tensors and optimizers, and of what may be one."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.arguments import Unsure
from onecell.migrate.context import Context, Plan
from onecell.migrate.module_methods import of_module, set_train
from onecell.migrate.receivers import forget_args, moves, receiver, renaming
from onecell.migrate.syntax import as_keyword, expression

_TENSOR_LACKING: Final = {
    "mindspore": {
        "backward",
        "requires_grad_",
        "repeat",
        "register_hook",
        "retain_grad",
        "index_fill_",
        "type",
        "share_memory_",
        "storage",
        "cuda_",
        "sort",
        "topk",
        "new_tensor",
        "new_empty",
    },
    "torch": {
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
    },
}


def to_mindspore(ctx: Context, node: cst.Call, name: str, kind: str) -> tuple[str, Plan] | None:
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
    if not known and not may_be_tensor(ctx, node):
        return None
    if name == "size" and len(node.args) <= 1 and not any(a.star for a in node.args):
        if node.args:
            return "size", lambda u: expression("_.shape[i_]", _=receiver(u), i_=u.args[0].value)
        return "size", lambda u: expression("_.shape", _=receiver(u))
    if name == "detach" and not node.args:
        return "detach", lambda u: expression(
            "f_(x_)", f_=ctx.speller.spell("mindspore.ops.stop_gradient"), x_=receiver(u)
        )
    if name in ("cpu", "cuda") and (known or not node.args):
        return "device", receiver
    if name == "to" and moves(ctx, node):
        forget_args(ctx, node)
        return "device", receiver
    if not known and (name == "forward" or (name in ("train", "eval") and not node.args)):
        there = {"forward": "construct", "train": "set_train", "eval": "set_train(False)"}[name]
        raise Unsure(
            f"`{name}` of something that this file does not show to be a module",
            f"if it is one, it is `{there}`",
        )
    if name == "backward":
        raise Unsure(
            "`backward` has no counterpart: MindSpore differentiates functions",
            "use mindspore.value_and_grad on the function that computes the loss",
        )
    return _known_to_mindspore(node, name) if known else None


def _known_to_mindspore(node: cst.Call, name: str) -> tuple[str, Plan] | None:
    """Do as `to_mindspore` for what is surely a tensor."""
    if name == "clone" and not node.args:
        return "clone", renaming("copy")
    if name == "squeeze" and node.args and node.args[0].keyword is not None:
        return "squeeze", lambda u: u.with_changes(args=[as_keyword(u.args[0], "axis")])
    if name == "new_zeros" and len(node.args) > 1 and not any(a.keyword for a in node.args):
        return "new_zeros", lambda u: u.with_changes(
            args=[cst.Arg(cst.Tuple([cst.Element(a.value) for a in u.args]))]
        )
    if name in _TENSOR_LACKING["mindspore"]:
        raise Unsure(f"`{name}` of a tensor has no exact counterpart")
    return None


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
    if name == "asnumpy" and not node.args:
        return "asnumpy", lambda u: expression("_.detach().cpu().numpy()", _=receiver(u))
    found = set_train(ctx, node, name)
    if found is not None:
        return found
    if name == "construct" and kind == "":
        raise Unsure(
            "`construct` of something that this file does not show to be a cell",
            "if it is one, it is `forward`",
        )
    if name == "expand_dims" and len(node.args) == 1 and node.args[0].keyword is None:
        return "unsqueeze_method", renaming("unsqueeze")
    if name == "trainable_params" and not node.args:
        return of_module(ctx, node, name)
    if name in ("get_parameters", "parameters_and_names") and not node.args:
        return of_module(ctx, node, name)
    if kind != "tensor":
        return None
    if name == "astype" and len(node.args) == 1 and ctx.kinds.of(node.args[0].value) == "dtype":
        return "astype", renaming("to")
    if name == "copy" and not node.args:
        return "clone", renaming("clone")
    if name == "squeeze" and node.args and node.args[0].keyword is not None:
        return "squeeze", lambda u: u.with_changes(args=[as_keyword(u.args[0], "dim")])
    if name in _TENSOR_LACKING["torch"]:
        raise Unsure(f"`{name}` of a tensor has no exact counterpart")
    return None
