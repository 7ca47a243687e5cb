"""What a call of a cell runs beside the cell's own step: a subclass's override, and hooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.modules import module as torch_module

from onecell.spec import PARAMETERS
from onecell.torch.arguments import State
from onecell.torch.errors import CellTypeError

_CALLED: Final = ("__call__", "_call_impl", "forward")
_AROUND: Final = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
_SHARDING: Final = "torch.distributed.fsdp."


_originals: dict[type[Module], tuple[Any, ...]] = {}


def remember(kind: type[Module]) -> None:
    """Note how a call of a `kind` runs before anybody has put something else in its place."""
    _originals[kind] = tuple(getattr(kind, name) for name in _CALLED)


def override(module: Module, *kinds: type[Module]) -> str | None:
    """Return which part of a call of `module` is as none of `kinds` has it; None for none."""
    for place, name in enumerate(_CALLED):
        known = [_originals[k][place] if k in _originals else getattr(k, name) for k in kinds]
        found = getattr(type(module), name)
        if name in module.__dict__ or all(found is not one for one in known):
            return name
        # What the calls of ours end in, whatever they do first.
        if name != "forward" and getattr(Module, name) is not _originals[Module][place]:
            return name
    return None


def class_computes_weights(kind: type[Module], names: Iterable[str] = PARAMETERS) -> bool:
    """Whether modules of `kind` may give something else for a parameter's name than it."""
    return (
        any(hasattr(kind, name) for name in names)
        or kind.__getattr__ is not Module.__getattr__
        or kind.__getattribute__ is not Module.__getattribute__
    )


def hides_weights(module: Module) -> bool:
    """Whether `module` has an attribute by the name of a parameter, which hides that."""
    return not module.__dict__.keys().isdisjoint(PARAMETERS)


def hooks(module: Module, *, sharding: bool = True) -> str | None:
    """Return the name of the first hooks of `module` itself that there are; None for none.

    Without `sharding`, those by which fully sharded training gathers the weights do not count.
    """
    for name in _AROUND:
        found = getattr(module, name)
        # The length, since torch.compile takes any view of a dict for true.
        if len(found) != 0 and (sharding or not all(map(_is_sharding, found.values()))):
            return name
    return None


def check_shareable(
    module: object, base: type[Module], *kinds: type[Module], names: Iterable[str]
) -> None:
    """Raise unless another module may take over the parameters of `module` and its calls.

    Raises:
        CellTypeError: `module` is no `base`; a call of it runs more than `base` or one of `kinds`
            does, an override or hooks; or one of the `names` is not a parameter of its own.
    """
    if not isinstance(module, base):
        raise CellTypeError(f"`module` must be a torch.nn.{base.__name__}, got {type(module)}.")
    name = override(module, base, *kinds)
    if name is not None:
        raise CellTypeError(
            f"`module` must have torch's own step, and {type(module).__name__} has its own "
            f"`{name}`. Change the class's base to onecell.torch.{base.__name__} instead."
        )
    names = (*names,)
    known = any(issubclass(kind, type(module)) for kind in kinds)
    gone = [name for name in names if name not in module._parameters]
    if not gone and (not known and class_computes_weights(type(module), names)):
        gone = [*names]
    gone = gone or [name for name in names if name in module.__dict__]
    if gone:
        raise CellTypeError(
            f"`module` must hold `{gone[0]}` as a parameter of its own; it is computed. "
            "Remove the parametrization, weight norm or pruning first."
        )
    name = hooks(module)
    if name is not None:
        raise CellTypeError(
            f"`module` must have no hooks, got some in `{name}`, which would not run. "
            "Remove them, and register them on the new one."
        )


def _is_sharding(hook: object) -> bool:
    return type(getattr(hook, "__self__", None)).__module__.startswith(_SHARDING)


def must_loop(module: Module, kind: type[Module]) -> bool:
    """Whether to unroll a module of `kind`, or a subclass, its steps have to be called one by one.

    Not for a cell that is sharded by itself and whose `unroll` torch has been told to be a forward
    (`register_fsdp_forward_method`), which then has gathered its weights for all of them.
    """
    whole = "unroll" in module.__dict__
    return (
        override(module, kind) is not None
        or hooks(module, sharding=not whole) is not None
        or bool(torch_module._global_forward_pre_hooks or torch_module._global_forward_hooks)
        or bool(torch_module._global_backward_pre_hooks or torch_module._global_backward_hooks)
    )


def loop(module: Any, x: Tensor, state: State | None) -> tuple[Tensor, State]:  # noqa: ANN401
    """Unroll over T ≥ 1 steps by calling the module, as its user would."""
    every = []
    for row in x.unbind(0):
        state = module(row) if state is None else module(row, state)
        every.append(state[0])
    last: Any = state
    return torch.stack(every), last


remember(Module)
remember(torch.nn.LSTMCell)
remember(torch.nn.LSTM)
