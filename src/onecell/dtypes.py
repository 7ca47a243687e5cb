"""Element types as checkpoints have them, bfloat16 included, with NumPy alone.

NumPy has no bfloat16. Arithmetic on stored bits by accident would be silent nonsense, so such an
array is kept under a structured type: it can be sliced, permuted, transposed, copied and compared
bit for bit, and any attempt to compute with it is a TypeError until `widen` makes it float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from onecell.errors import DtypeError

BFLOAT16: Final = np.dtype([("bfloat16", "<u2")])
"""bfloat16 bits in an array: slice, permute and store, but compute only after `widen`."""

FLOAT_NAMES: Final = ("float16", "bfloat16", "float32", "float64")
"""The element types in which a cell's parameters may be stored."""


@lru_cache(maxsize=256)
def dtype_name(dtype: np.dtype[Any]) -> str:
    """Return the plain name of an element type: "float32", "bfloat16", "int64"."""
    return "bfloat16" if dtype == BFLOAT16 else dtype.name


def describe(**arrays: np.ndarray | None) -> str:
    """Return "name=float32 (64, 10), ..." for a repr; None stays None."""
    told = (
        f"{name}={None if a is None else f'{dtype_name(a.dtype)} {a.shape}'}"
        for name, a in arrays.items()
    )
    return ", ".join(told)


def widen(array: np.ndarray) -> np.ndarray:
    """Return `array` in a type that the kernel computes in; exact, for 16-bit floats to float32.

    Raises:
        DtypeError: the elements are not floating-point numbers.
    """
    if array.dtype == BFLOAT16:
        bits = np.ascontiguousarray(array).view(np.uint16).reshape(array.shape).astype(np.uint32)
        return (bits << np.uint32(16)).view(np.float32)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype in (np.float32, np.float64):
        return array
    raise DtypeError(f"cannot compute with elements of type {dtype_name(array.dtype)}.")


def narrow(array: np.ndarray, name: str) -> np.ndarray:
    """Return `array` rounded to the stored type called `name`, to nearest, ties to even."""
    if name == "bfloat16":
        bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32).astype(np.uint64)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        quiet = (bits >> 16) | 0x40
        halves = np.where(np.isnan(array), quiet, rounded).astype(np.uint16)
        return halves.reshape(array.shape).view(BFLOAT16)
    if name not in FLOAT_NAMES:
        raise DtypeError(f"a parameter is stored as one of {', '.join(FLOAT_NAMES)}, not {name}.")
    return array.astype(name)
