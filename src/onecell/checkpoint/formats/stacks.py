"""Cells as formats need them that hold nothing but cells: by module, layer after layer."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from onecell.checkpoint.cells import find_cells
from onecell.dialect import get_dialect
from onecell.errors import ArgumentError
from onecell.text import listed, short

Pieces = dict[str, np.ndarray]

_INPUTS: Final = {"weight_ih": "W", "weight_hh": "R", "bias": "B"}
"""Piece → what an operator of ONNX or OpenVINO calls it."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A module: one cell, or layers of cells."""

    layers: list[Pieces]
    """Of each layer, piece of the dialect → array."""
    named: bool
    """Whether its layers are named as layers, and not as one cell."""
    both_ways: bool
    """Whether it has a backward direction."""
    backward: dict[int, Pieces]
    """Layer → the backward direction, where that has arrays of its own."""


def stacks(tensors: Mapping[str, np.ndarray], dialect: str) -> dict[str, Stack]:
    """Return module → its cell or layers.

    Raises:
        ArgumentError: a tensor is no part of a cell, or a layer is missing.
    """
    row = get_dialect(dialect)
    found: dict[str, dict[int, Pieces]] = {}
    backward: dict[str, dict[int, Pieces]] = {}
    taken: set[str] = set()
    sites = find_cells(tensors, row)
    for site in sites:
        names = {p: name for p, name in site.names(row).items() if name in tensors}
        taken.update(names.values())
        layers = found.setdefault(site.prefix.removesuffix("."), {})
        if site.reverse and not row.layout.directions:
            layers = backward.setdefault(site.prefix.removesuffix("."), {})
        if site.layer in (None, 0) and 0 in layers and not site.reverse:
            raise ArgumentError(f"`{short(site.owner)}` is a cell and a layer at once.")
        layers[site.layer or 0] = {piece: tensors[name] for piece, name in names.items()}
    if others := [name for name in tensors if name not in taken]:
        raise ArgumentError(f"only LSTM cells can be written there, got {listed(others)} too.")
    if not sites:
        raise ArgumentError("there is no LSTM cell to be written.")
    for owner, layers in found.items():
        if sorted(layers) != list(range(len(layers))):
            raise ArgumentError(f"`{short(owner)}` has the layers {sorted(layers)[:8]} alone.")
    named = {site.prefix.removesuffix(".") for site in sites if site.layer is not None}
    ways = {site.prefix.removesuffix(".") for site in sites if site.reverse}
    return {
        owner: Stack(
            [layers[n] for n in sorted(layers)],
            owner in named,
            owner in ways,
            backward.get(owner, {}),
        )
        for owner, layers in found.items()
    }


@dataclass(slots=True)
class Layer:
    """The arrays of an operator: `W` (D, 4H, I), `R` (D, 4H, H) and perhaps `B` (D, …)."""

    arrays: Mapping[str, np.ndarray]

    @property
    def directions(self) -> int:
        """1, or 2 of a layer in both directions."""
        return len(self.arrays["R"])

    @property
    def inputs(self) -> int:
        """I."""
        return int(self.arrays["W"].shape[2])

    @property
    def hidden(self) -> int:
        """H."""
        return int(self.arrays["R"].shape[2])


def check_chain(name: str, stack: Stack) -> list[Layer]:
    """Return the layers of a module as an operator takes them.

    Raises:
        ArgumentError: one does not take what the one before gives.
    """
    layers = [Layer({_INPUTS[p]: a for p, a in each.items()}) for each in stack.layers]
    for number, (one, other) in enumerate(itertools.pairwise(layers)):
        width = one.directions * one.hidden
        if (width, one.hidden, one.directions) != (other.inputs, other.hidden, other.directions):
            raise ArgumentError(
                f"`{short(name)}`: layer {number + 1} takes {other.inputs} numbers and has "
                f"H = {other.hidden}, and layer {number} gives {width}: they are no stack."
            )
    return layers
