"""Inputs that reach the gates of a cell whose biases would hold them shut.

Where a bias towers over what a product with inputs of a fitting size adds, every gate stands at one
end, whatever goes in: no gradient but c's is more than rounding, and no row of them could fail. The
inputs are ours to choose. So in a few rows of the batch the products take the biases of some units
back, and those units answer as units of an ordinary cell do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from onecell.spec import GATES
from onecell.weights import Weights

Array = np.ndarray[Any, np.dtype[Any]]

_DROWNED: Final = 8.0
"""A bias of this size holds a gate shut against inputs of a fitting size."""
_COARSEST: Final = 2.0**-9
"""A bias is taken back only where its own last place is smaller than this: else rounding decides
what the gate answers, and the row would guard nothing."""


_STIFF: Final = 16.0
"""Beyond it one rounding can throw a gate from one end to the other."""


def magnified(weights: Weights) -> float:
    """Return how much larger than a change of the state the change of a gate's sum may be."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(np.mean(np.square(weights.weight_hh, dtype=np.float64)))
    return float(np.sqrt(mean * weights.hidden_size))


def is_stiff(weights: Weights) -> bool:
    """Return whether the cell magnifies rounding beyond what an ordinary one does."""
    biases = [np.max(np.abs(b)) for b in (weights.bias_ih, weights.bias_hh) if b is not None]
    return _STIFF < max(magnified(weights), *map(float, biases), 0.0) < np.inf


def aim(
    weights: Weights, x: Array, h: Array, scales: tuple[float, float], rows: Iterable[int]
) -> tuple[Array, Array]:
    """Return x (N, I) and h (N, H) so that in `rows` the gates of some units respond.

    Args:
        weights: of the cell, widened.
        x: what was drawn, float64.
        h: the same.
        scales: of x and h at which their products have a spread of about 1.
        rows: of the batch, those that may be changed; each gets units of its own.
    """
    if weights.bias_ih is None or weights.bias_hh is None:
        return x, h
    bias = weights.bias_ih.astype(np.float64) + weights.bias_hh
    size = float(np.max(np.abs(weights.bias_ih)) + np.max(np.abs(weights.bias_hh)))
    typical = float(np.median(np.abs(bias)))
    if (
        not typical >= _DROWNED
        or not np.isfinite(size)
        or size * float(np.finfo(weights.weight_ih.dtype).eps) > _COARSEST
    ):
        return x, h
    matrix = np.hstack([weights.weight_ih, weights.weight_hh]).astype(np.float64)
    unit = np.repeat(scales, [x.shape[1], h.shape[1]])
    matrix *= unit
    drawn = np.hstack([x, h]) / unit
    hidden = h.shape[1]
    # Half as many equations as unknowns: then no input has to be large.
    units = max(1, matrix.shape[1] // (2 * len(GATES)))
    for turn, row in enumerate(rows):
        chosen = np.arange(turn * units, (turn + 1) * units) % hidden
        gates = np.unique((chosen[:, None] + hidden * np.arange(len(GATES))).ravel())
        gates = gates[: max(1, matrix.shape[1])]
        part = matrix[gates]
        # The product that was drawn is kept, and the bias is taken back.
        moved = drawn[row] - np.linalg.lstsq(part, bias[gates], rcond=1e-6)[0]
        if np.isfinite(moved).all():
            drawn[row] = moved
    aimed = drawn * unit
    return aimed[:, : x.shape[1]], aimed[:, x.shape[1] :]
