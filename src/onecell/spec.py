"""The cell itself: its equations, its sizes, its parameters and how they begin.

With batch N, input size I and hidden size H, one step of the cell is

    z  = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh      (N, 4H)
    i, f, g, o = the four blocks of H columns of z, in this order
    c' = sigmoid(f) * c + sigmoid(i) * tanh(g)                      (N, H)
    h' = sigmoid(o) * tanh(c')                                      (N, H)

after Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), with the forget gate of Gers,
Schmidhuber and Cummins (2000), in the form that torch.nn.LSTMCell and mindspore.nn.LSTMCell share.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, SupportsIndex

import numpy as np
import numpy.typing as npt

from onecell.errors import ArgumentError, DtypeError, ShapeError
from onecell.gates import GATES as GATES  # noqa: PLC0414 - part of this module's names
from onecell.gates import PARAMETERS as PARAMETERS  # noqa: PLC0414

WEIGHTS: Final = PARAMETERS[:2]
BIASES: Final = PARAMETERS[2:]

COMPUTE_DTYPES: Final = (np.dtype(np.float32), np.dtype(np.float64))
"""The element types that the kernel computes in."""

LARGEST_ELEMENTS: Final = 2**40
"""More elements than this in one parameter is taken for a mistake (4 TiB of float32)."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Sizes, biases and element type of one cell.

    Raises:
        DtypeError: a size is not an integer, or `dtype` is neither float32 nor float64.
        ArgumentError: a size is zero, negative, or so large that a parameter could not exist.
    """

    input_size: int
    hidden_size: int
    bias: bool = True
    dtype: np.dtype[Any] = COMPUTE_DTYPES[0]

    def __post_init__(self) -> None:
        for name in ("input_size", "hidden_size"):
            object.__setattr__(self, name, check_size(name, getattr(self, name)))
        object.__setattr__(self, "bias", bool(self.bias))
        object.__setattr__(self, "dtype", check_dtype("dtype", self.dtype))
        check_product(self.input_size, self.hidden_size)

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical names of the parameters that this cell has."""
        return PARAMETERS if self.bias else WEIGHTS

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The canonical shape of every parameter that this cell has."""
        rows = len(GATES) * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, self.input_size),
            "weight_hh": (rows, self.hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        return {name: shapes[name] for name in self.names}

    @property
    def bound(self) -> float:
        """Fresh parameters are uniform(-bound, bound) with bound 1/√H, as in both frameworks."""
        return 1.0 / math.sqrt(self.hidden_size)


def check_size(name: str, value: SupportsIndex) -> int:
    """Return `value` as a positive `int`, or raise naming the argument."""
    try:
        size = operator.index(value)
    except TypeError:
        kind = type(value).__name__
        raise DtypeError(f"`{name}` must be an integer, got {value!r} ({kind}).") from None
    if isinstance(value, bool):
        raise DtypeError(f"`{name}` must be an integer, got the bool {value!r}.")
    if size < 1:
        raise ArgumentError(f"`{name}` must be at least 1, got {size}.")
    return size


def check_product(input_size: int, hidden_size: int) -> None:
    """Raise `ArgumentError` for sizes that ask for a parameter which could not exist."""
    largest = len(GATES) * hidden_size * max(input_size, hidden_size)
    if largest > LARGEST_ELEMENTS:
        raise ArgumentError(
            f"`input_size` = {input_size} and `hidden_size` = {hidden_size} ask for a parameter "
            f"of {largest} elements; at most {LARGEST_ELEMENTS} are possible."
        )


def check_dtype(name: str, value: npt.DTypeLike) -> np.dtype[Any]:
    """Return `value` as one of `COMPUTE_DTYPES`, or raise naming the argument."""
    try:
        # NumPy reads None as float64; here it is somebody's missing value.
        dtype = np.dtype(object if value is None else value)
    except TypeError:
        dtype = np.dtype(object)
    if dtype not in COMPUTE_DTYPES:
        raise DtypeError(f"`{name}` must be float32 or float64, got {value!r}.")
    return dtype


def check_shape(name: str, got: tuple[int, ...], want: tuple[int, ...], symbols: str) -> None:
    """Raise `ShapeError` unless `got` is exactly the shape `want`, spelled `symbols`."""
    if got == want:
        return
    hint = " It looks transposed." if len(got) > 1 and got == want[::-1] else ""
    raise ShapeError(f"`{name}` must have shape {symbols} = {want}, got {got}.{hint}")
