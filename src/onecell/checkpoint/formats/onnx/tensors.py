"""Tensors of an ONNX file: in it, or in a file beside it.

After onnx.proto of https://github.com/onnx/onnx. Its numbers are those of the fields there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS
from onecell.checkpoint.formats.protobuf import BYTES, VARINT, Field, read_fields, read_text
from onecell.checkpoint.limits import Budget, count_bytes, read_array, read_bytes
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

KINDS: Final[Mapping[int, str]] = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
}
"""`TensorProto.DataType` → plain name."""

_RAW, _EXTERNAL, _LOCATION = 9, 13, 14
_PACKED: Final[Mapping[int, str]] = {4: "<f4", 10: "<f8"}
"""Field of packed numbers of a fixed size → their type in the file."""
_VARINTS: Final[Mapping[int, frozenset[str]]] = {
    5: frozenset({"int8", "int16", "int32", "uint8", "uint16", "bool", "float16", "bfloat16"}),
    7: frozenset({"int64"}),
    11: frozenset({"uint32", "uint64"}),
}
"""Field of packed integers, as varints → whose they are; a 16-bit float is that of its bits."""
_ENTRY: Final = 600
_ELEMENT: Final = 40


@dataclass(slots=True)
class TensorPlace:
    """Where a tensor is, before it is read."""

    name: str
    dims: tuple[int, ...]
    kind: int
    parts: dict[int, Field]
    external: dict[str, str] = field(default_factory=dict)
    whole: Field | None = None
    """The message that it is."""


def read_place(file: BinaryIO, place: Field, budget: Budget) -> TensorPlace:
    """Read a TensorProto without its content.

    Raises:
        CheckpointError: it is damaged, or its content is there in a way that no writer has.
    """
    budget.take(_ENTRY, "a tensor")
    dims: list[int] = []
    found = TensorPlace("", (), 0, {}, whole=place)
    for part in read_fields(file, place.start, place.end, "a tensor"):
        if part.number == 1 and part.wire == VARINT:
            dims.append(part.value)
        elif part.number == 1 and part.wire == BYTES:
            dims += varints(file, part, budget, MOST_DIMENSIONS)
        elif part.number == 2 and part.wire == VARINT:
            found.kind = part.value
        elif part.number == 8 and part.wire == BYTES:
            found.name = read_text(file, part)
        elif part.number == _EXTERNAL and part.wire == BYTES:
            _read_entry(file, part, found.external, budget)
        elif part.number == _LOCATION or part.wire == BYTES:
            if part.number in found.parts:
                raise CheckpointError(f"the tensor `{short(found.name)}` has two contents.")
            if part.number in {_RAW, _LOCATION, *_PACKED, *_VARINTS, 6}:
                found.parts[part.number] = part
        elif part.number in {*_PACKED, *_VARINTS}:
            raise CheckpointError("a tensor has its numbers apart; save it again with `onnx.save`.")
        if len(dims) > MOST_DIMENSIONS:
            raise CheckpointError(f"a tensor has more than {MOST_DIMENSIONS} dimensions.")
    found.dims = tuple(dims)
    return found


@dataclass(slots=True)
class Beside:
    """The folder of a model, and the files in it that have been read."""

    folder: Path
    counted: set[Path] = field(default_factory=set)


def read_tensor(file: BinaryIO, place: TensorPlace, beside: Beside, budget: Budget) -> np.ndarray:
    """Return the tensor at a place; see `is_readable`.

    Raises:
        UnsafeCheckpointError: its content is outside the folder of the model, or more than the
            files may ask for.
        CheckpointError: it is damaged.
    """
    dtype = DTYPES[KINDS[place.kind]]
    nbytes = count_bytes(place.name, place.dims, dtype.itemsize)
    location = place.parts.get(_LOCATION)
    if location is not None and location.value == 1:
        return _read_external(place, dtype, nbytes, beside, budget)
    budget.take(nbytes, "the tensor", place.name)
    contents = [number for number in place.parts if number != _LOCATION]
    if len(contents) > 1:
        raise CheckpointError(f"the tensor `{short(place.name)}` has two contents.")
    if not contents:
        _check_size(place, nbytes, 0)
        return np.empty(place.dims, dtype)
    (number,) = contents
    part = place.parts[number]
    if number == _RAW or (number in _PACKED and np.dtype(_PACKED[number]) == dtype):
        _check_size(place, nbytes, part.size)
        file.seek(part.start)
        return read_array(file, place.dims, dtype, place.name)
    if KINDS[place.kind] in _VARINTS.get(number, ()):
        return _from_varints(file, place, part, dtype, budget)
    raise CheckpointError(f"the tensor `{short(place.name)}` has numbers of another type than its.")


def is_readable(place: TensorPlace) -> bool:
    """Whether it has elements that NumPy has."""
    return place.kind in KINDS


def _check_size(place: TensorPlace, want: int, there: int) -> None:
    if want != there:
        raise CheckpointError(
            f"the tensor `{short(place.name)}` of shape {place.dims} is {want} bytes, and {there} "
            f"are there."
        )


def _from_varints(
    file: BinaryIO, place: TensorPlace, part: Field, dtype: np.dtype, budget: Budget
) -> np.ndarray:
    count = count_bytes(place.name, place.dims, 1)
    if part.size < count:
        raise CheckpointError(f"the tensor `{short(place.name)}` is cut off.")
    budget.take(_ELEMENT * count, "the tensor", place.name)
    numbers = varints(file, part, budget, count)
    if len(numbers) != count:
        raise CheckpointError(f"the tensor `{short(place.name)}` has {len(numbers)} of {count}.")
    width = dtype.itemsize
    mask = (1 << 8 * width) - 1
    bits = b"".join((number & mask).to_bytes(width, "little") for number in numbers)
    budget.give(_ELEMENT * count)
    return np.frombuffer(bytearray(bits), dtype).reshape(place.dims)


def varints(file: BinaryIO, part: Field, budget: Budget, most: int) -> list[int]:
    """Return packed integers, or raise if there are more than `most`."""
    budget.take(part.size, "the numbers")
    file.seek(part.start)
    found, value, shift = [], 0, 0
    for byte in read_bytes(file, part.size, "the numbers"):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            found.append(value)
            value, shift = 0, 0
        if shift > 63 or len(found) > most:
            raise CheckpointError("a tensor has more numbers than its shape, or a damaged one.")
    budget.give(part.size)
    return found


def _read_entry(file: BinaryIO, place: Field, found: dict[str, str], budget: Budget) -> None:
    """Read one key and value of where external data is."""
    texts = {1: "", 2: ""}
    for part in read_fields(file, place.start, place.end, "an entry"):
        if part.wire == BYTES and part.number in texts:
            texts[part.number] = read_text(file, part)
    budget.take(_ENTRY, "an entry")
    if texts[1] in found:
        raise CheckpointError(f"where a tensor is says `{short(texts[1])}` twice.")
    found[texts[1]] = texts[2]


def _read_external(
    place: TensorPlace, dtype: np.dtype, nbytes: int, beside: Beside, budget: Budget
) -> np.ndarray:
    """Read a tensor out of a file below `folder`."""
    offset, length = (
        _whole(place, place.external.get(key, default))
        for key, default in (("offset", "0"), ("length", str(nbytes)))
    )
    _check_size(place, nbytes, length)
    path = inside(beside.folder, place.external.get("location", ""), place.name)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb") as data:  # noqa: PTH123 - a descriptor
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or offset + length > state.st_size:
            raise CheckpointError(
                f"`{short(place.name)}` is to lie at bytes {offset} to {offset + length} of "
                f"{short(path.name)}, which has {state.st_size}."
            )
        if path not in beside.counted:
            beside.counted.add(path)
            budget.add_file(state.st_size)
        budget.take(nbytes, "the tensor", place.name)
        data.seek(offset)
        return read_array(data, place.dims, dtype, place.name)


def _whole(place: TensorPlace, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise CheckpointError(
            f"where `{short(place.name)}` is says {short(text, 20)!r}, no number."
        )
    return int(text)


def inside(folder: Path, location: str, name: str) -> Path:
    """Return the file at a place that a model names, or raise unless it lies in `folder`.

    A link that leads out of it, an absolute path and `..` are refused before anything is opened.
    """
    said = f"`{short(name)}` is to lie in {short(repr(location))}"
    parts = location.replace("\\", "/").split("/")
    if not location or "\0" in location or ".." in parts or not parts[0] or ":" in parts[0]:
        raise UnsafeCheckpointError(f"{said}, which is no path below the folder of the model.")
    root = folder.resolve()
    try:
        path = (root / location).resolve()
        there = path.is_file()
    except (OSError, RuntimeError):  # a name too long; before Python 3.13, links in a circle
        raise CheckpointError(f"{said}, and no such file is there.") from None
    if not path.is_relative_to(root):
        raise UnsafeCheckpointError(f"{said}, which leads out of the folder of the model.")
    if not there:
        raise CheckpointError(f"{said}, and no such file is there.")
    return path
