"""One row per framework: how it spells the cell and how it lays out the weights.

Everything that differs between frameworks is data in one table, `table.py`. Checkpoint conversion,
the migrator, the difference table and the front ends read it; none of them knows a framework's
spelling by itself. A row says, for one framework (`Dialect`):

- what its cell and its multi-step layer are called, and in which order their state comes;
- what each array of a cell is called in a file, alone, in a layer, and in a backward direction;
- how the arrays are laid out (`Layout`): order of the gates, orientation, kernels apart or joined,
  an array for each gate, two biases, one, or two in one array, directions along an axis, and what
  the framework adds to the forget gate at run time;
- which files are its own.

To add a framework, add a row, and to `tests/dialect/formulas.py` the framework's own formula: what
it computes out of its own arrays, written from its source or its documentation and not from the
row. The tests then run the row against the reference, both ways, for every size, type and bias.
Conversion from and to every other row works at once. A file format of its own is one file more, in
`onecell/checkpoint/formats`; a front end is needed only for what is to run there.

No row needs an array: `arrays.py`, which moves them, is imported by `onecell.weights` alone, so
that the migrator does without NumPy.
"""

from __future__ import annotations

import math
from dataclasses import replace

from onecell.dialect.layout import CANONICAL, Layout
from onecell.dialect.row import Dialect
from onecell.dialect.table import DIALECTS, FRONT_ENDS, MINDSPORE, TORCH
from onecell.errors import ArgumentError

__all__ = [
    "CANONICAL",
    "DIALECTS",
    "FRONT_ENDS",
    "MINDSPORE",
    "TORCH",
    "Dialect",
    "Layout",
    "get_dialect",
    "get_front_end",
    "takes_forget_bias",
    "with_forget_bias",
]


def get_dialect(dialect: str | Dialect) -> Dialect:
    """Return the row called `dialect`; a row passes through.

    Raises:
        ArgumentError: no row has that name.
    """
    if isinstance(dialect, Dialect):
        return dialect
    if dialect not in DIALECTS:
        raise ArgumentError(f"`dialect` must be one of {', '.join(DIALECTS)}, got {dialect!r}.")
    return DIALECTS[dialect]


def takes_forget_bias(dialect: str | Dialect) -> bool:
    """Whether the framework's cell can be told what it adds to its forget gate when it runs."""
    return get_dialect(dialect).forget_told


def with_forget_bias(dialect: str | Dialect, added: float | None) -> Dialect:
    """Return a row whose framework adds `added` to its forget gate, where it can be told to.

    TensorFlow's cells add 1 unless their user says otherwise, which no file tells. A row of another
    framework passes through, Haiku's too, which always adds 1; and so does every row where `added`
    is None.

    Raises:
        ArgumentError: `added` is no finite number.
    """
    row = get_dialect(dialect)
    if added is None or not row.forget_told:
        return row
    if not math.isfinite(added):
        raise ArgumentError(f"the forget bias must be a finite number, got {added}.")
    return replace(row, layout=replace(row.layout, forget_offset=float(added)))


def get_front_end(framework: str) -> Dialect:
    """Return the row of a framework for which onecell has a front end.

    Raises:
        ArgumentError: it has none.
    """
    if framework not in FRONT_ENDS:
        known = ", ".join(FRONT_ENDS)
        raise ArgumentError(f"the framework must be one of {known}, got {framework!r}.")
    return FRONT_ENDS[framework]
