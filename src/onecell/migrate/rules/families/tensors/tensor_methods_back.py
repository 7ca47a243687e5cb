"""Methods of tensors and optimizers on the way to torch."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.syntax import as_keyword, expression, is_named
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.modules.element_types import plan_back
from onecell.migrate.rules.families.modules.module_methods import of_module, set_train
from onecell.migrate.rules.families.receivers import (
    may_be_tensor,
    receiver,
    renaming,
)
from onecell.migrate.rules.families.tensors.method_rows import is_of_others

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


_NORM: Final = "`norm` with an order is that of a matrix in MindSpore, of all numbers in torch"


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
    if name == "set_data" and len(node.args) == 1 and node.args[0].keyword is None:
        return "data_item", lambda u: expression(
            "_.data.copy_(x_)", _=receiver(u), x_=u.args[0].value
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
    if name == "mean" and any(is_named(arg, "keep_dims") for arg in node.args):
        raise Unsure("`mean` of a tensor has other keywords in torch")
    if name == "split" and any(is_named(arg, "axis") for arg in node.args):
        raise Unsure("`split` of a tensor has other keywords in torch")
    if name == "norm" and len(node.args) == 1:
        raise Unsure(_NORM, "write it out")
    if name in ("max", "min") and any(is_named(arg, "axis") for arg in node.args):
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
