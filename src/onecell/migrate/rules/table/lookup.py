"""The table: what both frameworks have, found by import path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from onecell.dialect import FRONT_ENDS
from onecell.migrate.rules.table.activations import ACTIVATIONS
from onecell.migrate.rules.table.arithmetic import ARITHMETIC
from onecell.migrate.rules.table.arrangement import ARRANGEMENT
from onecell.migrate.rules.table.data import DATA, DISTRIBUTIONS
from onecell.migrate.rules.table.domain import OneOf
from onecell.migrate.rules.table.functions import DTYPES, FUNCTIONS
from onecell.migrate.rules.table.layers import CELL, LAYERS
from onecell.migrate.rules.table.losses import LOSSES
from onecell.migrate.rules.table.matrices import MATRICES
from onecell.migrate.rules.table.methods import METHODS
from onecell.migrate.rules.table.optimizers import OPTIMIZERS
from onecell.migrate.rules.table.pictures import PICTURES
from onecell.migrate.rules.table.recurrent import NEURAL
from onecell.migrate.rules.table.reductions import REDUCTIONS
from onecell.migrate.rules.table.row import Row, row
from onecell.migrate.rules.table.scan import (
    SYNONYMS,
    also_called,
    canonical,
    other_framework,
)

ROWS: Final = (
    *LAYERS,
    *NEURAL,
    *ACTIVATIONS,
    *PICTURES,
    *OPTIMIZERS,
    *FUNCTIONS,
    *ARRANGEMENT,
    *MATRICES,
    *ARITHMETIC,
    *REDUCTIONS,
    *LOSSES,
    *DTYPES,
    *DATA,
    *DISTRIBUTIONS,
)

# `mindspore.Tensor(data, dtype)` makes a tensor, which torch does by a function.
MADE_TENSOR: Final = row(
    "tensor",
    "torch.tensor(data, *, dtype=None)",
    "mindspore.Tensor(input_data, dtype=None)",
    pairs={"data": "input_data"},
    gives="tensor",
    one_way="torch",
)

# torch's class, called, makes float32 of whatever it is given.
CALLED_TENSOR: Final = row(
    "typed_tensor",
    "torch.Tensor(data, /)",
    "mindspore.tensor(input_data, dtype=None)",
    pairs={"data": "input_data"},
    gives="tensor",
    shape="typed",
    one_way="mindspore",
    domain={"data": OneOf("[1, 2]", "[[1, 2], [3, 4]]", "(0, 1)", "[]")},
)


@cache
def rows_to(to: str, target: str) -> Mapping[str, Row]:
    """Return every row that leads to `to`, by each of its import paths in the other one."""
    source = other_framework(to)
    found = {r.side(source).path: r for r in (*ROWS, *METHODS.values()) if r.one_way in ("", to)}
    if target == "native" and to == "mindspore":  # which has none of its own that are used alike
        found = {path: r for path, r in found.items() if r.rule not in ("data", "distribution")}
    for cell in CELL.values():
        found[cell.side(source).path] = CELL[target]
    found |= {other: found[path] for other, path in SYNONYMS.items() if path in found}
    return found | {other: each for path, each in found.items() for other in also_called(path)}


def counterpart(old: str, new: str) -> bool:
    """Whether some row leads from the import path `old` to the import path `new`."""
    for to in FRONT_ENDS:
        for target in CELL:
            found = rows_to(to, target).get(canonical(old))
            if found is not None and found.side(to).path == new:
                return True
    return False
