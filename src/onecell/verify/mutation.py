"""Deliberate mistakes, made to see the proof fail: a check that cannot fail is no check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from onecell.dtypes import narrow, widen
from onecell.spec import GATES
from onecell.weights import Weights


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake in the weights of a cell."""

    name: str
    apply: Callable[[Weights], Weights]
    gates: str = ""
    """The two gates that are swapped, if that is the mistake."""


def swap_gates(weights: Weights, first: str, second: str) -> Weights:
    """Return the weights with the blocks of two gates in each other's place."""
    order = list(range(len(GATES)))
    a, b = GATES.index(first), GATES.index(second)
    order[a], order[b] = order[b], order[a]
    blocks = {name: np.split(array, len(GATES)) for name, array in weights.arrays().items()}
    return Weights(**{n: np.concatenate([each[g] for g in order]) for n, each in blocks.items()})


def _swap(first: str, second: str) -> Mutation:
    name = f"gates {first} and {second} swapped"
    return Mutation(name, lambda w: swap_gates(w, first, second), first + second)


def _enlarge(weights: Weights) -> Weights:
    larger = widen(weights.weight_ih)
    larger = larger + np.float32(0.125) * np.fmax(1, np.max(np.abs(larger)))
    arrays = weights.arrays() | {"weight_ih": narrow(larger, weights.dtype_name)}
    return Weights(**arrays)


GATE_SWAPS = tuple(_swap(first, second) for first, second in combinations(GATES, 2))
"""All six ways to mistake two gates for each other."""

ENLARGED = Mutation("weight_ih enlarged", _enlarge)
"""For a cell whose gates hold the same numbers, so that swapping them is no mistake."""


def mutations(weights: Weights) -> Iterator[tuple[Mutation, Weights]]:
    """Yield every gate swap that changes a number of `weights`; if none does, `ENLARGED`."""
    changed = False
    for mutation in GATE_SWAPS:
        mutated = mutation.apply(weights)
        if not same_numbers(mutated, weights):
            changed = True
            yield mutation, mutated
    if not changed:
        yield ENLARGED, ENLARGED.apply(weights)


def same_numbers(one: Weights, other: Weights) -> bool:
    """Whether all numbers are equal; zeros of either sign are, and so are NaNs."""
    pairs = zip(one.widened().arrays().values(), other.widened().arrays().values(), strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
