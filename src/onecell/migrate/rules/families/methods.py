"""Methods, by what they are called on."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Made
from onecell.migrate.rules.families.modules.module_methods import LACKING, of_module
from onecell.migrate.rules.families.receivers import is_super
from onecell.migrate.rules.families.saves import plan_state
from onecell.migrate.rules.families.tensors import tensor_methods, tensor_methods_back

MODULES: Final = {"cell", "cells", "layer", "layers", "module", "modules"}


def plan_method(ctx: Context, node: cst.Call) -> Made | None:
    """Return the rule and how `receiver.method(...)` is rewritten, None where it may stay.

    Raises:
        Unsure: the method is known to be another in the other framework.
    """
    func = node.func
    assert isinstance(func, cst.Attribute)  # noqa: S101 - the caller looked
    kind = ctx.kinds.of(func.value)
    if is_super(func.value):
        kind = "module"
    name = func.attr.value
    owner = ctx.kinds.owner_of(func.value)
    if owner is not None and name != ctx.kinds.step and ctx.kinds.own(owner, name):
        return None  # the user's own method
    if owner is not None and not owner.bases:
        return None  # no module and no tensor
    if kind in MODULES:
        found = of_module(ctx, node, name)
        if found is None and name in LACKING[ctx.to]:
            raise Unsure(f"`{name}` of a module has no exact counterpart")
        return found
    if (state := plan_state(ctx, node, name)) is not None:
        return state
    if ctx.to == "mindspore":
        return tensor_methods.to_mindspore(ctx, node, name, kind)
    return tensor_methods_back.to_torch(ctx, node, name, kind)
