"""The optimizer steps of the proof, as values and in NumPy.

One step from fresh optimizer state. Adam's first step has the size of its rate whatever the
gradient, so with the usual epsilon of 1e-8 the rounding of a gradient that is nearly zero decides
its sign; with EPSILON the step is as smooth as the gradient and still unlike SGD's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BETAS: Final = (0.9, 0.999)
EPSILON: Final = 2.0**-7


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One step of one optimizer, named as in a quantity: "sgd.weight_ih"."""

    name: str
    rate: float

    def step(self, parameter: Array, gradient: Array) -> Array:
        """Return the parameter after the first step, computed in its own element type."""
        kind = parameter.dtype.type
        if self.name == "sgd":
            return np.asarray(parameter - kind(self.rate) * gradient)
        first, second = (kind(1.0 - beta) for beta in BETAS)
        mean, square = first * gradient, second * gradient * gradient
        update = (mean / first) / (np.sqrt(square / second) + kind(EPSILON))
        return np.asarray(parameter - kind(self.rate) * update)

    def reach(self, gradient: float) -> float:
        """Return how far a step can go, or what an error of 1 eps of `gradient` grows from."""
        return self.rate * (gradient if self.name == "sgd" else gradient / EPSILON)


OPTIMIZERS: Final[Mapping[str, Optimizer]] = {
    each.name: each for each in (Optimizer("sgd", 0.1), Optimizer("adam", 0.01))
}

MINDSPORE_EPSILON: Final = EPSILON * math.sqrt(1.0 - BETAS[1])
"""MindSpore adds epsilon before it corrects the second moment; this gives the same first step."""
