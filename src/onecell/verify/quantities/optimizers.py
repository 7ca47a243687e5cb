"""The optimizer steps of the proof, as values and in NumPy.

Gradients are given, not taken from the cell: a step is then as exact as its arithmetic, and its
limit a few roundings of what it moves. Several steps, each by other gradients, show whether an
optimizer keeps its moments, corrects them, and forgets nothing. Rates are given for weights of a
size of 1 and multiplied by the size that they have, so that a step is never lost in rounding.

Adam's rates of decay and their third powers are exact in float32: an optimizer that keeps them
there loses nothing by it. EPSILON is large enough to show where it is added: torch adds it after
the second moment is corrected, MindSpore before, and each is held against its own formula.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

STEPS: Final = 3
BETAS: Final = (0.875, 1 - 2.0**-7)
EPSILON: Final = 2.0**-7
POOL: Final = 4099
"""So many gradients are drawn; a parameter takes as many as it needs, over and over. A prime, so
that no axis of a parameter meets the same ones again."""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One optimizer, named as in a quantity: "sgd.weight_ih"."""

    name: str
    rate: float
    epsilon_first: bool = False
    """Whether Adam adds epsilon before it corrects the second moment, as MindSpore does."""

    def updates(self, gradients: Array) -> Iterator[Array]:
        """Yield what each step takes from a parameter, in the element type of `gradients` (S, ...).

        Adam as in Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1;
        with `epsilon_first` as at the end of its section 2.
        """
        kind = gradients.dtype.type
        rate = kind(self.rate)
        if self.name == "sgd":
            yield from (rate * gradient for gradient in gradients)
            return
        mean = square = np.zeros_like(gradients[0])
        (first, second), epsilon = map(kind, BETAS), kind(EPSILON)
        for step, gradient in enumerate(gradients, 1):
            mean = first * mean + (1 - first) * gradient
            square = second * square + (1 - second) * gradient * gradient
            left, spread = 1 - first**step, np.sqrt(1 - second**step)
            if self.epsilon_first:
                yield rate * spread / left * mean / (np.sqrt(square) + epsilon)
            else:
                yield rate * (mean / left) / (np.sqrt(square) / spread + epsilon)

    def total(self, gradients: Array) -> Array:
        """Return what all steps together take from a parameter."""
        return np.asarray(sum(self.updates(gradients)))


OPTIMIZERS: Final[Mapping[str, Optimizer]] = {
    each.name: each for each in (Optimizer("sgd", 0.25), Optimizer("adam", 0.125))
}
"""At the rates for weights of a size of 1."""


def optimizers(size: float, *, epsilon_first: bool) -> Iterator[Optimizer]:
    """Yield every optimizer at its rate for weights of a size of `size`."""
    for each in OPTIMIZERS.values():
        yield replace(each, rate=each.rate * size, epsilon_first=epsilon_first)


def spread(pool: Array, parameter: str, shape: tuple[int, ...]) -> Array:
    """Return what `parameter` takes from `pool` (P,): as many numbers as it has, over and over.

    Each parameter begins at another place, so that gradients of one do not fit another.
    """
    return np.resize(np.roll(pool, zlib.crc32(parameter.encode())), shape)
