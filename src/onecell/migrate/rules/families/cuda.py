"""What asks for, or steers, a device that MindSpore does not have on a CPU."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import Change, family, syntax

_ABOUT: Final = "`torch.cuda.is_available()` is False, and what only steers CUDA goes"
_ANSWERS: Final = {
    "torch.cuda.is_available": "False",
    "torch.cuda.device_count": "0",
    "torch.backends.mps.is_available": "False",
    "torch.cuda.is_bf16_supported": "False",
}
_STEERING: Final = [
    *(
        f"torch.cuda.{name}"
        for name in (
            *("manual_seed", "manual_seed_all", "set_device", "empty_cache", "synchronize"),
            *("reset_peak_memory_stats", "reset_max_memory_allocated", "init"),
        )
    ),
    "torch.backends.cuda.enable_flash_sdp",
]
STEERED: Final = ("torch.backends.cudnn.", "torch.backends.cuda.", "torch.backends.mps.")
"""What is set below these changes no result on a CPU."""


@family("cuda", _ABOUT, _ANSWERS)
def _answer(ctx: Context, node: cst.Call, path: str) -> Plan:
    ctx.forget(node)
    return lambda _: cst.parse_expression(_ANSWERS[path])


@family("cuda", _ABOUT, _STEERING)
def _gone(ctx: Context, node: cst.Call, path: str) -> Plan:
    if not isinstance(ctx.names.parents.get(node), cst.Expr):
        raise Unsure(f"what `{path}` returns is used", "leave it out")
    ctx.forget(node)
    return lambda _: cst.Name("None")


@syntax("cuda", cst.Attribute)
def _asked(ctx: Context, node: cst.Attribute) -> Change | None:
    """Answer whether something is on a CUDA device, as nothing is here."""
    up = ctx.names.parents.get(node)
    set_or_called = isinstance(up, cst.AssignTarget | cst.AnnAssign | cst.Call)
    asked = node.attr.value == "is_cuda" and ctx.to == "mindspore"
    if not asked or set_or_called or ctx.kinds.defines("is_cuda"):
        return None
    ctx.forget(node)
    return Change("`is_cuda` is False on a CPU.", lambda _: cst.Name("False"), below=False)


@syntax("cuda", cst.Assign)
def _steering(ctx: Context, node: cst.Assign) -> Change | None:
    """Leave out what is set to steer CUDA alone."""
    paths = [ctx.names.path(target.target) or "" for target in node.targets]
    if ctx.to != "mindspore" or not all(path.startswith(STEERED) for path in paths):
        return None
    ctx.forget(node)
    return Change("It steers CUDA alone.", below=False)
