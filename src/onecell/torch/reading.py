"""Tensors read in place by the compiled module, and what it asks torch about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Module, Parameter
from torch.nn.modules import module as torch_module

from onecell import _kernel
from onecell.spec import PARAMETERS
from onecell.torch import plain
from onecell.torch.library import storage_questions

Reader = TypeVar("Reader")


class _Answers(NamedTuple):
    """What only torch can say; `_kernel.StepReader` lists what each is."""

    negated: Callable[[Tensor], bool] = Tensor.is_neg
    recording: Callable[[], bool] = torch.is_grad_enabled
    modes: tuple[Callable[[], object], ...] = plain.MODES
    must_run: Callable[[], bool | None] = plain.torch_must_run
    dual: dict[str, Any] = forward_ad.__dict__
    empty_like: Callable[[Tensor], Tensor] = torch.empty_like
    new_empty: Callable[..., Tensor] = Tensor.new_empty
    contiguous: Callable[[Tensor], Tensor] = Tensor.contiguous


class _AroundForward(NamedTuple):
    """What `torch.nn.Module.__call__` does beside `forward`; see `_kernel.EverydayCall`."""

    methods: tuple[tuple[type, str], ...]
    hooks: tuple[dict[Any, Any], ...] = (
        torch_module._global_backward_pre_hooks,
        torch_module._global_backward_hooks,
        torch_module._global_forward_hooks,
        torch_module._global_forward_pre_hooks,
    )
    own: tuple[str, ...] = (
        "_backward_pre_hooks",
        "_backward_hooks",
        "_forward_hooks",
        "_forward_pre_hooks",
    )
    absent: tuple[str, ...] = (
        *("_compiled_call_impl", "_call_impl", "_slow_forward", "forward"),
        *PARAMETERS,  # an attribute of that name hides the parameter
    )


def make_reader(kind: Callable[..., Reader], *arguments: object) -> Reader | None:
    """Return what reads tensors in place, or None where this torch has no interface for it."""
    interface = getattr(Tensor, "__dlpack_c_exchange_api__", None)
    try:
        if interface is None:
            return None
        return kind(interface, Tensor, Parameter, *storage_questions(), *arguments)
    except ImportError:  # a later version of the interface
        return None


def everyday_call(kind: type[Module]) -> _kernel.EverydayCall:
    """Return what tells whether to call a module of `kind` is to run its forward and no more."""
    # What `kind` does in its own `__call__` otherwise, found as it would be found there.
    above = kind.__bases__[0]
    methods = ((above, "__call__"), (kind, "_call_impl"), (kind, "forward"))
    return _kernel.EverydayCall(kind, _AroundForward(methods))


step_reader: Final[_kernel.StepReader | None] = make_reader(_kernel.StepReader, _Answers())
