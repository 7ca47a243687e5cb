"""Burn's .bpk: a header, descriptions of tensors in CBOR, and their bytes.

After crates/burn-pack of https://github.com/tracel-ai/burn and RFC 8949. The header is a mark, the
version and the length of the descriptions, little-endian; the bytes begin at the next multiple of
256, and each tensor says where its own lie behind that.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, TypeGuard

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS, Checkpoint, raw
from onecell.checkpoint.limits import Budget, count_bytes, read_array, read_bytes
from onecell.dtypes import dtype_name
from onecell.errors import CheckpointError, DtypeError
from onecell.text import short

START: Final = b"NRUB"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<4sHI")
_ALIGNED: Final = 256
_DEEPEST: Final = 32
_ENTRY: Final = 300
KINDS: Final[Mapping[str, str]] = {
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "BF16": "bfloat16",
    "Bool": "bool",
}
"""Burn's name of a type → plain name."""


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read what Burn's `BurnpackStore` or `save_file` wrote.

    Raises:
        CheckpointError: it is damaged, of another version, or holds a name twice.
    """
    found = Checkpoint({}, "burnpack", "burn", {})
    file.seek(0)
    _, version, size = _HEADER.unpack(read_bytes(file, _HEADER.size, "the header"))
    if version != _VERSION:
        raise CheckpointError(f"it is of version {version}; only {_VERSION} is known here.")
    if _HEADER.size + size > budget.file_size:
        raise CheckpointError(f"it is cut off: its descriptions have {size} bytes.")
    budget.take(size, "the descriptions")
    content = read_bytes(file, size, "the descriptions")
    reader = _Cbor(memoryview(content), budget)
    said = reader.value()
    if reader.place != size or not isinstance(said, dict):
        raise CheckpointError("its descriptions are not one map.")
    start = -(-(_HEADER.size + size) // _ALIGNED) * _ALIGNED
    tensors = said.get("tensors")
    if not isinstance(tensors, dict):
        raise CheckpointError("it describes no tensors.")
    for name, each in tensors.items():
        if isinstance(array := _tensor(file, name, each, start, budget), str):
            found.left_out[name] = array
        else:
            found.tensors[name] = array
    for group in ("metadata", "scalars"):
        for name, value in (said.get(group) or {}).items():
            if isinstance(value, dict) and len(value) == 1:  # a number under its type
                (value,) = value.values()  # noqa: PLW2901
            if name not in found.tensors and isinstance(value, str | int | float):
                found.metadata[name] = str(value)
    return found


def _tensor(
    file: BinaryIO, name: str, said: object, start: int, budget: Budget
) -> np.ndarray | str:
    """Return a tensor by its description, or what it is that is none."""
    if not isinstance(said, dict):
        raise CheckpointError(f"`{short(name)}` is not described.")
    kind, shape, place = said.get("dtype"), said.get("shape"), said.get("data_offsets")
    if not isinstance(kind, str) or kind not in KINDS:
        return f"a tensor of type {short(kind, 40)}"
    if not _sizes(shape) or not _sizes(place) or len(place) != 2 or len(shape) > MOST_DIMENSIONS:
        raise CheckpointError(f"`{short(name)}` is not described by sizes and a place.")
    dtype = DTYPES[KINDS[kind]]
    nbytes = count_bytes(name, shape, dtype.itemsize)
    begin, end = place
    if end - begin != nbytes or start + end > budget.file_size:
        raise CheckpointError(
            f"`{short(name)}` of shape {tuple(shape)} is {nbytes} bytes, and lies at {begin} to "
            f"{end} of {max(0, budget.file_size - start)}."
        )
    budget.take(nbytes, "the tensor", name)
    file.seek(start + begin)
    return read_array(file, tuple(shape), dtype, name)


def _sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)


class _Cbor:
    """One walk over CBOR, as much of it as Burn writes: sizes are known before what they count."""

    def __init__(self, content: memoryview, budget: Budget) -> None:
        self._content, self.place, self._budget = content, 0, budget

    def _take(self, count: int) -> memoryview:
        if self.place + count > len(self._content):
            raise CheckpointError(f"its descriptions are cut off at byte {self.place}.")
        self.place += count
        return self._content[self.place - count : self.place]

    def value(self, depth: int = 0) -> Any:  # noqa: ANN401 - the file decides
        """Return the next value: a map, list, text, number, truth or None."""
        if depth > _DEEPEST:
            raise CheckpointError(f"its descriptions are nested deeper than {_DEEPEST}.")
        self._budget.take(_ENTRY, "a description")
        (head,) = self._take(1)
        major, small = head >> 5, head & 31
        if major == 7:
            return self._simple(small)
        count = small
        if 24 <= small < 28:
            count = int.from_bytes(self._take(1 << (small - 24)), "big")
        elif small > 27:
            raise CheckpointError(f"a size at byte {self.place} is missing.")
        if major in {0, 1}:
            return count if major == 0 else -1 - count
        if major == 3:
            try:
                return self._budget.text(bytes(self._take(count)), "a text")
            except UnicodeDecodeError as error:
                raise CheckpointError(f"a text at byte {self.place} is none: {error}.") from None
        if major == 4:
            return [self.value(depth + 1) for _ in range(count)]
        if major == 5:
            return self._map(count, depth)
        raise CheckpointError(f"the byte {head:#x} begins nothing that Burn writes.")

    def _map(self, count: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(count):
            name = self.value(depth + 1)
            if not isinstance(name, str):
                raise CheckpointError(f"a name is a {type(name).__name__}, not text.")
            if name in found:
                raise CheckpointError(f"it holds `{short(name)}` twice.")
            found[name] = self.value(depth + 1)
        return found

    def _simple(self, small: int) -> Any:  # noqa: ANN401
        if small in {20, 21, 22}:
            return {20: False, 21: True, 22: None}[small]
        for known, form in ((25, ">e"), (26, ">f"), (27, ">d")):
            if small == known:
                return struct.unpack(form, self._take(struct.calcsize(form)))[0]
        raise CheckpointError(f"a value at byte {self.place} is of no kind that Burn writes.")


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write a .bpk, its tensors by name in order as Burn has them.

    Raises:
        DtypeError: Burn has no such element type.
    """
    del form
    names = {plain: kind for kind, plain in KINDS.items()}
    said = b""
    place = 0
    places: list[tuple[int, np.ndarray]] = []
    for name in sorted(tensors):
        array = tensors[name]
        if (plain := dtype_name(array.dtype)) not in names:
            raise DtypeError(f"`{short(name)}` holds {plain}, which Burn does not have.")
        place = -(-place // _ALIGNED) * _ALIGNED
        places.append((place, array))
        said += _text(name) + _head(5, 3) + _text("dtype") + _text(names[plain])
        said += _text("shape") + _list(array.shape)
        said += _text("data_offsets") + _list((place, place + array.nbytes))
        place += array.nbytes
    told = _head(5, 2 if metadata else 1) + _text("tensors") + _head(5, len(tensors)) + said
    if metadata:
        told += _text("metadata") + _head(5, len(metadata))
        told += b"".join(_text(name) + _text(metadata[name]) for name in sorted(metadata))
    file.write(_HEADER.pack(START, _VERSION, len(told)) + told)
    start = -(-(_HEADER.size + len(told)) // _ALIGNED) * _ALIGNED
    for begin, array in places:
        file.write(bytes(start + begin - file.tell()))
        file.write(raw(array))
    if not tensors:
        file.write(bytes(start - file.tell()))


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    width = next(w for w in range(4) if count < 1 << (8 << w))
    return bytes([major << 5 | 24 + width]) + count.to_bytes(1 << width, "big")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _head(3, len(encoded)) + encoded


def _list(numbers: tuple[int, ...]) -> bytes:
    return _head(4, len(numbers)) + b"".join(_head(0, number) for number in numbers)
