"""Whether what was given can be compared at all."""

from __future__ import annotations

from typing import Final

import numpy as np

from onecell.errors import ArgumentError, NotFiniteError
from onecell.weights import Weights

_HEADROOM: Final = 2.0**-10
"""Sums of weights must stay below this part of the largest number: gradients multiply them."""


def check_numbers(what: str, weights: Weights) -> None:
    """Raise `NotFiniteError` if a parameter holds NaN, infinity, or numbers too large to add."""
    for name, array in weights.widened().arrays().items():
        wrong = ~np.isfinite(array)
        if count := int(np.count_nonzero(wrong)):
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            value = array[where]
            raise NotFiniteError(
                f"{what}: `{name}` holds {count} of {array.size} numbers that are not finite, "
                f"the first at {list(where)}: {value}."
            )
        rows = np.abs(array, dtype=np.float64).reshape(len(array), -1)
        most = float(np.finfo(array.dtype).max) * _HEADROOM
        with np.errstate(over="ignore"):
            largest = max(rows.sum(axis=0).max(), rows.sum(axis=1).max())
        if largest > most:
            raise NotFiniteError(
                f"{what}: `{name}` holds numbers up to {rows.max():.1e}, too large for sums of "
                f"their products in {array.dtype.name}."
            )


def check_sizes(sizes: object) -> tuple[int, int]:
    """Return `sizes` as (I, H), or raise `ArgumentError`."""
    match sizes:
        case (int() as inputs, int() as hidden) if inputs > 0 and hidden > 0:
            return inputs, hidden
    raise ArgumentError(f"`sizes` must be two positive integers (I, H), got {sizes!r}.")
