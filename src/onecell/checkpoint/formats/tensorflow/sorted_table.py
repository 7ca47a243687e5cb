"""The sorted table that the index of a checkpoint is: LevelDB's, of names and what is said of them.

After https://github.com/google/leveldb/blob/main/doc/table_format.md. A block is a run of entries,
each with what its key has in common with the one before; the places where a key stands whole come
behind, then how the block is compressed, and its checksum. The last one says where all others lie.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from onecell.checkpoint.formats.protobuf import encode_varint
from onecell.checkpoint.formats.tensorflow.checksum import masked_crc
from onecell.checkpoint.formats.tensorflow.snappy import unpack
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.errors import CheckpointError
from onecell.text import short

MAGIC: Final = bytes.fromhex("57fb808b247547db")
"""What a table ends with."""

_FOOTER: Final = 48
_TRAILER: Final = 5
_PLAIN, _SNAPPY = 0, 1
_LONGEST_KEY: Final = 2**14
_ENTRY: Final = 200
_EACH: Final = 4096
_RESTART: Final = 16

Entry = tuple[bytes, bytes]


def read_table(file: BinaryIO, budget: Budget) -> Iterator[Entry]:
    """Yield the keys and values of a table, in order.

    Raises:
        UnsafeCheckpointError: a block unfolds to more than the file may take.
        CheckpointError: it is no table, damaged, or its keys are not in order.
    """
    size = budget.file_size
    if size < _FOOTER:
        raise CheckpointError("it is cut off, or no index of a checkpoint.")
    file.seek(size - _FOOTER)
    footer = bytes(read_bytes(file, _FOOTER, "the end of the index"))
    if not footer.endswith(MAGIC):
        raise CheckpointError("it is cut off, or no index of a checkpoint.")
    _, place = _handle(footer, 0)
    index, _ = _handle(footer, place)
    last, used = None, 0
    for _, value in _entries(_block(file, index, budget), budget):
        where, _ = _handle(value, 0)
        used += where[1]
        if used > size:
            raise CheckpointError("the blocks of its index overlap.")
        for key, entry in _entries(_block(file, where, budget), budget):
            if last is not None and key <= last:
                raise CheckpointError(f"its index has {short(key, 60)} twice, or out of order.")
            last = key
            yield key, entry


def _handle(content: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Return where a block lies, and the place behind that."""
    start, place = _varint(content, place)
    size, place = _varint(content, place)
    return (start, size), place


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(content[place : place + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, place + index + 1
    raise CheckpointError("its index is damaged.")


def _block(file: BinaryIO, where: tuple[int, int], budget: Budget) -> bytes:
    """Return the content of a block, unpacked, with its checksum checked."""
    start, size = where
    if start + size + _TRAILER > budget.file_size - _FOOTER:
        raise CheckpointError(f"a block of its index ends at byte {start + size}, past the end.")
    budget.take(2 * size, "a block of the index")
    file.seek(start)
    content = bytes(read_bytes(file, size + _TRAILER, "a block of the index"))
    kind, crc = struct.unpack("<BI", content[size:])
    if masked_crc(memoryview(content)[: size + 1]) != crc:
        raise CheckpointError("a block of its index has another checksum than its own.")
    if kind not in {_PLAIN, _SNAPPY}:
        raise CheckpointError(f"a block of its index is compressed in a way unknown, {kind}.")
    return unpack(content[:size], budget) if kind == _SNAPPY else content[:size]


def _entries(block: bytes, budget: Budget) -> Iterator[Entry]:
    """Yield the entries of a block."""
    if len(block) < 4:
        raise CheckpointError("its index is damaged.")
    end = len(block) - 4 * (int.from_bytes(block[-4:], "little") + 1)
    if end < 0:
        raise CheckpointError("its index is damaged.")
    key, place = b"", 0
    while place < end:
        shared, place = _varint(block, place)
        more, place = _varint(block, place)
        length, place = _varint(block, place)
        if shared > len(key) or shared + more > _LONGEST_KEY or place + more + length > end:
            raise CheckpointError("its index is damaged, or has names too long.")
        key = key[:shared] + block[place : place + more]
        place += more
        budget.take(_ENTRY + len(key) + length, "an entry of the index")
        yield key, block[place : place + length]
        place += length


def write_table(file: BinaryIO, entries: Iterable[Entry]) -> None:
    """Write a table of entries, which are in order."""
    place = 0
    index: list[Entry] = []
    part: list[Entry] = []

    def write_block(content: bytes) -> bytes:
        """Write a block; return where."""
        nonlocal place
        typed = content + bytes([_PLAIN])
        file.write(typed + struct.pack("<I", masked_crc(typed)))
        where = encode_varint(place) + encode_varint(len(content))
        place += len(content) + _TRAILER
        return where

    for entry in entries:
        part.append(entry)
        if sum(len(key) + len(value) for key, value in part) >= _EACH:
            index.append((part[-1][0], write_block(_encode(part))))
            part = []
    if part:
        index.append((part[-1][0], write_block(_encode(part))))
    footer = write_block(_encode([])) + write_block(_encode(index))
    file.write(footer.ljust(_FOOTER - len(MAGIC), b"\0") + MAGIC)


def _encode(entries: Iterable[Entry]) -> bytes:
    content, restarts, last = bytearray(), [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % _RESTART == 0:
            restarts.append(len(content))
        else:
            most = min(len(key), len(last))
            shared = next((n for n in range(most) if key[n] != last[n]), most)
        content += encode_varint(shared) + encode_varint(len(key) - shared)
        content += encode_varint(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return bytes(content) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
