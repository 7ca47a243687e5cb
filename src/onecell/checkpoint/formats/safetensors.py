"""safetensors, torch's and MindSpore's: a JSON header and raw bytes.

After https://github.com/huggingface/safetensors#format: 8 bytes with the length of the header, the
header, then the tensors without hole or overlap. Read stricter than the format's own library,
which lets the last of two equal names win. A checksum as MindSpore writes it with `crc_check` is
compared and not kept.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, FRAMEWORK, Checkpoint, raw
from onecell.checkpoint.formats.safetensors_header import Entry, parse_header
from onecell.checkpoint.limits import CHUNK, Budget, count_bytes, read_array, read_bytes
from onecell.dialect import DIALECTS
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError, CheckpointError, DtypeError
from onecell.text import short

_LARGEST_HEADER: Final = 100_000_000  # as the format's library has it
_ALIGNMENT: Final = 64  # the format asks for 8; a cell that is mapped wants whole lines of a cache
_SPELLED: Final = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "complex64": "C64",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
_PLAIN: Final = {spelled: plain for plain, spelled in _SPELLED.items()}
_METADATA: Final = "__metadata__"
_FORMATS: Final = {n: row.metadata_format for n, row in DIALECTS.items() if row.metadata_format}
_CHECKSUM: Final = "crc_num"
RESERVED: Final = frozenset({"format", FRAMEWORK, _CHECKSUM})
"""Names that metadata of the user cannot have: they say who wrote the file, and its checksum."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a header says of the file, checked against its size; entries in the header's order."""

    entries: dict[str, Entry]
    metadata: dict[str, str]
    start: int
    """Where the tensors begin, from which entries count."""
    order: list[str]
    """The names in the order of the bytes."""

    def dtype(self, name: str) -> np.dtype:
        """Return the type of a tensor."""
        return DTYPES[_PLAIN[self.entries[name].dtype]]


def read_header(file: BinaryIO, budget: Budget) -> Contents:
    """Read what a safetensors file holds, and where.

    Raises:
        CheckpointError: it is damaged, a name is there twice, or a type has no NumPy array.
    """
    length = int.from_bytes(read_bytes(file, 8, "the length of the header"), "little")
    if length > _LARGEST_HEADER:
        raise CheckpointError(
            f"its header claims {length} bytes; at most {_LARGEST_HEADER} are allowed."
        )
    body = budget.file_size - 8 - length
    if body < 0:
        raise CheckpointError(f"its header claims {length} bytes and the file ends before.")
    budget.take(length, "the header")
    entries, metadata = parse_header(read_bytes(file, length, "the header"), budget)
    budget.give(length)
    order = _in_file_order(entries, body)
    for name in order:
        _check_entry(name, entries[name])
    return Contents(entries, metadata, 8 + length, order)


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read the tensors of a safetensors file, in the order of its header.

    Raises:
        CheckpointError: as `read_header`.
    """
    contents = read_header(file, budget)
    budget.take(budget.file_size - contents.start, "the tensors")
    metadata = contents.metadata
    tensors: dict[str, np.ndarray] = dict.fromkeys(contents.entries, np.empty(0))
    for name in contents.order:
        dtype = contents.dtype(name)
        tensors[name] = read_array(file, contents.entries.pop(name).shape, dtype, name)
    if _CHECKSUM in metadata:
        _compare_checksum(tensors, metadata.pop(_CHECKSUM))
    dialects = {spelled: dialect for dialect, spelled in _FORMATS.items()}
    # What this file is, not what it holds: said again when it is written again.
    marked = metadata.pop(FRAMEWORK, "")
    dialect = dialects.get(metadata.pop("format", ""), marked if marked in DIALECTS else None)
    return Checkpoint(tensors, "safetensors", dialect, metadata)


def _in_file_order(entries: Mapping[str, Entry], body: int) -> list[str]:
    """Return the names by place; together they must be the whole body, without overlap."""
    order = sorted(entries, key=lambda name: (entries[name].start, entries[name].end))
    position = 0
    for name in order:
        entry = entries[name]
        if entry.start != position or entry.end < entry.start:
            kind = "overlaps the one before" if entry.start < position else "leaves a hole"
            raise CheckpointError(f"`{short(name)}` at bytes {entry.start} to {entry.end} {kind}.")
        position = entry.end
    if position != body:
        raise CheckpointError(f"its tensors are {position} bytes, and {body} are there.")
    return order


def _check_entry(name: str, entry: Entry) -> None:
    """Raise unless a tensor's type is known, and its shape and place in the file agree."""
    if entry.dtype not in _PLAIN:
        raise CheckpointError(
            f"`{short(name)}` holds {short(entry.dtype, 20)}, which NumPy does not have."
        )
    nbytes = count_bytes(name, entry.shape, DTYPES[_PLAIN[entry.dtype]].itemsize)
    if nbytes != entry.end - entry.start:
        raise CheckpointError(
            f"`{short(name)}` of shape {entry.shape} and type {entry.dtype} is {nbytes} bytes, "
            f"and its place in the file has {entry.end - entry.start}."
        )


def _compare_checksum(tensors: Mapping[str, np.ndarray], text: str) -> None:
    """Compare the checksum over names and tensors, by name, that MindSpore may write."""
    checksum = 0
    for name in sorted(tensors):
        checksum = zlib.crc32(raw(tensors[name]), zlib.crc32(name.encode(), checksum))
    if text != str(checksum):
        raise CheckpointError(f"it is damaged: its checksum is {checksum}, not {short(text, 20)}.")


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    dialect: str | None,
) -> None:
    """Write a safetensors file, the largest element types first, else in the order given.

    So every tensor is aligned, as the format's own library has it, the first to 64 bytes; and the
    header has the order of the bytes, without which MindSpore does not read it.
    """
    if dialect in _FORMATS:
        metadata = dict(metadata) | {"format": _FORMATS[dialect]}
    elif dialect is not None:
        metadata = dict(metadata) | {FRAMEWORK: dialect}
    header: dict[str, object] = {_METADATA: metadata} if metadata else {}
    order = sorted(tensors, key=lambda name: -tensors[name].dtype.itemsize)
    position = 0
    for name in order:
        array = tensors[name]
        if name == _METADATA:
            raise ArgumentError(f"no tensor can be called `{_METADATA}` in a safetensors file.")
        if (kind := dtype_name(array.dtype)) not in _SPELLED:
            raise DtypeError(f"`{short(name)}` holds {kind}, which safetensors does not have.")
        place = [position, position := position + array.nbytes]
        header[name] = {"dtype": _SPELLED[kind], "shape": array.shape, "data_offsets": place}
    encoded = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    encoded += b" " * (-(8 + len(encoded)) % _ALIGNMENT)
    if len(encoded) > _LARGEST_HEADER:
        raise ArgumentError(
            f"the names and `metadata` take {len(encoded)} bytes, and the header of a safetensors "
            f"file may have {_LARGEST_HEADER}; leave the largest out."
        )
    file.write(len(encoded).to_bytes(8, "little") + encoded)
    for name in order:
        content = raw(tensors[name])
        for start in range(0, len(content), CHUNK):
            file.write(content[start : start + CHUNK])
