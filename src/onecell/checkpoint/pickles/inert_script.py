"""What the pickle of a TorchScript archive may mention besides: its own classes, marks of types.

A class lies as source code in the same archive, which nobody reads: an object of it is described
by its attributes, or by the state that its `__getstate__` gave.
"""

# ruff: noqa: ANN401 - the file decides what the arguments are; a wrong one is a TypeError.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onecell.checkpoint.pickles.described import Pairs
from onecell.checkpoint.pickles.inert_numpy import Odd
from onecell.errors import UnsafeCheckpointError

_CLASSES: Final = "__torch__."
_EVERYWHERE: Final = frozenset(
    {
        *("training", "_is_full_backward_hook"),
        *("_flat_weights", "_flat_weights_names", "_all_weights"),  # parameters once more
    }
)
"""Attributes that every module has, or every recurrent one, and that hold nothing of its own."""


def is_class(name: str) -> bool:
    """Whether a global is a class of the archive's own."""
    return name.startswith(_CLASSES)


def describe_object() -> Pairs:
    """Describe an object that has no state yet."""
    return Pairs([], attributes=True, program=True)


def describe_enum() -> Odd:
    """Describe a call of a class: only enumerations are made so."""
    return Odd("an enumeration's value")


def set_state(target: Pairs, state: object) -> None:
    """Set the attributes of an object, but those of `_EVERYWHERE`, or its one state; once."""
    if target.items:
        raise UnsafeCheckpointError("it asks to set the state of an object twice.")
    if not isinstance(state, Pairs):
        target.items.append(("state", state))
        return
    target.items.extend(
        (key, value)
        for key, value in state.items
        if not (isinstance(key, str) and key in _EVERYWHERE)
    )


def _list(items: Any) -> object:
    """Describe a list of one type by its elements."""
    if not isinstance(items, list):
        raise TypeError("a list made of what is none")
    return items


def _tagged(value: Any, kind: Any) -> object:
    """Describe a container whose type is told by the container."""
    if not isinstance(kind, str):
        raise TypeError("a type without a name")
    return value


REBUILD: Final[dict[str, Callable[..., object]]] = {
    **{
        f"torch.jit._pickle.build_{kind}list": _list for kind in ("int", "tensor", "double", "bool")
    },
    "torch.jit._pickle.restore_type_tag": _tagged,
}
"""Global → what describes a call of it."""
