"""The gradients of one cell as one value, and the functions that pull them back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from onecell.dtypes import describe
from onecell.spec import PARAMETERS


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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

    def __repr__(self) -> str:
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return f"{type(self).__name__}({describe(**held)})"

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the gradients of the parameters that are there, by canonical name, in order."""
        pairs = ((name, getattr(self, name)) for name in PARAMETERS)
        return {name: array for name, array in pairs if array is not None}


class StepPullback(Protocol):
    """What `LSTMCell.vjp` returns beside the state."""

    def __call__(
        self, grad_h: np.ndarray | None = None, grad_c: np.ndarray | None = None
    ) -> Gradients:
        """Pull back the gradients by h' and c', each of their shape or None for zeros."""


class UnrollPullback(Protocol):
    """What `LSTMCell.unroll_vjp` returns beside the results."""

    def __call__(
        self,
        grad_h_all: np.ndarray | None = None,
        grad_h_last: np.ndarray | None = None,
        grad_c_last: np.ndarray | None = None,
    ) -> Gradients:
        """Pull back the gradients by h after every step, the last h and the last c."""
