"""Which way a call goes: the kernel at once, the kernel with a gradient, an operator, or torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, TypeVar

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd import profiler as _profiler
from torch.profiler import record_function

from onecell.spec import PARAMETERS
from onecell.torch import calls, operators, reading
from onecell.torch.apart import record, record_step
from onecell.torch.composite import any_step, lstm_cell
from onecell.torch.plain import (
    COMPUTE_DTYPES,
    PLAIN_CLASSES,
    are_plain,
    torch_must_run,
    transforms_are_on,
)

_Given = TypeVar("_Given")
_weights: Final[Callable[[dict[str, Any]], calls.Weights]] = itemgetter(*PARAMETERS)


def quick_step(
    parameters: dict[str, Any],
    hidden_size: int,
    x: Any,  # noqa: ANN401 - whatever came
    hx: Any,  # noqa: ANN401
) -> tuple[Tensor, Tensor] | None:
    """Compute one step of an everyday call; None where anything at all is out of the ordinary.

    The everyday call: x (N, I) and hx = (h, c) of (N, H), all of any strides, or without the batch
    axis, or hx None; and dense weights, under these names.
    """
    if reading.step_reader is None:
        return None
    return finish(reading.step_reader.step(parameters, hidden_size, x, hx), parameters, x, hx)


def finish(
    done: Any,  # noqa: ANN401
    parameters: dict[str, Any],
    x: Any,  # noqa: ANN401
    hx: Any,  # noqa: ANN401
) -> tuple[Tensor, Tensor] | None:
    """Return (h', c') of what the reader answered for a step, or None where it answered None."""
    if done is None:
        return None
    if done:
        return done if len(done) == 2 else record_step(*done)
    weights = _weights(parameters)
    if hx is not None and x.dim() == 2:
        # Under autocast alone: torch's operator, with as little around it as there can be.
        h_next, c_next = lstm_cell(x, hx, *weights)
        return h_next, c_next
    h, c = (None, None) if hx is None else hx
    return any_step(x, h, c, *weights)


def run(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: calls.Weights
) -> tuple[Tensor, ...] | None:
    """Compute on the kernel, or return None where torch's own operators must.

    Returns (h', c') for x (N, I), and (h_all, last h, last c) for x (T, N, I).
    """
    if not calls.fits(x, h, c, weights):
        return None
    there = [t for t in (x, h, c, *weights) if t is not None]
    if torch.compiler.is_compiling():
        return operators.run(x, h, c, weights) if _graph_takes(there) else None
    return compute(x, h, c, weights) if kernel_may_run(there) else None


def compute(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: calls.Weights
) -> tuple[Tensor, ...]:
    """Compute what `run` does on tensors that fit and that the kernel may compute on."""
    if _records([t for t in (x, h, c, *weights) if t is not None]):
        return record(x, h, c, weights)
    h_all, c_all, _ = calls.forward(x, h, c, weights, record=False)
    return (h_all, c_all) if x.dim() == 2 else (h_all, h_all[-1].clone(), c_all)


def kernel_may_run(tensors: Sequence[Tensor]) -> bool:
    """Whether the kernel may compute on these now, outside a graph that is being built."""
    # A graph may not keep what was made in inference mode, and torch's operators keep less.
    kept = not _records(tensors) or not any(t.is_inference() for t in tensors)
    return torch_must_run() is False and kept and are_plain(tensors)


def shown(name: str, compute: Callable[..., _Given], *given: object) -> _Given:
    """Return what `compute` gives, under this name where torch's profiler looks on."""
    if torch.compiler.is_compiling() or not _profiler._is_profiler_enabled:
        return compute(*given)
    with record_function(name):
        return compute(*given)


def _records(tensors: Sequence[Tensor]) -> bool:
    return torch.is_grad_enabled() and any(t.requires_grad for t in tensors)


def _graph_takes(tensors: list[Tensor]) -> bool:
    """Whether the graph that is being built may call the kernel's operator on these.

    An exported program should run where onecell is not installed, so it gets torch's operators.
    """
    return (
        not torch.compiler.is_exporting()
        and not transforms_are_on()
        and not torch.is_autocast_enabled("cpu")
        and forward_ad._current_level < 0
        and all(
            type(t) in PLAIN_CLASSES
            and t.dtype is tensors[0].dtype
            and t.dtype in COMPUTE_DTYPES
            and t.device.type == "cpu"
            and t.layout is torch.strided
            for t in tensors
        )
    )
