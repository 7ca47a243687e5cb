"""What a pickle says of JAX's arrays: NumPy's, with two words of its own about each."""

# ruff: noqa: ANN401 - the file decides what the arguments are; a wrong one is a TypeError.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onecell.checkpoint.pickles import inert_numpy
from onecell.checkpoint.pickles.described import Global, Pairs


def _array(function: Any, arguments: Any, state: Any, about: Any) -> object:
    """Describe an array that NumPy's own function makes, and whose state comes with it."""
    if not isinstance(function, Global) or not function.name.endswith("multiarray._reconstruct"):
        raise TypeError("an array that is made in an odd way")
    if not isinstance(arguments, tuple) or not isinstance(about, Pairs):
        raise TypeError("an array without what is said of it")
    array = inert_numpy.Array()
    array.set_state(state)
    return array


REBUILD: Final[dict[str, Callable[..., object]]] = {
    "jax._src.array._reconstruct_array": _array,
    "jax._src.device_array.reconstruct_device_array": _array,
}
"""Global → what describes a call of it."""

MAPPINGS: Final = (
    "flax.core.frozen_dict.FrozenDict",
    "haiku._src.data_structures.FlatMap",
    "haiku._src.data_structures.FlatMapping",
)
"""Dictionaries of its libraries' own, which are made of a plain one."""
