"""A tensor bundle: what the index says of each tensor, and the tensors in the files beside.

After tensor_bundle.proto of https://github.com/tensorflow/tensorflow. A tensor that was cut up is
said to have slices, and each of these has an entry of its own under an encoded key.
"""

from __future__ import annotations

import io
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS
from onecell.checkpoint.formats.onnx.tensors import inside
from onecell.checkpoint.formats.protobuf import BYTES, VARINT, Field, read_fields
from onecell.checkpoint.formats.tensorflow.checksum import masked_crc
from onecell.checkpoint.formats.tensorflow.sorted_table import read_table
from onecell.checkpoint.limits import Budget, count_bytes, read_array, read_bytes
from onecell.errors import CheckpointError
from onecell.text import short

INDEX: Final = ".index"
KINDS: Final[Mapping[int, str]] = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    8: "complex64",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
"""`DataType` → plain name."""
TEXT: Final = 7
_OTHERS: Final = {TEXT: "text", 20: "resource", 21: "variant", 11: "qint8", 12: "quint8"}
_MOST_SHARDS: Final = 10_000
_ENTRY: Final = 600
_WHOLE: Final = -1

Box = tuple[tuple[int, int], ...]
"""Of each axis, where a slice starts and how long it is; `_WHOLE` is all of the axis."""


@dataclass(slots=True)
class Place:
    """What an index says of a tensor, or of a slice of one."""

    kind: int = 0
    dims: tuple[int, ...] = ()
    shard: int = 0
    start: int = 0
    size: int = 0
    crc: int = 0
    slices: list[Box] = field(default_factory=list)

    @property
    def type_name(self) -> str:
        """What its elements are."""
        return KINDS.get(self.kind) or _OTHERS.get(self.kind, f"type {self.kind}")


class Bundle:
    """The index of a checkpoint, and its files of tensors, which are opened when they are read."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        """Read the index.

        Raises:
            UnsafeCheckpointError: it asks for too much memory.
            CheckpointError: it is damaged, or no index of this format.
        """
        self._path, self._budget = Path(file.name), budget
        self._opened: dict[int, tuple[BinaryIO, int]] = {}
        self._slices: dict[bytes, Place] = {}
        self.places: dict[str, Place] = {}
        self._shards = 0
        for key, value in read_table(file, budget):
            if not key:
                self._shards = _header(value)
            elif not self._shards:
                break
            elif key.startswith(b"\0"):
                self._slices[key] = _place(value, budget)
            else:
                try:
                    self.places[key.decode()] = _place(value, budget)
                except UnicodeDecodeError:
                    raise CheckpointError(f"a name is not text: {short(key)}.") from None
        if not self._shards:
            raise CheckpointError(
                "it is no index of a tensor bundle; a checkpoint of before TensorFlow 1 is none."
            )

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        for opened, _size in self._opened.values():
            opened.close()

    def read(self, name: str) -> np.ndarray:
        """Return a tensor; its type is one of `KINDS`.

        Raises:
            UnsafeCheckpointError: a file leads out of the folder, or there is too little memory.
            CheckpointError: a file is missing, damaged, or the slices are not the whole.
        """
        place = self.places[name]
        count_bytes(name, place.dims, DTYPES[KINDS[place.kind]].itemsize)
        return self._joined(name, place) if place.slices else self._read(name, place)

    def text(self, name: str) -> bytes:
        """Return a tensor that is one text: its length, four bytes of checksum, the text."""
        place = self.places[name]
        content = self._bytes(name, place)
        length, shift, at = 0, 0, 0
        for byte in content[:10]:
            length |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if byte < 0x80:
                break
        if place.dims or len(content) != at + 4 + length:
            raise CheckpointError(f"`{short(name)}` is not one text.")
        return bytes(content[at + 4 :])

    def _read(self, name: str, place: Place) -> np.ndarray:
        dtype = DTYPES[KINDS[place.kind]]
        nbytes = count_bytes(name, place.dims, dtype.itemsize)
        if nbytes != place.size:
            raise CheckpointError(
                f"the tensor `{short(name)}` of shape {place.dims} is {nbytes} bytes, and "
                f"{place.size} are there."
            )
        file = self._at(name, place)
        self._budget.take(nbytes, "the tensor", name)
        array = read_array(file, place.dims, dtype, name)
        self._check(name, array.reshape(-1).view(np.uint8).data, place)
        return array

    def _bytes(self, name: str, place: Place) -> bytearray:
        file = self._at(name, place)
        self._budget.take(2 * place.size, "a text", name)
        return read_bytes(file, place.size, "a text", name)

    def _check(self, name: str, content: memoryview, place: Place) -> None:
        if masked_crc(content) != place.crc:
            raise CheckpointError(f"the tensor `{short(name)}` has another checksum than its own.")

    def _at(self, name: str, place: Place) -> BinaryIO:
        """Return the file in which a tensor lies, at its first byte."""
        if not 0 <= place.shard < self._shards:
            raise CheckpointError(f"`{short(name)}` lies in file {place.shard} of {self._shards}.")
        called = f"{self._path.stem}.data-{place.shard:05d}-of-{self._shards:05d}"
        if place.shard not in self._opened:
            path = inside(self._path.parent, called, name)
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            opened = open(descriptor, "rb")  # noqa: PTH123, SIM115 - a descriptor; see __exit__
            state = os.fstat(descriptor)
            self._opened[place.shard] = (opened, state.st_size)
            if not stat.S_ISREG(state.st_mode):
                raise CheckpointError(f"`{short(called)}` is no file.")
            self._budget.add_file(state.st_size)
        file, size = self._opened[place.shard]
        if place.start + place.size > size:
            raise CheckpointError(
                f"`{short(name)}` is to lie at bytes {place.start} to {place.start + place.size} "
                f"of {short(called)}, which has {size}."
            )
        file.seek(place.start)
        return file

    def _joined(self, name: str, place: Place) -> np.ndarray:
        """Return a tensor of all its slices."""
        dtype = DTYPES[KINDS[place.kind]]
        boxes = [_inside(name, box, place.dims) for box in place.slices]
        if sum(math.prod(size for _, size in box) for box in boxes) != math.prod(place.dims):
            raise CheckpointError(f"the slices of `{short(name)}` are not its shape {place.dims}.")
        self._budget.take(math.prod(place.dims) * (dtype.itemsize + 1), "the tensor", name)
        whole, taken = np.empty(place.dims, dtype), np.zeros(place.dims, bool)
        for told, box in zip(place.slices, boxes, strict=True):
            part = self._slices.get(slice_key(name, told))
            if part is None or part.kind != place.kind:
                raise CheckpointError(f"a slice of `{short(name)}` is missing, or of another type.")
            if part.dims != tuple(size for _, size in box):
                raise CheckpointError(f"a slice of `{short(name)}` has the shape {part.dims}.")
            at = tuple(slice(start, start + size) for start, size in box)
            if taken[at].any():
                raise CheckpointError(f"the slices of `{short(name)}` overlap.")
            whole[at], taken[at] = self._read(name, part), True
            self._budget.give(part.size)
        self._budget.give(math.prod(place.dims))
        return whole


def _inside(name: str, box: Box, dims: tuple[int, ...]) -> Box:
    """Return a box with all lengths known, or raise unless it lies in the shape."""
    if len(box) != len(dims):
        raise CheckpointError(f"a slice of `{short(name)}` has {len(box)} axes.")
    whole = tuple(
        (0, size) if length == _WHOLE else (start, length)
        for (start, length), size in zip(box, dims, strict=True)
    )
    if any(start + length > size for (start, length), size in zip(whole, dims, strict=True)):
        raise CheckpointError(f"a slice of `{short(name)}` lies outside of its shape {dims}.")
    return whole


def slice_key(name: str, box: Box) -> bytes:
    """Return the key of a slice, encoded so that keys sort as what they say does."""
    escaped = name.encode().replace(b"\0", b"\0\xff")
    numbers = [number for pair in box for number in pair]
    head = _increasing(0) + escaped + b"\0\x01" + _increasing(len(box))
    return head + b"".join(map(_signed, numbers))


def _increasing(number: int) -> bytes:
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _signed(number: int) -> bytes:
    """Return a number of which as many first bits are set as it has bytes; negated below zero."""
    size = (number if number >= 0 else ~number).bit_length() // 7 + 1
    bits = (1 << size) - 1 << 7 * size
    return ((number & (1 << 8 * size) - 1) ^ bits).to_bytes(size, "big")


def _fields(content: bytes) -> tuple[BinaryIO, list[Field]]:
    file = io.BytesIO(content)
    return file, list(read_fields(file, 0, len(content), "the index"))


def _inner(content: bytes, part: Field) -> bytes:
    return content[part.start : part.end]


def _header(content: bytes) -> int:
    """Return the number of files of tensors."""
    numbers = {part.number: part.value for part in _fields(content)[1] if part.wire == VARINT}
    if numbers.get(2):
        raise CheckpointError("it was written on a machine that has the last byte first.")
    shards = numbers.get(1, 0)
    if not 0 < shards <= _MOST_SHARDS:
        raise CheckpointError(f"it is said to have {shards} files of tensors.")
    return shards


def _place(content: bytes, budget: Budget) -> Place:
    """Return what an entry says."""
    budget.take(_ENTRY, "an entry of the index")
    found = Place()
    for part in _fields(content)[1]:
        inner = _inner(content, part)
        if part.wire == BYTES and part.number == 2:
            found.dims = _dims(inner)
        elif part.wire == BYTES and part.number == 7:
            budget.take(_ENTRY, "a slice")
            found.slices.append(_box(inner))
        elif part.number == 6 and part.size == 4:
            found.crc = int.from_bytes(inner, "little")
        elif part.wire == VARINT:
            name = {1: "kind", 3: "shard", 4: "start", 5: "size"}.get(part.number)
            if name is not None:
                setattr(found, name, part.value)
    if not (found.start < 2**62 and found.size < 2**62):
        raise CheckpointError("an entry of its index has an impossible place.")
    return found


def _dims(content: bytes) -> tuple[int, ...]:
    found: list[int] = []
    for part in _fields(content)[1]:
        if part.number == 2 and part.wire == BYTES:
            sizes = [p.value for p in _fields(_inner(content, part))[1] if p.number == 1]
            found.append(sizes[-1] if sizes else 0)
        if len(found) > MOST_DIMENSIONS:
            raise CheckpointError(f"a tensor has more than {MOST_DIMENSIONS} dimensions.")
    return tuple(found)


def _box(content: bytes) -> Box:
    found: list[tuple[int, int]] = []
    for part in _fields(content)[1]:
        if part.number == 1 and part.wire == BYTES:
            told = {p.number: p.value for p in _fields(_inner(content, part))[1]}
            found.append((told.get(1, 0), told.get(2, _WHOLE)))
        if len(found) > MOST_DIMENSIONS:
            raise CheckpointError(f"a tensor has more than {MOST_DIMENSIONS} dimensions.")
    return tuple(found)
