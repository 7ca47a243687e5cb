"""Methods of cells, layers, modules, tensors and optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import libcst as cst

from onecell.migrate.arguments import Unsure
from onecell.migrate.context import Context, Plan
from onecell.migrate.syntax import as_keyword, code, expression, literal

MODULES: Final = {"cell", "cells", "layer", "layers", "module", "modules"}

_RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "mindspore": {
        "forward": "construct",
        "parameters": "get_parameters",
        "named_parameters": "parameters_and_names",
        "children": "cells",
        "from_torch": "from_mindspore",
    },
    "torch": {
        "construct": "forward",
        "get_parameters": "parameters",
        "parameters_and_names": "named_parameters",
        "cells": "children",
        "from_mindspore": "from_torch",
    },
}
_LACKING: Final = {
    "mindspore": {
        "modules",
        "named_modules",
        "named_children",
        "reset_parameters",
        "double",
        "half",
        "float",
        "requires_grad_",
        "register_forward_hook",
        "share_memory",
        "register_parameter",
        "get_parameter",
        "type",
        "bfloat16",
        "zero_grad",
    },
    "torch": {
        "cells_and_names",
        "name_cells",
        "set_grad",
        "to_float",
        "set_inputs",
        "parameters_dict",
        "set_comm_fusion",
        "recompute",
        "insert_child_to_cell",
        "insert_param_to_cell",
        "untrainable_params",
        "compile",
    },
}
"""Methods of modules that only the source's framework has, or that mean something else."""

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


def plan_method(ctx: Context, node: cst.Call) -> tuple[str, Plan] | None:
    """Return the rule and how `receiver.method(...)` is rewritten, None where it may stay.

    Raises:
        Unsure: the method is known to be another in the other framework.
    """
    func = node.func
    assert isinstance(func, cst.Attribute)  # noqa: S101 - the caller looked
    kind = ctx.kinds.of(func.value)
    if _is_super(func.value):
        kind = "module"
    name = func.attr.value
    if kind in MODULES:
        owner = ctx.kinds.owner_of(func.value)
        if owner is not None and name != ctx.kinds.step and ctx.kinds.own(owner, name):
            return None  # the user's own method
        found = _of_module(ctx, node, name)
        if found is None and name in _LACKING[ctx.to]:
            raise Unsure(f"`{name}` of a module has no exact counterpart")
        return found
    if ctx.to == "mindspore":
        return _to_mindspore(ctx, node, name, kind)
    return _to_torch(ctx, node, name, kind)


def _is_super(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == "super"
    )


def _renaming(new: str) -> Plan:
    def build(updated: cst.Call) -> cst.Call:
        assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - methods stay methods
        return updated.with_changes(func=updated.func.with_changes(attr=cst.Name(new)))

    return build


def _receiver(updated: cst.Call) -> cst.BaseExpression:
    assert isinstance(updated.func, cst.Attribute)  # noqa: S101 - methods stay methods
    return updated.func.value


def _of_module(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    if ctx.to == "mindspore":
        if name == "train":
            return "train", _renaming("set_train")
        if name == "eval" and not node.args:
            return "train", lambda u: expression("_.set_train(False)", _=_receiver(u))
        if name in ("cuda", "cpu") or (name == "to" and _moves(ctx, node)):
            _forget_args(ctx, node)
            return "device", _receiver
        if name == "to":
            raise Unsure("`to` with an element type has no exact counterpart for a module")
    else:
        found = _set_train(ctx, node, name)
        if found is not None:
            return found
        if name == "trainable_params" and not node.args:
            return "parameters", lambda u: expression(
                "[p for p in _.parameters() if p.requires_grad]", _=_receiver(u)
            )
    new = _RENAMED[ctx.to].get(name)
    if new is None:
        return None
    if node.args and name in ("parameters", "named_parameters"):
        raise Unsure(f"`{name}` with arguments has no exact counterpart")
    rule = {"construct": "skeleton", "forward": "skeleton"}.get(name, "parameters")
    return ("wrap" if name.startswith("from_") else rule), _renaming(new)


def _set_train(ctx: Context, node: cst.Call, name: str) -> tuple[str, Plan] | None:
    if name != "set_train":
        return None
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    held = node.func.value
    row = ctx.row(held.func) if isinstance(held, cst.Call) else None
    if row is not None and row.shape == "training" and not node.args:
        return "train", _receiver  # torch's layers begin in training mode
    value = literal(node.args[0].value) if len(node.args) == 1 else None
    if value is False:
        return "train", lambda u: expression("_.eval()", _=_receiver(u))
    if value is True:
        return "train", lambda u: expression("_.train()", _=_receiver(u))
    return "train", _renaming("train")


def _moves(ctx: Context, node: cst.Call) -> bool:
    """Whether every argument of `.to(...)` is a device."""
    return bool(node.args) and all(
        is_device(ctx, arg.value)
        or (arg.keyword is not None and arg.keyword.value in ("device", "non_blocking"))
        for arg in node.args
    )


def is_device(ctx: Context, node: cst.BaseExpression) -> bool:
    """Whether an expression is a device: made by torch, a string, or called so."""
    if ctx.kinds.of(node) == "device" or isinstance(node, cst.SimpleString):
        return True
    return code(node).rpartition(".")[2].strip("_").lower() in ("device", "dev")


def _forget_args(ctx: Context, node: cst.Call) -> None:
    for arg in node.args:
        ctx.forget(arg.value)


def _to_mindspore(ctx: Context, node: cst.Call, name: str, kind: str) -> tuple[str, Plan] | None:
    known = kind == "tensor"
    if kind not in ("", "tensor"):
        if kind == "optimizer" and name in ("step", "zero_grad"):
            raise Unsure(
                f"`{name}` belongs to a training step that is written otherwise there",
                "use mindspore.value_and_grad, then call the optimizer with the gradients",
            )
        return None
    if not known and not _may_be_tensor(ctx, node):
        return None
    if name == "size" and len(node.args) <= 1 and not any(a.star for a in node.args):
        if node.args:
            return "size", lambda u: expression("_.shape[i_]", _=_receiver(u), i_=u.args[0].value)
        return "size", lambda u: expression("_.shape", _=_receiver(u))
    if name == "detach" and not node.args:
        return "detach", lambda u: expression(
            "f_(x_)", f_=ctx.speller.spell("mindspore.ops.stop_gradient"), x_=_receiver(u)
        )
    if name in ("cpu", "cuda") and (known or not node.args):
        return "device", _receiver
    if name == "to" and _moves(ctx, node):
        _forget_args(ctx, node)
        return "device", _receiver
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
    if not known:
        return None
    if name == "clone" and not node.args:
        return "clone", _renaming("copy")
    if name == "squeeze" and node.args and node.args[0].keyword is not None:
        return "squeeze", lambda u: u.with_changes(args=[as_keyword(u.args[0], "axis")])
    if name == "new_zeros" and len(node.args) > 1 and not any(a.keyword for a in node.args):
        return "new_zeros", lambda u: u.with_changes(
            args=[cst.Arg(cst.Tuple([cst.Element(a.value) for a in u.args]))]
        )
    if name in _TENSOR_LACKING["mindspore"]:
        raise Unsure(f"`{name}` of a tensor has no exact counterpart")
    return None


def _may_be_tensor(ctx: Context, node: cst.Call) -> bool:
    """Whether an unknown receiver may be a tensor: nothing of another library's."""
    assert isinstance(node.func, cst.Attribute)  # noqa: S101 - the caller looked
    value = node.func.value
    return ctx.names.path(value) is None and not isinstance(
        value, cst.SimpleString | cst.FormattedString | cst.Dict | cst.List | cst.Tuple
    )


def _to_torch(ctx: Context, node: cst.Call, name: str, kind: str) -> tuple[str, Plan] | None:
    if kind not in ("", "tensor") or not _may_be_tensor(ctx, node):
        return None
    if name == "asnumpy" and not node.args:
        return "asnumpy", lambda u: expression("_.detach().cpu().numpy()", _=_receiver(u))
    found = _set_train(ctx, node, name)
    if found is not None:
        return found
    if name == "construct" and kind == "":
        raise Unsure(
            "`construct` of something that this file does not show to be a cell",
            "if it is one, it is `forward`",
        )
    if name == "expand_dims" and len(node.args) == 1 and node.args[0].keyword is None:
        return "unsqueeze_method", _renaming("unsqueeze")
    if name == "trainable_params" and not node.args:
        return _of_module(ctx, node, name)
    if name in ("get_parameters", "parameters_and_names") and not node.args:
        return _of_module(ctx, node, name)
    if kind != "tensor":
        return None
    if name == "astype" and len(node.args) == 1 and ctx.kinds.of(node.args[0].value) == "dtype":
        return "astype", _renaming("to")
    if name == "copy" and not node.args:
        return "clone", _renaming("clone")
    if name == "squeeze" and node.args and node.args[0].keyword is not None:
        return "squeeze", lambda u: u.with_changes(args=[as_keyword(u.args[0], "dim")])
    if name in _TENSOR_LACKING["torch"]:
        raise Unsure(f"`{name}` of a tensor has no exact counterpart")
    return None
