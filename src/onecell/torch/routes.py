"""Which way a call goes: the kernel at once, the kernel with a gradient, an operator, or torch."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from onecell.torch import calls, operators
from onecell.torch.autograd import record
from onecell.torch.plain import (
    COMPUTE_DTYPES,
    PLAIN_CLASSES,
    are_plain,
    torch_must_run,
    transforms_are_on,
)

_contiguous: Final = Tensor.is_contiguous
_data_ptr: Final = Tensor.data_ptr
_empty_like: Final = torch.empty_like
_facts: Final = attrgetter("__class__", "dtype", "is_cpu", "shape")
_grad_enabled: Final = torch.is_grad_enabled
_negated: Final = Tensor.is_neg
_needs_grad: Final = attrgetter("requires_grad")


def quick_step(  # noqa: PLR0911 - each way out is one reason
    parameters: dict[str, Parameter | None],
    hidden_size: int,
    x: Any,  # noqa: ANN401 - whatever came
    hx: Any,  # noqa: ANN401
) -> tuple[Tensor, Tensor] | None:
    """Compute one step of an everyday call; None where anything at all is out of the ordinary.

    The everyday call: x (N, I) and hx = (h, c) of (N, H), contiguous, and the parameters as they
    were made. Each check is here because something passes all the others and still is not memory
    to be read; what `is_plain` asks by one slow question, these ask by several quick ones.
    """
    if type(x) is not Tensor or type(hx) not in (tuple, list) or torch_must_run():
        return None
    dtype = x.dtype
    try:
        step = calls.STEP[dtype]
        weight_ih: Any = parameters["weight_ih"]
        weight_hh: Any = parameters["weight_hh"]
        bias_ih, bias_hh = parameters["bias_ih"], parameters["bias_hh"]
        h, c = hx
        batch, input_size = x.shape
        rows = 4 * hidden_size
        state = (Tensor, dtype, True, (batch, hidden_size))
        if (
            not x.is_cpu
            or _facts(h) != state
            or _facts(c) != state
            or _facts(weight_ih) != (Parameter, dtype, True, (rows, input_size))
            or _facts(weight_hh) != (Parameter, dtype, True, (rows, hidden_size))
        ):
            return None
        if bias_ih is None or bias_hh is None:
            if bias_ih is not bias_hh:
                return None
            tensors: tuple[Any, ...] = (weight_ih, weight_hh, x, h, c)
        else:
            bias = (Parameter, dtype, True, (rows,))
            if _facts(bias_ih) != bias or _facts(bias_hh) != bias:
                return None
            tensors = (weight_ih, weight_hh, bias_ih, bias_hh, x, h, c)
        if any(map(_negated, tensors)) or not all(map(_contiguous, tensors)):
            return None
        where = list(map(_data_ptr, tensors))
    except (KeyError, ValueError, AttributeError, RuntimeError):
        # No kernel for the dtype, a computed parameter, another rank, no tensor, no memory.
        return None
    if 0 in where:
        return None
    if bias_ih is None:
        where[2:2] = (0, 0)
    w_ih, w_hh, b_ih, b_hh, x_at, h_at, c_at = where
    if (w_ih | w_hh | b_ih | b_hh | x_at | h_at | c_at) & (dtype.itemsize - 1):
        return None
    if _grad_enabled() and any(map(_needs_grad, tensors)):
        h_next, c_next = record(x, h, c, (weight_ih, weight_hh, bias_ih, bias_hh))
        return h_next, c_next
    h_next, c_next = _empty_like(h), _empty_like(c)
    step(
        batch, input_size, hidden_size, w_ih, w_hh, b_ih, b_hh, x_at, h_at, c_at,
        h_next.data_ptr(), c_next.data_ptr(), 0,
    )  # fmt: skip
    return h_next, c_next


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
