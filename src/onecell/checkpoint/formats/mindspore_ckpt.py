"""MindSpore's .ckpt: one protobuf message, read and written without protobuf.

    Checkpoint  { repeated Value value = 1; }
    Value       { string tag = 1; TensorProto tensor = 2; MapTensorProto maptensor = 3; }
    TensorProto { repeated int64 dims = 1; string tensor_type = 2; bytes tensor_content = 3; }

after mindspore/train/checkpoint.proto and serialization.py of 2.10. A tensor over 512 MiB is
several values in a row under one tag, each with the dims of the whole. No dims, in older files
dims [0], is a scalar. The type "str" is text (`append_dict`), kept as metadata. A
tail of 17 bytes, `crc_num` and a big-endian number, is the CRC-32 of all before it; it is always
compared.
"""

from __future__ import annotations

import itertools
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS, Checkpoint, raw
from onecell.checkpoint.formats.protobuf import (
    BYTES,
    VARINT,
    Field,
    encode_bytes_head,
    encode_text_field,
    encode_varint_field,
    read_fields,
    read_text,
)
from onecell.checkpoint.limits import CHUNK, Budget, count_bytes, fill
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError, CheckpointError, DtypeError
from onecell.text import short

ENCRYPTED: Final = {0xD8: "AES-GCM", 0xD9: "AES-CBC", 0xDA: "SM4-CBC"}
"""First byte of an encrypted file → the mode of `enc_mode`; `ENCRYPTED_REST` follows."""
ENCRYPTED_REST: Final = b"\x5e\x3a\x7f"

_SPELLED: Final = {
    "float64": "Float64",
    "float32": "Float32",
    "float16": "Float16",
    "bfloat16": "BFloat16",
    "complex128": "Complex128",
    "complex64": "Complex64",
    **{f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UInt{bits}" for bits in (8, 16, 32, 64)},
    "bool": "Bool",
}
_PLAIN: Final = {spelled: plain for plain, spelled in _SPELLED.items()}
_TEXT: Final = "str"
_TAIL: Final = b"crc_num"
_TAIL_LENGTH: Final = len(_TAIL) + 10
_SLICE: Final = 512 * 2**20
_VALUE: Final = 640  # a value whose content is still in the file
_ENTRY: Final = 256  # an array, its name and its place


@dataclass(frozen=True, slots=True)
class _Value:
    """One value of the file; its content is still there."""

    tag: str
    dims: tuple[int, ...]
    kind: str
    content: Field


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read the tensors of a .ckpt file, in file order.

    Raises:
        CheckpointError: it is damaged, a tag is there twice, or dims and content do not agree.
    """
    end = _check_tail(file, budget.file_size)
    found = Checkpoint({}, "ckpt", "mindspore", {})
    values = _read_values(file, end, budget)
    for tag, group in itertools.groupby(values, key=lambda value: value.tag):
        slices = list(group)
        if tag in found.tensors or tag in found.metadata:
            raise CheckpointError(f"it holds `{short(tag)}` twice.")
        if len({(part.dims, part.kind) for part in slices}) > 1:
            raise CheckpointError(f"the slices of `{short(tag)}` differ in shape or type.")
        budget.take(_ENTRY + sys.getsizeof(tag), "the value", tag)
        if slices[0].kind == _TEXT:
            found.metadata[tag] = _join_text(file, tag, slices, budget)
        else:
            found.tensors[tag] = _join(file, tag, slices, budget)
        budget.give(_VALUE * len(slices))
    return found


def _read_values(file: BinaryIO, end: int, budget: Budget) -> Iterator[_Value]:
    for field in read_fields(file, 0, end, "the file"):
        budget.take(_VALUE, "the list of values")
        yield _read_value(file, field)


def _check_tail(file: BinaryIO, size: int) -> int:
    """Return where the message ends; compare the checksum behind it, if there is one."""
    end = size - _TAIL_LENGTH
    if end < 0:
        return size
    file.seek(end)
    tail = file.read(_TAIL_LENGTH)
    if not tail.startswith(_TAIL):
        return size
    file.seek(0)
    checksum, left = 0, end
    while left and (chunk := file.read(min(left, CHUNK))):
        checksum, left = zlib.crc32(chunk, checksum), left - len(chunk)
    if (stored := int.from_bytes(tail[len(_TAIL) :], "big")) != checksum:
        raise CheckpointError(f"it is damaged: its checksum is {checksum}, not {stored}.")
    return end


def _read_value(file: BinaryIO, field: Field) -> _Value:
    """Read a `Value` without its content."""
    if (field.number, field.wire) != (1, BYTES):
        raise CheckpointError(f"it has a field {field.number} where MindSpore writes only values.")
    parts: dict[int, Field] = {}
    for part in read_fields(file, field.start, field.end, "a value"):
        if part.number in parts or part.wire != BYTES:
            raise CheckpointError(f"a value at byte {field.start} is damaged.")
        parts[part.number] = part
    if 1 not in parts:
        raise CheckpointError(f"a value at byte {field.start} has no tag.")
    tag = read_text(file, parts[1])
    if 3 in parts:
        raise CheckpointError(f"`{short(tag)}` is a MapParameter, which has no array.")
    if parts.keys() != {1, 2}:
        raise CheckpointError(f"`{short(tag)}` has no tensor.")
    return _read_tensor(file, tag, parts[2])


def _read_tensor(file: BinaryIO, tag: str, field: Field) -> _Value:
    """Read a `TensorProto` without its content."""
    dims: list[int] = []
    parts: dict[int, Field] = {}
    for part in read_fields(file, field.start, field.end, f"`{short(tag)}`"):
        if part.number == 1 and part.wire == VARINT:
            dims.append(part.value)
        elif part.number in {2, 3} and part.wire == BYTES and part.number not in parts:
            parts[part.number] = part
        else:
            raise CheckpointError(f"`{short(tag)}` is damaged: field {part.number} of its tensor.")
        if len(dims) > MOST_DIMENSIONS:
            raise CheckpointError(f"`{short(tag)}` has more than {MOST_DIMENSIONS} dimensions.")
    if parts.keys() != {2, 3}:
        raise CheckpointError(f"`{short(tag)}` has no type or no content.")
    return _Value(tag, tuple(dims), read_text(file, parts[2]), parts[3])


def _join(file: BinaryIO, tag: str, slices: list[_Value], budget: Budget) -> np.ndarray:
    """Read the slices of one tensor into one array."""
    kind, dims = slices[0].kind, slices[0].dims
    if kind not in _PLAIN:
        raise CheckpointError(f"`{short(tag)}` holds {short(kind, 20)}, which NumPy does not have.")
    dtype = DTYPES[_PLAIN[kind]]
    there = sum(part.content.size for part in slices)
    shape = () if dims == (0,) and there else dims
    if (want := count_bytes(tag, shape, dtype.itemsize)) != there:
        raise CheckpointError(
            f"`{short(tag)}` of shape {shape} and type {kind} is {want} bytes, and {there} are "
            f"there."
        )
    budget.take(there, "the tensor", tag)
    array = np.empty(shape, dtype)
    if there:
        _read_content(file, tag, slices, array.reshape(-1).view(np.uint8))
    return array


def _join_text(file: BinaryIO, tag: str, slices: list[_Value], budget: Budget) -> str:
    """Read text: four bytes a character, as NumPy keeps it."""
    there = sum(part.content.size for part in slices)
    budget.take(3 * there, "the text", tag)
    content = np.empty(there, np.uint8)
    _read_content(file, tag, slices, content)
    try:
        text = content.tobytes().decode("utf-32-le").rstrip("\0")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"the text `{short(tag)}` is damaged: {error}.") from None
    budget.give(2 * there)
    return text


def _read_content(file: BinaryIO, tag: str, slices: list[_Value], content: np.ndarray) -> None:
    """Read all slices into uint8; their sizes lie inside the file, as `read_fields` checked."""
    done = 0
    for part in slices:
        file.seek(part.content.start)
        if part.content.size:
            fill(file, content[done : done + part.content.size], tag)
        done += part.content.size


def write(file: BinaryIO, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write a .ckpt file as `mindspore.save_checkpoint` does.

    Raises:
        DtypeError: MindSpore cannot load elements of that type.
        ArgumentError: an empty tensor of one dimension, which MindSpore would take
            for a scalar; an end that no reader would accept. Nothing is written then.
    """
    for name, array in tensors.items():
        kind = dtype_name(array.dtype)
        if kind not in _SPELLED or array.dtype.kind == "c":
            raise DtypeError(
                f"`{short(name)}` holds {kind}, which MindSpore cannot load from .ckpt."
            )
        if array.shape == (0,):
            raise ArgumentError(
                f"`{short(name)}` has shape (0,), which MindSpore reads as a scalar from .ckpt; "
                f"write .safetensors instead, or leave it out."
            )
    if tensors and not metadata:
        name = next(reversed(list(tensors)))
        if bytes(raw(tensors[name])[-_TAIL_LENGTH:]).startswith(_TAIL):
            raise ArgumentError(
                f"`{short(name)}`, the last tensor, ends in bytes that MindSpore takes for a "
                f"checksum; write another tensor last."
            )
    for name, array in tensors.items():
        content = raw(array)
        for start in range(0, max(len(content), 1), _SLICE):
            part = content[start : start + _SLICE]
            _write_value(file, name, array.shape, _SPELLED[dtype_name(array.dtype)], part)
    for name, text in metadata.items():
        # MindSpore cannot load text of no bytes; NumPy, which it reads text with, drops the NUL.
        encoded = (text or "\0").encode("utf-32-le")
        _write_value(file, name, (0,), _TEXT, memoryview(encoded))


def _write_value(
    file: BinaryIO, tag: str, dims: Iterable[int], kind: str, content: memoryview
) -> None:
    """Write one value: its head, then the content as it lies in memory."""
    inner = b"".join(encode_varint_field(1, size) for size in dims)
    inner += encode_text_field(2, kind) + encode_bytes_head(3, len(content))
    label = encode_text_field(1, tag) + encode_bytes_head(2, len(inner) + len(content))
    file.write(encode_bytes_head(1, len(label) + len(inner) + len(content)) + label + inner)
    for start in range(0, len(content), CHUNK):
        file.write(content[start : start + CHUNK])
