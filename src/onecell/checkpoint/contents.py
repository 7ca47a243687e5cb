"""What one checkpoint file holds, as `onecell info` shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from onecell.checkpoint.called import own_name
from onecell.checkpoint.cells import CellSite, Note, NoteKind, survey
from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.optimizer_state import optimizer_state
from onecell.dialect import TORCH, get_dialect
from onecell.dtypes import BFLOAT16, dtype_name


@dataclass(frozen=True, slots=True)
class CellFacts:
    """One cell of a file."""

    site: CellSite
    spelled: str
    """How the framework spells what it belongs to: "torch.nn.LSTMCell"."""
    input_size: int
    hidden_size: int
    stored: str
    """Its element type."""
    biases: int
    parts: tuple[str, ...]
    """Its tensors in the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What the names and shapes of a checkpoint tell, and what its numbers do."""

    checkpoint: Checkpoint
    dialect: str
    """Whose names the cells have: what the file tells or the caller says, else torch's."""
    cells: tuple[CellFacts, ...]
    optimizer: tuple[str, ...]
    """Tensors that an optimizer keeps."""
    settings: tuple[str, ...]
    """Plain values that it keeps."""
    others: tuple[str, ...]
    """Tensors of neither a cell nor an optimizer."""
    notes: tuple[Note, ...]


def look_into(checkpoint: Checkpoint, dialect: str | None = None) -> Contents:
    """Return what `checkpoint` holds; its cells are looked for under the names of `dialect`."""
    row = get_dialect(dialect or checkpoint.dialect or TORCH)
    tensors = checkpoint.tensors
    state = optimizer_state(tensors, checkpoint.metadata, row.name)
    found = survey({n: a for n, a in tensors.items() if n not in state}, row)
    cells = []
    for site in found.cells:
        weights = site.weights(tensors, row)
        cells.append(
            CellFacts(
                site=site,
                spelled=row.cell if site.layer is None else row.sequence,
                input_size=weights.input_size,
                hidden_size=weights.hidden_size,
                stored=weights.dtype_name,
                biases=row.layout.biases if weights.bias else 0,
                parts=tuple(site.parts(tensors, row)),
            )
        )
    parts = {name for cell in cells for name in cell.parts}
    return Contents(
        checkpoint=checkpoint,
        dialect=row.name,
        cells=tuple(cells),
        optimizer=tuple(name for name in tensors if name in state),
        settings=tuple(name for name in checkpoint.metadata if name in state),
        others=tuple(name for name in tensors if name not in parts and name not in state),
        notes=(
            *found.notes,
            *_own_names(found.cells, checkpoint.aliases),
            *remarks(checkpoint),
            *not_finite(tensors),
            *(Note(name, f"{what}; left out") for name, what in checkpoint.left_out.items()),
        ),
    )


def _own_names(cells: Iterable[CellSite], aliases: Mapping[str, str]) -> Iterable[Note]:
    """Yield what the makers of a model call its cells."""
    for owner in dict.fromkeys(site.owner for site in cells):
        if own := own_name(owner, aliases):
            yield Note(owner, f"is called `{own}` by its maker")


def remarks(checkpoint: Checkpoint) -> Iterable[Note]:
    """Yield a note for each thing that the file itself tells."""
    for name, text in checkpoint.remarks.items():
        kind: NoteKind = "unsure" if "perhaps" in text else ""
        yield Note(name, text, "other" if text.endswith("no LSTM cell") else kind)


def not_finite(tensors: Mapping[str, np.ndarray]) -> Iterable[Note]:
    """Yield a note for each tensor that holds NaN or infinity."""
    for name, array in tensors.items():
        nan, infinite = _count(array)
        if nan or infinite:
            said = [f"{nan} NaN"] * bool(nan) + [f"{infinite} infinite"] * bool(infinite)
            yield Note(name, f"holds {' and '.join(said)} of {array.size} numbers")


def _count(array: np.ndarray) -> tuple[int, int]:
    """Return how many elements are NaN, and how many are infinite."""
    if array.dtype == BFLOAT16:
        bits = array["bfloat16"] & 0x7FFF
        return int(np.count_nonzero(bits > _INFINITE)), int(np.count_nonzero(bits == _INFINITE))
    if array.dtype.kind not in "fc" or np.isfinite(array).all():
        return 0, 0
    nan = int(np.count_nonzero(np.isnan(array)))
    return nan, int(array.size - np.count_nonzero(np.isfinite(array))) - nan


_INFINITE = 0x7F80
"""A bfloat16 without its sign: every larger one is NaN."""


def to_json(contents: Contents) -> dict[str, Any]:
    """Return `contents` as plain dictionaries, lists, strings and numbers."""
    checkpoint = contents.checkpoint
    return {
        "format": checkpoint.format,
        "framework": checkpoint.dialect,
        "frozen": checkpoint.frozen or None,
        "cells": [
            {
                "name": cell.site.name,
                "class": cell.spelled,
                "layer": cell.site.layer,
                "reverse": cell.site.reverse,
                "input_size": cell.input_size,
                "hidden_size": cell.hidden_size,
                "dtype": cell.stored,
                "biases": cell.biases,
                "tensors": list(cell.parts),
            }
            for cell in contents.cells
        ],
        "tensors": _tensors(checkpoint, contents.others),
        "optimizer": _tensors(checkpoint, contents.optimizer),
        "values": dict(checkpoint.metadata),
        "left_out": dict(checkpoint.left_out),
        "notes": [asdict(note) for note in contents.notes],
    }


def _tensors(checkpoint: Checkpoint, names: Iterable[str]) -> list[dict[str, Any]]:
    tensors = checkpoint.tensors
    return [
        {"name": n, "dtype": dtype_name(tensors[n].dtype), "shape": list(tensors[n].shape)}
        for n in names
    ]
