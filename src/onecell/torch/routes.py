"""Which way a call goes: the kernel at once, the kernel with a gradient, an operator, or torch."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, TypeVar, cast

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from onecell import _kernel
from onecell.torch import calls, operators
from onecell.torch.autograd import record
from onecell.torch.plain import (
    COMPUTE_DTYPES,
    PLAIN_CLASSES,
    are_plain,
    torch_must_run,
    transforms_are_on,
)

_empty_like: Final = torch.empty_like
_grad_enabled: Final = torch.is_grad_enabled
_negated: Final = Tensor.is_neg
_needs_grad: Final = attrgetter("requires_grad")


Reader = TypeVar("Reader", _kernel.StepReader, _kernel.FrozenReader)


def make_reader(kind: Callable[[object, type, type], Reader]) -> Reader | None:
    """Return what reads tensors in place, or None where this torch has no interface for it."""
    interface = getattr(Tensor, "__dlpack_c_exchange_api__", None)
    try:
        return None if interface is None else kind(interface, Tensor, Parameter)
    except ImportError:  # a later version of the interface
        return None


_reader: Final = make_reader(_kernel.StepReader)


def quick_step(
    parameters: dict[str, Parameter | None],
    hidden_size: int,
    x: Any,  # noqa: ANN401 - whatever came
    hx: Any,  # noqa: ANN401
) -> tuple[Tensor, Tensor] | None:
    """Compute one step of an everyday call; None where anything at all is out of the ordinary.

    The everyday call: x (N, I) and hx = (h, c) of (N, H), contiguous, and the parameters as they
    were made. The reader checks all that DLPack shows of the tensors; the rest is asked here.
    """
    if _reader is None or type(hx) not in (tuple, list) or len(hx) != 2 or torch_must_run():
        return None
    h, c = hx
    try:
        weights = (
            parameters["weight_ih"],
            parameters["weight_hh"],
            parameters["bias_ih"],
            parameters["bias_hh"],
        )
        tensors = (x, h, c, *weights) if weights[2] is not None else (x, h, c, *weights[:2])
        if any(map(_negated, tensors)):
            return None
        if _grad_enabled() and any(map(_needs_grad, tensors)):
            if not _reader.fits(hidden_size, *weights, x, h, c):
                return None
            h_next, c_next = record(x, h, c, cast("calls.Weights", weights))
            return h_next, c_next
        h_next, c_next = _empty_like(h), _empty_like(c)
    except (KeyError, TypeError):  # a computed parameter; no tensor
        return None
    done = _reader.step(hidden_size, *weights, x, h, c, h_next, c_next)
    return (h_next, c_next) if done else None


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
        if not _graph_takes(there):
            return None
        found = operators.unroll(x if x.dim() == 3 else x.unsqueeze(0), h, c, weights)
        return found if x.dim() == 3 else found[1:]
    if torch_must_run() or not are_plain(there):
        return None
    if torch.is_grad_enabled() and any(t.requires_grad for t in there):
        return record(x, h, c, weights)
    h_all, c_all, _ = calls.forward(x, h, c, weights, record=False)
    return (h_all, c_all) if x.dim() == 2 else (h_all, h_all[-1].clone(), c_all)


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
