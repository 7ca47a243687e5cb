"""MXNet's .params: a list of arrays, and their names behind them.

After `NDArray::Save` in src/ndarray/ndarray.cc of https://github.com/apache/mxnet. Every number is
little-endian. An array is a mark of its version, how it is stored, its shape, the device that it
was on, its type and its elements. MXNet 2 writes .npz files under this suffix, read as such.

Gluon's layers are called `_unfused.0.l_cell.i2h_weight` by `save_parameters`, `lstm0_l0_i2h_weight`
by `export`; both are read as `l0_i2h_weight` of their module, which is what the layer calls it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS, Checkpoint, raw
from onecell.checkpoint.limits import Budget, count_bytes, read_array, read_bytes
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError, CheckpointError, DtypeError
from onecell.text import short

START: Final = struct.pack("<Q", 0x112)
_FIRST, _STORED, _NUMPY_SHAPES = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_KINDS: Final[Mapping[int, str]] = dict(
    enumerate(
        (
            *("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool"),
            *("int16", "uint16", "uint32", "uint64", "bfloat16"),
        )
    )
)
_ENTRY: Final = 600
_LONGEST_NAME: Final = 4096

_JOINED: Final = re.compile(r"(?:arg|aux):(.*)", re.DOTALL)
_PIECE: Final = "(?:i2h|h2h|h2r)_(?:weight|bias)"
_GLUED: Final = re.compile(rf"(.*?[^._])_((?:[lr][0-9]+_)?{_PIECE})", re.DOTALL)
_UNFUSED: Final = re.compile(
    rf"((?:.*\.)?)_unfused\.([0-9]+)\.(?:([lr])_cell\.)?({_PIECE})", re.DOTALL
)
_LAYERED: Final = re.compile(rf"((?:.*\.)?)([lr])([0-9]+)_({_PIECE})", re.DOTALL)


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read what `save_parameters`, `export` or `nd.save` wrote.

    Raises:
        CheckpointError: it is damaged, or holds a name twice.
    """
    found = Checkpoint({}, "mxnet", "mxnet", {})
    file.seek(len(START) + 8)
    arrays: list[np.ndarray | str] = []
    for number in range(_number(file, "<Q", "the number of arrays")):
        budget.take(_ENTRY, "an array")
        arrays.append(_array(file, f"array {number}", budget))
    names = _names(file, budget)
    if names and len(names) != len(arrays):
        raise CheckpointError(f"it has {len(arrays)} arrays and {len(names)} names.")
    if file.tell() != budget.file_size:
        raise CheckpointError(f"it has more than its arrays, from byte {file.tell()} on.")
    for name, array in zip(names or map(str, range(len(arrays))), arrays, strict=True):
        name = _dotted(name)  # noqa: PLW2901
        if name in found.tensors or name in found.left_out:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
        if isinstance(array, str):
            found.left_out[name] = array
        else:
            found.tensors[name] = array
    return found


def _number(file: BinaryIO, form: str, what: str) -> int:
    (value,) = struct.unpack(form, read_bytes(file, struct.calcsize(form), what))
    return int(value)


def _array(file: BinaryIO, name: str, budget: Budget) -> np.ndarray | str:
    """Return the next array, or what it is that is none."""
    mark = _number(file, "<I", name)
    if mark in {_STORED, _NUMPY_SHAPES}:
        if _number(file, "<i", name) != 0:
            raise CheckpointError(f"{name} is sparse; call `tostype('default')` before saving it.")
        dims = _number(file, "<i", name)
    elif mark == _FIRST:
        dims = _number(file, "<i", name)
    else:
        dims = mark  # before there were marks
    if dims > MOST_DIMENSIONS:
        raise CheckpointError(f"{name} has {dims} dimensions, or the file is damaged.")
    if dims < 0 or (dims == 0 and mark != _NUMPY_SHAPES):
        return "an array without a shape"
    form = f"<{dims}{'I' if mark == dims else 'q'}"
    shape = struct.unpack(form, read_bytes(file, struct.calcsize(form), name))
    read_bytes(file, 8, name)  # a device
    kind = _number(file, "<i", name)
    if kind not in _KINDS:
        raise CheckpointError(f"{name} is of type {kind}, which MXNet does not have.")
    dtype = DTYPES[_KINDS[kind]]
    budget.take(count_bytes(name, shape, dtype.itemsize), name)
    return read_array(file, shape, dtype, name)


def _names(file: BinaryIO, budget: Budget) -> list[str]:
    names = []
    for _ in range(_number(file, "<Q", "the number of names")):
        size = _number(file, "<Q", "a name")
        if size > _LONGEST_NAME:
            raise CheckpointError(f"a name has {size} bytes, more than {_LONGEST_NAME}.")
        # Twice for what its parts are called.
        budget.take(_ENTRY + 2 * size, "a name")
        try:
            names.append(budget.text(read_bytes(file, size, "a name"), "a name"))
        except UnicodeDecodeError as error:
            raise CheckpointError(f"a name is not text: {error}.") from None
    return names


def _dotted(name: str) -> str:
    """Return a name with the module that it belongs to behind a dot."""
    if joined := _JOINED.fullmatch(name):
        name = joined[1]
    if unfused := _UNFUSED.fullmatch(name):
        start, layer, way, piece = unfused.groups()
        return f"{start}{way or 'l'}{layer}_{piece}"
    glued = None if _LAYERED.fullmatch(name) else _GLUED.fullmatch(name)
    return f"{glued[1]}.{glued[2]}" if glued else name


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write what `load_parameters` of a cell, a layer or a network with them reads.

    Raises:
        ArgumentError: an array has no elements or no dimensions, which MXNet takes for unknown.
        DtypeError: it has no such element type.
    """
    del form, metadata
    for name, array in tensors.items():
        if not array.size or not array.ndim:
            raise ArgumentError(
                f"`{short(name)}` has the shape {array.shape}, which MXNet takes for unknown; "
                f"leave it out (--drop)."
            )
        if dtype_name(array.dtype) not in _KINDS.values():
            raise DtypeError(
                f"`{short(name)}` holds {dtype_name(array.dtype)}, which MXNet does not have."
            )
    numbers = {kind: number for number, kind in _KINDS.items()}
    file.write(START + bytes(8) + struct.pack("<Q", len(tensors)))
    for array in tensors.values():
        file.write(struct.pack("<Iii", _STORED, 0, array.ndim))
        file.write(struct.pack(f"<{array.ndim}q", *array.shape))
        file.write(struct.pack("<iii", 1, 0, numbers[dtype_name(array.dtype)]))
        file.write(raw(array))
    both_ways = {m[1] for name in tensors if (m := _LAYERED.fullmatch(name)) and m[2] == "r"}
    file.write(struct.pack("<Q", len(tensors)))
    for name in tensors:
        encoded = _unfused(name, both_ways).encode()
        file.write(struct.pack("<Q", len(encoded)) + encoded)


def _unfused(name: str, both_ways: set[str]) -> str:
    """Return what a network calls an array of a layer in it."""
    layered = _LAYERED.fullmatch(name)
    if not layered:
        return name
    start, way, layer, piece = layered.groups()
    cell = f"{way}_cell." if start in both_ways else ""
    return f"{start}_unfused.{layer}.{cell}{piece}"
