"""The rows of the difference table; importing this fills `row.ROWS`.

To add a row, add a function to the module of its section: its body, which the table shows as a
program, ends in `return` and the answer. `programs` tells what its parameters mean.
"""

from __future__ import annotations

from onecell.verify.difference.row import ROWS
from onecell.verify.difference.rows import (
    arguments,
    construction,
    examples,
    numbers,
    parameters,
    states,
    weights,
)

__all__ = [
    "ROWS",
    "arguments",
    "construction",
    "examples",
    "numbers",
    "parameters",
    "states",
    "weights",
]
