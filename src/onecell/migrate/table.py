"""The table: what both frameworks have, found by import path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from onecell.dialect import DIALECTS
from onecell.migrate.rows import Row, row
from onecell.migrate.scan import other_framework
from onecell.migrate.table_functions import DTYPES, FUNCTIONS
from onecell.migrate.table_layers import CELL, LAYERS, OPTIMIZERS

ROWS: Final = (*LAYERS, *OPTIMIZERS, *FUNCTIONS, *DTYPES)

# `mindspore.Tensor(data, dtype)` makes a tensor, which torch does by a function.
MADE_TENSOR: Final = row(
    "tensor",
    "torch.tensor(data, *, dtype=None)",
    "mindspore.Tensor(input_data, dtype=None)",
    pairs={"data": "input_data"},
    gives="tensor",
    one_way="torch",
)

SYNONYMS: Final[Mapping[str, str]] = {
    "torch.concat": "torch.cat",
    "torch.nn.parameter.Parameter": "torch.nn.Parameter",
    "torch.nn.modules.module.Module": "torch.nn.Module",
    "torch.nn.modules.rnn.LSTMCell": "torch.nn.LSTMCell",
    "torch.nn.modules.LSTMCell": "torch.nn.LSTMCell",
    "torch.optim.adam.Adam": "torch.optim.Adam",
    "torch.optim.adamw.AdamW": "torch.optim.AdamW",
    "torch.optim.sgd.SGD": "torch.optim.SGD",
    "mindspore.ops.concat": "mindspore.ops.cat",
    "mindspore.ops.operations.zeros": "mindspore.ops.zeros",
    "mindspore.nn.cell.Cell": "mindspore.nn.Cell",
    "mindspore.common.tensor.Tensor": "mindspore.Tensor",
    "mindspore.common.parameter.Parameter": "mindspore.Parameter",
    "mindspore.manual_seed": "mindspore.set_seed",
    **{
        f"mindspore.dtype.{name}": f"mindspore.{name}"
        for name in ("float16", "float32", "float64", "int32", "int64", "bool_")
    },
    **{
        f"mindspore.common.dtype.{name}": f"mindspore.{name}"
        for name in ("float16", "float32", "float64", "int32", "int64", "bool_")
    },
}
"""Another import path → the path in the table."""


def canonical(path: str) -> str:
    """Return the import path under which the table knows `path`."""
    return SYNONYMS.get(path, path)


@cache
def rows_to(to: str, target: str) -> Mapping[str, Row]:
    """Return every row that leads to `to`, by its import path in the other framework."""
    source = other_framework(to)
    found = {r.side(source).path: r for r in ROWS if r.one_way in ("", to)}
    for cell in CELL.values():
        found[cell.side(source).path] = CELL[target]
    return found


def counterpart(old: str, new: str) -> bool:
    """Whether some row leads from the import path `old` to the import path `new`."""
    for to in DIALECTS:
        for target in CELL:
            found = rows_to(to, target).get(canonical(old))
            if found is not None and found.side(to).path == new:
                return True
    return False
