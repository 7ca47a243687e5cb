"""One of two things to compare, as it was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from onecell.checkpoint import Note
from onecell.dialect import Dialect
from onecell.errors import NotACellError
from onecell.verify.comparing.comparison import FileFacts, Kind, Label
from onecell.verify.sides.live import Live, look_at
from onecell.weights import Weights

_NAMED: Final = 12
"""A message lists so many tensors or cells."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One of the two things to compare, as it was read."""

    label: Label
    given: str
    kind: Kind
    cell: str
    cells: tuple[str, ...]
    framework: str | None
    weights: Weights | None
    names: Mapping[str, str]
    """Canonical name → the name of the parameter in the live object; else empty."""
    stored: str | None
    """Element type of its parameters; None where it has none."""
    live: Live | None = None
    thing: Any = None
    """The live object itself."""
    row: Dialect | None = None
    """Of a file: how its framework lays the weights out, with the forget bias that it adds."""
    told: bool = False
    """Whether its framework was said, and not told by the file."""
    pieces: Mapping[str, np.ndarray] | None = None
    """Of a file: the arrays of the cell by the layout's pieces, as they lie there; None where it is
    computed from others."""
    file: FileFacts | None = None
    notes: tuple[str, ...] = ()
    looks: tuple[Note, ...] = ()
    """What a verdict must say of the cell."""

    @property
    def sizes(self) -> tuple[int, int] | None:
        """I and H, where they can be told."""
        if self.weights is not None:
            return self.weights.input_size, self.weights.hidden_size
        return None if self.live is None else self.live.sizes


def not_a_cell(claim: Claim, why: str) -> NotACellError:
    """Return the error for an object whose call is not a cell's; names the cells inside it."""
    inside = []
    if claim.live is not None:
        inside = [name for name, child in claim.live.children() if look_at(child).trusted]
    hint = f" It holds cells: {quoted(inside)}; choose one." if inside else ""
    if type(claim.thing).__name__ == "LSTM" and claim.framework is not None:
        hint = (
            " This is a layer over sequences: save its state to a file and give that; every cell "
            "in the file is compared."
        )
    return NotACellError(
        f"`{claim.label}` ({claim.given}) is no cell: cell(x, (h, c)) must return (h', c'), "
        f"both (N, H); {why}.{hint}"
    )


def quoted(names: Iterable[str]) -> str:
    """Return the names in a message, the first of many."""
    every = [f"`{name}`" for name in names]
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more if every else "nothing"
