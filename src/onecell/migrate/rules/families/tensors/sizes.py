"""`torch.Size`, which is a tuple of whole numbers, as a shape is in MindSpore."""

from __future__ import annotations

import libcst as cst

from onecell.migrate.meaning.syntax import expression
from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import family


@family("size_made", "`torch.Size(sizes)` and a tuple", ["torch.Size"])
def _plan(ctx: Context, node: cst.Call, path: str) -> Plan:
    if len(node.args) != 1 or node.args[0].star or node.args[0].keyword is not None:
        raise Unsure(f"what `{path}` is given is not written out")
    ctx.forget(node.func)
    if isinstance(node.args[0].value, cst.Tuple):
        return lambda updated: updated.args[0].value
    return lambda updated: expression("tuple(x_)", x_=updated.args[0].value)
