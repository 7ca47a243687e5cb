"""Paddle's .pdparams: a pickle of NumPy arrays by name, of protocol 2 to 4.

Paddle keeps beside them the names that its own graph has for parameters; where the protocol is
below 4, a large array lies in flat slices, which a table puts together. bfloat16 is kept as uint16,
a type that its tensors do not have. A layer of LSTM has each parameter under two names:
`rnn.weight_ih_l0`, and where the cell itself has it, `rnn.0.cell.weight_ih`.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.cells import find_cells
from onecell.checkpoint.content import Checkpoint, raw
from onecell.checkpoint.formats.pickled_trees import flatten_arrays, read_whole_pickle
from onecell.checkpoint.limits import CHUNK, Budget, count_bytes
from onecell.checkpoint.pickles.described import Pairs, say
from onecell.checkpoint.pickles.spelled import (
    spell_global,
    spell_integer,
    spell_text,
    spell_tuple,
)
from onecell.dialect import get_dialect
from onecell.dtypes import BFLOAT16, dtype_name
from onecell.errors import CheckpointError, DtypeError
from onecell.text import short

_NAMES: Final = "StructuredToParameterName@@"
_SLICES: Final = "UnpackBigParamInfor@@"
_CODES: Final = {
    "bool": "b1",
    **{f"{kind}{8 * size}": f"{kind[0]}{size}" for kind in ("int", "float") for size in (2, 4, 8)},
    "int8": "i1",
    "uint8": "u1",
    "bfloat16": "u2",
    "complex64": "c8",
    "complex128": "c16",
}
"""Element type → how NumPy's pickle spells it; those that Paddle's tensors have."""


_OPTIMIZER: Final = (
    "it is an optimizer's state of Paddle's, which only Paddle can use; give the .pdparams beside "
    "it."
)
_PROGRAM: Final = "it is a program of Paddle's without its arrays; give the .pdiparams beside it."
_OTHERS: Final = {".pdopt": _OPTIMIZER, ".pdmodel": _PROGRAM}
"""Suffix → why such a file of Paddle's is not read."""


def refuse_others(suffix: str) -> None:
    """Raise `CheckpointError` for a file of Paddle's without a layer's weights."""
    if suffix in _OTHERS:
        raise CheckpointError(_OTHERS[suffix])


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read what `paddle.save` wrote, nested dictionaries by dotted path.

    Raises:
        UnsafeCheckpointError: it asks for more than arrays.
        CheckpointError: it is damaged, or the slices of an array do not make it.
    """
    tree = read_whole_pickle(file, budget)
    slices: list[object] = []
    if isinstance(tree, Pairs):
        slices = [value for key, value in tree.items if _is(key, _SLICES)]
        tree = Pairs([pair for pair in tree.items if not _is(pair[0], _NAMES, _SLICES)])
    found = flatten_arrays(tree, budget)
    read = Checkpoint(found.tensors, "pdparams", "paddle", found.values, found.left_out)
    for table in slices:
        _put_together(read.tensors, table, budget)
    for name, array in read.tensors.items():
        if array.dtype == np.uint16:
            read.tensors[name] = array.view(BFLOAT16)
    for second, name in list(_seconds(read.tensors)):
        if second in read.tensors and _same(read.tensors[second], read.tensors[name]):
            del read.tensors[second]
    return read


def _is(key: object, *names: str) -> bool:
    return isinstance(key, str) and key in names


def _put_together(tensors: dict[str, np.ndarray], table: object, budget: Budget) -> None:
    """Make the arrays that lie in slices."""
    if not isinstance(table, Pairs):
        raise CheckpointError(f"its table of slices is {say(table)}.")
    for name, entry in table.items:
        parts, shape = _entry(entry)
        if not isinstance(name, str) or name in tensors or shape is None or not parts:
            raise CheckpointError(f"its table of slices is damaged at {say(name)}.")
        if missing := next((part for part in parts if part not in tensors), None):
            raise CheckpointError(f"the slice `{short(missing)}` is not there, or used twice.")
        if len(set(parts)) < len(parts):
            raise CheckpointError(f"`{short(name)}` has a slice twice.")
        arrays = [tensors.pop(part) for part in parts]
        nbytes = count_bytes(name, shape, arrays[0].itemsize)
        if len({array.dtype for array in arrays}) > 1 or nbytes != sum(a.nbytes for a in arrays):
            raise CheckpointError(f"the slices of `{short(name)}` do not make its shape {shape}.")
        budget.take(nbytes, "the array", name)
        tensors[name] = np.concatenate([array.reshape(-1) for array in arrays]).reshape(shape)
        budget.give(nbytes)


def _entry(entry: object) -> tuple[list[str], tuple[int, ...] | None]:
    """Return the slices that an array lies in, and its shape."""
    parts: list[str] = []
    shape: tuple[int, ...] | None = None
    for key, value in entry.items if isinstance(entry, Pairs) else ():
        if isinstance(key, str) and key == "slices" and isinstance(value, list):
            parts = [part for part in value if isinstance(part, str)]
        elif isinstance(key, str) and key == "OriginShape" and isinstance(value, tuple):
            shape = tuple(size for size in value if type(size) is int)
            shape = shape if len(shape) == len(value) else None
    return parts, shape


def _seconds(tensors: Mapping[str, np.ndarray]) -> Iterator[tuple[str, str]]:
    """Yield the second name that a layer's parameter has or would have, and its first."""
    row = get_dialect("paddle")
    sites = [site for site in find_cells(tensors, row) if site.layer is not None]
    both_ways = {(site.prefix, site.layer) for site in sites if site.reverse}
    for site in sites:
        cell = "cell"
        if (site.prefix, site.layer) in both_ways:
            cell = "cell_bw" if site.reverse else "cell_fw"
        for piece, name in site.names(row).items():
            if name in tensors:  # or its parts alone, as weight_norm keeps them
                yield f"{site.prefix}{site.layer}.{cell}.{row.names[piece]}", name


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and raw(one) == raw(other)


def write(file: BinaryIO, tensors: Mapping[str, np.ndarray], *_: object) -> None:
    """Write what `paddle.load` reads, and `set_state_dict` finds every name of a layer in.

    Raises:
        DtypeError: Paddle's tensors do not have such elements.
    """
    for name, array in tensors.items():
        if (kind := dtype_name(array.dtype)) not in _CODES:
            raise DtypeError(f"`{short(name)}` holds {kind}, which Paddle does not have.")
    first = {second: name for second, name in _seconds(tensors) if second not in tensors}
    places = {name: place for place, name in enumerate(tensors)}
    file.write(pickle.PROTO + b"\x04" + pickle.EMPTY_DICT + pickle.MARK)
    for name, array in tensors.items():
        file.write(spell_text(name))
        _write_array(file, array)
        file.write(pickle.LONG_BINPUT + struct.pack("<I", places[name]))
    for second, name in first.items():
        file.write(spell_text(second) + pickle.LONG_BINGET + struct.pack("<I", places[name]))
    file.write(spell_text(_NAMES) + pickle.EMPTY_DICT + pickle.MARK)
    for each, name in ({name: name for name in tensors} | first).items():
        file.write(spell_text(each) + spell_text(name))
    file.write(pickle.SETITEMS + pickle.SETITEMS + pickle.STOP)


def _write_array(file: BinaryIO, array: np.ndarray) -> None:
    """Write the pickle of an array, by names that every NumPy has."""
    code = _CODES[dtype_name(array.dtype)]
    order = "|" if code.endswith("1") else "<"
    kind = spell_global("numpy", "dtype") + spell_tuple(
        spell_text(code), pickle.NEWFALSE, pickle.NEWTRUE
    )
    about = spell_tuple(
        spell_integer(3),
        spell_text(order),
        *[pickle.NONE] * 3,
        *[spell_integer(-1)] * 2,
        spell_integer(0),
    )
    empty = spell_tuple(
        spell_global("numpy", "ndarray"),
        spell_tuple(spell_integer(0)),
        pickle.SHORT_BINBYTES + b"\x01b",
    )
    file.write(spell_global("numpy.core.multiarray", "_reconstruct") + empty + pickle.REDUCE)
    file.write(pickle.MARK + spell_integer(1) + spell_tuple(*map(spell_integer, array.shape)))
    file.write(kind + pickle.REDUCE + about + pickle.BUILD + pickle.NEWFALSE)
    content = raw(array)
    file.write(pickle.BINBYTES8 + struct.pack("<Q", len(content)))
    for start in range(0, len(content), CHUNK):
        file.write(content[start : start + CHUNK])
    file.write(pickle.TUPLE + pickle.BUILD)
