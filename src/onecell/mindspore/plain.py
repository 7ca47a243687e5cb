"""What MindSpore is doing around a call, asked by the cheapest means that it has.

Most of these means are private to MindSpore. Where one is gone, the answer is the careful one, and
the cell goes by MindSpore's own dispatch.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from operator import attrgetter
from pathlib import Path
from types import FrameType
from typing import Any, Final

import mindspore as ms

from onecell.spec import PARAMETERS

try:
    from mindspore._c_expression.amp import get_curr_amp_strategy
    from mindspore.graph.api import _pynative_executor
    from mindspore.graph.jit_context import jit_context

    is_recording = _pynative_executor._executor.requires_grad
except (ImportError, AttributeError):
    KNOWN = False

    def is_recording() -> bool:
        """Whether operators record a gradient; unknown here, so yes."""
        return True
else:
    KNOWN = True


def no_grad() -> AbstractContextManager[None]:
    """Return where nothing is recorded, as MindSpore computes what has a `bprop` of its own."""
    from mindspore.graph.api import _no_grad  # noqa: PLC0415 - private, may be gone

    entered: AbstractContextManager[None] = _no_grad()
    return entered


def call_custom_bprop(cell: ms.nn.Cell, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
    """Return the output, first of `args`, recorded such that `bprop` of `cell` is its way back."""
    return _pynative_executor.call_custom_bprop(cell, *args, **kwargs)


try:
    from mindspore._c_expression import pi_jit_set_context

    # `jit(capture_mode="bytecode")` interprets, while it is on, every Python frame that runs, and
    # 2.10 does not survive all that the modules here do. They ask to be run as they are; a call of
    # the cell in a captured function is captured nevertheless, as its `construct`.
    pi_jit_set_context(skip_files=(str(Path(__file__).parent),))
except (ImportError, TypeError):
    pass

_COMPILER: Final = "mindspore.graph.api"

# What nn.Cell.__call__ looks at before it calls `construct` and nothing else: a gradient asked of
# this cell, dynamic shapes, mixed precision, hooks, sharding, recomputation, saved-tensor hooks, a
# way back of its own.
_detours = attrgetter(
    "requires_grad",
    "_dynamic_shape_inputs",
    "mixed_precision_type",
    "_lazy_forward_pre_hook",
    "_lazy_forward_hook",
    "_lazy_backward_pre_hook",
    "_lazy_backward_hook",
    "_shard_fn",
    "_recompute_cell",
    "_saved_tensors_pack_hook",
    "has_bprop",
)
_HIDES: Final = ("construct", *PARAMETERS)


def is_plain(cell: ms.nn.Cell) -> bool:
    """Whether calling `cell` now is calling its `construct` on the values themselves.

    False while an operator recorder (`jit(capture_mode="trace")`) or automatic mixed precision
    listens: both must see operators.
    """
    if not KNOWN or jit_context() is not None or get_curr_amp_strategy() is not None:
        return False
    try:
        return not any(_detours(cell)) and (
            cell.__dict__.keys().isdisjoint(_HIDES) or not _hides(cell.__dict__, cell._params)
        )
    except AttributeError:
        return False


def _hides(own: dict[str, Any], parameters: dict[str, Any]) -> bool:
    """Whether any attribute in `own` that is named in `_HIDES` stands before something.

    A bias that a cell was made without is an attribute of the cell itself, None.
    """
    return (
        "construct" in own
        or "weight_ih" in own
        or "weight_hh" in own
        or own.get("bias_ih") is not None
        or own.get("bias_hh") is not None
        or parameters.get("bias_ih") is not None
        or parameters.get("bias_hh") is not None
    )


def is_exporting() -> bool:
    """Whether MindSpore is compiling what `mindspore.export` will write, asked from a compile.

    What it writes must run where onecell is not. Only the phase of the compile says so, which its
    frame on the stack has.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "compile" and frame.f_globals.get("__name__") == _COMPILER:
            return str(frame.f_locals.get("phase")).startswith("export")
        frame = frame.f_back
    return False


def is_eager() -> bool:
    """Whether operators run as they are called; in graph mode MindSpore compiles the call."""
    mode: Any = ms.get_context("mode")
    return bool(mode == ms.PYNATIVE_MODE)


def on_cpu() -> bool:
    """Whether MindSpore's operators run on the CPU by default."""
    target: Any = ms.get_context("device_target")
    return bool(target == "CPU")


def in_python() -> bool:
    """Return True. Beside the comment `# @jit.cond: False`, MindSpore's parser reads False."""
    return True
