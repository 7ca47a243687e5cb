"""The gradients of one cell as one value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onecell.spec import PARAMETERS


@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """Gradients of a scalar loss, each of the shape of what it belongs to.

    The biases' are None where the cell has none; where it has, they are equal, since the two
    biases only ever occur as a sum.
    """

    x: np.ndarray
    h: np.ndarray
    c: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias_ih: np.ndarray | None
    bias_hh: np.ndarray | None

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the gradients of the parameters that are there, by canonical name, in order."""
        pairs = ((name, getattr(self, name)) for name in PARAMETERS)
        return {name: array for name, array in pairs if array is not None}
