"""Sides that do what another does, but for one mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from onecell.verify.quantities.optimizers import Optimizer
from onecell.verify.sides import Array, Side

State = tuple[Array, Array]


Named = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake of a side."""

    name: str
    breaks: tuple[str, ...]
    """Patterns of the quantities that it makes wrong: all of them, and no others."""
    spoil: Callable[[Side], Side]

    @property
    def kind(self) -> str:
        """The kind of quantity that it is first about."""
        return self.breaks[0].partition(".")[0]

    def is_about(self, quantity: str) -> bool:
        """Whether it makes `quantity` wrong."""
        return any(fnmatchcase(quantity, pattern) for pattern in self.breaks)


class Spoiled:
    """A side that does what another does, but for what subclasses do to it."""

    def __init__(self, right: Side) -> None:
        self.right = right
        self.leaves_out = right.leaves_out
        self.epsilon_first = right.epsilon_first

    def step(self, x: Array, h: Array, c: Array) -> State:
        """Return (h', c') of one step."""
        return self.right.step(x, h, c)

    def gradients(self, *loss: Array) -> Named:
        """Return the gradients by name."""
        return self.right.gradients(*loss)

    def rollout(self, x: Array, h: Array, c: Array) -> State:
        """Return h and c after each step."""
        return self.right.rollout(x, h, c)

    def train(self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array) -> Named:
        """Return how far parameters move, and what the cell answers then."""
        return self.right.train(optimizer, given, x, h, c)


def spoil(**methods: Callable[..., Any]) -> Callable[[Side], Side]:
    """Return what puts `methods`, each told the right side first, in the place of a side's own."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, *given: method(self.right, *given)

    own = {name: wrap(method) for name, method in methods.items()}
    return type("_Spoiled", (Spoiled,), own)


def one_unit(array: Array) -> Array:
    """Return a copy in which one unit of one row is off by an eighth of the array's size."""
    off = array.copy()
    off[(-1,) * off.ndim] += array.dtype.type(
        np.sqrt(np.mean(np.square(array, dtype=np.float64))) / 8
    )
    return off
