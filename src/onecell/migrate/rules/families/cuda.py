"""What asks for, or steers, a device that MindSpore does not have on a CPU."""

from __future__ import annotations

from typing import Final

import libcst as cst

from onecell.migrate.meaning.unsure import Unsure
from onecell.migrate.rules.context import Context, Plan
from onecell.migrate.rules.families.registry import family

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


def asks_cuda(ctx: Context, node: cst.Attribute) -> bool:
    """Whether an attribute tells that something is on a CUDA device, as nothing is here."""
    up = ctx.names.parents.get(node)
    set_or_called = isinstance(up, cst.AssignTarget | cst.AnnAssign | cst.Call)
    asked = node.attr.value == "is_cuda" and ctx.to == "mindspore"
    return asked and not set_or_called and not ctx.kinds.defines("is_cuda")


def is_steering(ctx: Context, node: cst.Assign) -> bool:
    """Whether a statement sets something that steers CUDA alone."""
    return ctx.to == "mindspore" and all(
        (ctx.names.path(target.target) or "").startswith(STEERED) for target in node.targets
    )
