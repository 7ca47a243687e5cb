"""A checkpoint in another dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from onecell.checkpoint.cells import CellSite, Note, survey
from onecell.checkpoint.optimizer_state import optimizer_state
from onecell.dialect import Dialect, get_dialect
from onecell.dtypes import widen
from onecell.errors import ArgumentError, CheckpointError
from onecell.text import short
from onecell.weights import Weights


@dataclass(frozen=True, slots=True)
class Loss:
    """What a cell loses, or has otherwise, in another layout. Its outputs stay, up to rounding."""

    cell: str
    kind: Literal["merged", "folded", "zeros"]
    """"merged": two biases into one; "folded": an offset of the forget gate, rounded; "zeros": a
    bias where there was none."""
    text: str

    def __str__(self) -> str:
        return f"{short(self.cell)}: {self.text}"


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """A checkpoint in another dialect."""

    tensors: dict[str, np.ndarray]
    """Everything, in the order of the source."""
    cells: list[CellSite]
    carried: list[str]
    """The names in the source of all tensors that belong to no cell; their bits are unchanged."""
    renamed: dict[str, str]
    """Of these, old name → new name where they differ."""
    notes: list[Note] = field(default_factory=list)
    """What is to be known of it, see `Survey`."""
    left: list[str] = field(default_factory=list)
    """Tensors and plain values of the source's optimizer, which no other framework's reads: they
    are not in `tensors`."""
    lost: list[Loss] = field(default_factory=list)
    """What the new layout cannot keep, cell by cell."""


def convert(
    tensors: Mapping[str, np.ndarray],
    source: str | Dialect,
    target: str | Dialect,
    renames: Mapping[str, str] | None = None,
    values: Iterable[str] = (),
) -> Conversion:
    """Return a checkpoint of dialect `source` in dialect `target`.

    Cells get the names and the layout of `target`, moving bits only where the two layouts have
    the same biases; a parameter that is there as parts is computed from them, unless the dialect
    stays the same. Every other tensor is carried over as it is, the same object, but for optimizer
    state where the dialect changes. Nothing in `tensors` is written to; what needs no new layout
    shares its memory.

    Args:
        tensors: name → array.
        source: their dialect.
        target: the one they are to have.
        renames: what tensors that belong to no cell are called in the new checkpoint, where that
            is known to be something else.
        values: the names of plain values beside the tensors, which tell optimizer state.

    Raises:
        CheckpointError: two tensors would have one name.
        ArgumentError: a backward direction has no place in the new framework.
    """
    row, goal = get_dialect(source), get_dialect(target)
    left = optimizer_state(tensors, values, row.name) if row != goal else set()
    found = survey({n: a for n, a in tensors.items() if n not in left} if left else tensors, row)
    lost: list[Loss] = []
    replaced: dict[str, dict[str, np.ndarray]] = {}
    forward: dict[str, dict[str, np.ndarray]] = {}
    parts: set[str] = set()
    place = {name: number for number, name in enumerate(tensors)}
    both_ways = {(site.prefix, site.layer) for site in found.cells if site.reverse}
    for site in sorted(found.cells, key=lambda site: site.reverse):
        old = site.parts(tensors, row)
        at = min(old, key=place.__getitem__)
        parts.update(old)
        if row == goal:
            replaced[at] = {name: tensors[name] for name in old}
            continue
        weights = site.weights(tensors, row)
        lost += losses(site.name, weights, row, goal)
        joined = goal.layout.directions and site.reverse
        both = (site.prefix, site.layer) in both_ways
        layer = site.layer
        if both and layer is None and not (goal.layout.directions or goal.both_forms[0]):
            layer = 0  # two directions of what has no layers, where there are layers
        new = weights.to_dialect(
            goal, prefix=site.prefix, layer=layer, reverse=site.reverse and not joined, both=both
        )
        if site.reverse and not joined and forward.keys() & new.keys():
            raise ArgumentError(
                f"{short(site.name)}: {goal.name} has no backward direction; leave it out (--drop)."
            )
        if not joined:
            replaced.setdefault(at, {}).update(new)
            forward |= dict.fromkeys(new, replaced[at])
        elif not _join(new, forward.get(next(iter(new)), {})):
            raise CheckpointError(
                f"{short(site.name)}: {goal.name} keeps both directions in one array, and there "
                f"is no forward one of the same sizes and biases beside it."
            )
    carried = {
        name: (renames or {}).get(name, name)
        for name in tensors
        if name not in parts and name not in left
    }
    converted: dict[str, np.ndarray] = {}
    for name, array in tensors.items():
        new = {carried[name]: array} if name in carried else replaced.get(name, {})
        for taken in new.keys() & converted.keys():
            raise CheckpointError(
                f"two tensors would be called `{short(taken)}` in the new checkpoint."
            )
        converted |= new
    return Conversion(
        tensors=converted,
        cells=found.cells,
        carried=list(carried),
        renamed={name: new for name, new in carried.items() if new != name},
        notes=found.notes,
        lost=lost,
        left=[*(n for n in tensors if n in left), *(v for v in values if v in left)],
    )


def _join(backward: Mapping[str, np.ndarray], forward: dict[str, np.ndarray]) -> bool:
    """Put a backward direction behind the forward one of the same names; whether it fits."""
    if not forward.keys() >= backward.keys():
        return False
    if any(forward[name].shape != array.shape for name, array in backward.items()):
        return False
    if any(forward[name].dtype != array.dtype for name, array in backward.items()):
        return False
    for name, array in backward.items():
        forward[name] = np.concatenate([forward[name], array])
    return True


def losses(name: str, weights: Weights, source: Dialect, target: Dialect) -> Iterator[Loss]:
    """Yield what the weights of a cell, read in one dialect, have otherwise in another."""
    layout = target.layout
    if weights.bias_ih is None or weights.bias_hh is None:
        if layout.always_bias:
            yield Loss(name, "zeros", f"it has no bias, and {target.name}'s cell has: zeros")
        return
    one, other = (widen(bias) for bias in (weights.bias_ih, weights.bias_hh))
    if layout.biases == 1 and np.any((one != 0) & (other != 0)):
        yield Loss(
            name,
            "merged",
            f"two biases become one, their sum, rounded to {weights.dtype_name}; in training two "
            "move at twice the rate of one",
        )
    adding = next((row for row in (target, source) if row.layout.forget_offset), None)
    if adding is not None and source.layout.forget_offset != layout.forget_offset:
        less = "less" if adding is target else "more"
        yield Loss(
            name,
            "folded",
            f"the forget gate's bias is kept {abs(adding.layout.forget_offset):g} {less}, which "
            f"{adding.name} adds when it runs, rounded to {weights.dtype_name}",
        )
