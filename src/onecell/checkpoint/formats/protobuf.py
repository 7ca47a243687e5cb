"""The wire format of protobuf, as much of it as checkpoints use.

After https://protobuf.dev/programming-guides/encoding: a message is a run of fields; a field is a
number and a wire type in one varint, then a varint (type 0), eight bytes (type 1), a length and
bytes (type 2) or four bytes (type 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from onecell.errors import CheckpointError

VARINT: Final = 0
BYTES: Final = 2
_FIXED: Final = {1: 8, 5: 4}
"""Wire type → the number of bytes."""
LONGEST_TEXT: Final = 4096


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its value if it is a varint, else where its bytes lie in the file."""

    number: int
    wire: int
    value: int
    start: int
    end: int

    @property
    def size(self) -> int:
        """The number of its bytes."""
        return self.end - self.start


def read_fields(file: BinaryIO, start: int, end: int, what: str) -> Iterator[Field]:
    """Yield the fields of the message between two places of the file, bytes unread.

    Raises:
        CheckpointError: a field of another wire type, or one that does not end inside.
    """
    position = start
    while position < end:
        file.seek(position)
        key, position = _read_varint(file, position, end, what)
        number, wire = key >> 3, key & 7
        if wire in _FIXED and position + _FIXED[wire] <= end:
            yield Field(number, wire, 0, position, position + _FIXED[wire])
            position += _FIXED[wire]
            continue
        value, position = _read_varint(file, position, end, what)
        if wire == VARINT:
            yield Field(number, wire, value, position, position)
        elif wire == BYTES and position + value <= end:
            yield Field(number, wire, 0, position, position + value)
            position += value
        else:
            raise CheckpointError(f"{what} is damaged or cut off at byte {position}.")


def _read_varint(file: BinaryIO, position: int, end: int, what: str) -> tuple[int, int]:
    """Return an integer of at most 64 bits and the place behind it."""
    value = 0
    for index, byte in enumerate(file.read(min(10, end - position))):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            file.seek(position + index + 1)
            return value, position + index + 1
    raise CheckpointError(f"{what} is damaged or cut off at byte {position}.")


def read_text(file: BinaryIO, field: Field) -> str:
    """Return the text in a field."""
    if field.size > LONGEST_TEXT:
        raise CheckpointError(
            f"a name at byte {field.start} has {field.size} bytes, more than {LONGEST_TEXT}."
        )
    file.seek(field.start)
    try:
        return file.read(field.size).decode()
    except UnicodeDecodeError as error:
        raise CheckpointError(f"a name at byte {field.start} is not text: {error}.") from None


def encode_varint(value: int) -> bytes:
    """Return a non-negative integer as it is on the wire."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_varint_field(number: int, value: int) -> bytes:
    """Return a whole field that is an integer."""
    return encode_varint(number << 3 | VARINT) + encode_varint(value)


def encode_bytes_head(number: int, size: int) -> bytes:
    """Return the head of a field of `size` bytes, which are to follow."""
    return encode_varint(number << 3 | BYTES) + encode_varint(size)


def encode_text_field(number: int, text: str) -> bytes:
    """Return a whole field that is text."""
    encoded = text.encode()
    return encode_bytes_head(number, len(encoded)) + encoded
