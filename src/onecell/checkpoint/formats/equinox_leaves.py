"""Equinox's .eqx: the arrays of a tree one behind the other, each a .npy, and no names.

Before them may stand a line of JSON, as Equinox's documentation keeps the hyperparameters. A cell
is told by the shapes of arrays in sequence: (4H, I), (4H, H), (4H).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.formats.npz import MAGIC, odd_kind, read_header, read_numbers, write_array
from onecell.checkpoint.limits import Budget, count_bytes
from onecell.dtypes import BFLOAT16, FLOAT_NAMES, dtype_name
from onecell.errors import ArgumentError, CheckpointError
from onecell.spec import GATES
from onecell.text import short

STARTS: Final = (MAGIC, b"{")
LINE: Final = "hyperparameters"
"""What the line before the arrays is called."""
_LONGEST_LINE: Final = 2**20
_ENTRY: Final = 400
_PIECES: Final = ("weight_ih", "weight_hh", "bias")
_TOLD: Final = "told by the shapes of arrays in sequence, as the file has no names"
_TOLD_BY_TWO: Final = (
    "told by the shapes of two matrices, as the file has no names: without a bias they may be "
    "something else"
)


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read what `equinox.tree_serialise_leaves` wrote.

    Raises:
        UnsafeCheckpointError: it holds pickled objects, or asks for too much memory.
        CheckpointError: it is damaged.
    """
    line = _read_line(file, budget)
    arrays: list[np.ndarray | str] = []
    while (at := file.tell()) < budget.file_size:
        name = f"leaves.{len(arrays)}"
        budget.take(_ENTRY, "the array", name)
        header = read_header(file, name)
        if header.dtype is None:
            raise CheckpointError(f"`{name}` is an array of records.")
        nbytes = count_bytes(name, header.shape, header.dtype.itemsize)
        if nbytes > (there := budget.file_size - at - header.size):
            raise CheckpointError(f"`{name}` is cut off: {there} of {nbytes} bytes are there.")
        if kind := odd_kind(header.dtype):
            arrays.append(kind)
            file.seek(nbytes, 1)
        else:
            budget.take(nbytes, "the array", name)
            arrays.append(read_numbers(file, name, header, budget))
    return _named(arrays, line)


def _read_line(file: BinaryIO, budget: Budget) -> str | None:
    """Return the JSON before the arrays, if there is any."""
    start = file.read(1)
    file.seek(0)
    if start != b"{":
        return None
    content = file.readline(_LONGEST_LINE)
    if not content.endswith(b"\n"):
        raise CheckpointError(f"its first line has no end within {_LONGEST_LINE} bytes.")
    parse_json(content, budget, "the line before the arrays")
    return budget.text(content[:-1], "the line before the arrays")


def _named(arrays: list[np.ndarray | str], line: str | None) -> Checkpoint:
    """Give names to arrays in sequence."""
    found = Checkpoint({}, "eqx", "equinox", {} if line is None else {LINE: line})
    cells = _find_cells(arrays)
    names = [f"leaves.{place}" for place in range(len(arrays))]
    for number, (place, count) in enumerate(cells.items()):
        cell = f"cells.{number}" if len(cells) > 1 else "cell"
        names[place : place + count] = [f"{cell}.{piece}" for piece in _PIECES[:count]]
        found.remarks[cell] = _TOLD if count == len(_PIECES) else _TOLD_BY_TWO
    for name, array in zip(names, arrays, strict=True):
        if isinstance(array, str):
            found.left_out[name] = array
        else:
            found.tensors[name] = array
    return found


def _find_cells(arrays: list[np.ndarray | str]) -> dict[int, int]:
    """Return where cells begin → of how many arrays they are.

    Two matrices without a bias behind are a cell where no other two overlap them: three matrices
    of attention could be two.
    """
    pairs = {place for place in range(len(arrays) - 1) if _is_pair(arrays[place : place + 2])}
    whole = {place for place in pairs if _has_bias(arrays[place : place + 3])}
    bare = {place for place in pairs - whole if not {place - 1, place + 1} & pairs}
    return {place: 3 if place in whole else 2 for place in sorted(whole | bare)}


def _is_pair(arrays: list[np.ndarray | str]) -> bool:
    """Whether two arrays may be the weights of a cell."""
    shapes = [_shape(array) for array in arrays]
    match shapes:
        case [(rows, columns), (also, units)]:
            same = arrays[0].dtype == arrays[1].dtype  # type: ignore[union-attr]
            return same and columns > 0 < units and rows == also == len(GATES) * units
    return False


def _has_bias(arrays: list[np.ndarray | str]) -> bool:
    """Whether the third of three arrays may be the bias of a cell of the first two."""
    return len(arrays) == len(_PIECES) and _shape(arrays[2]) == _shape(arrays[0])[:1]


def _shape(array: np.ndarray | str) -> tuple[int, ...]:
    """Return the shape of an array of floating-point numbers, else ()."""
    if isinstance(array, str) or dtype_name(array.dtype) not in FLOAT_NAMES:
        return ()
    return array.shape


def write(
    file: BinaryIO, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str], *_: object
) -> None:
    """Write what `equinox.tree_deserialise_leaves` reads: arrays in their order, without names.

    Raises:
        ArgumentError: the line before them is none.
    """
    if LINE in metadata:
        line = metadata[LINE]
        if not line.startswith("{") or "\n" in line:
            raise ArgumentError(f"`{LINE}` must be one line of JSON, got `{short(line)}`.")
        file.write(line.encode() + b"\n")
    for array in tensors.values():
        # As JAX has it: NumPy's files have no such type.
        write_array(file, array.view("V2") if array.dtype == BFLOAT16 else array)
