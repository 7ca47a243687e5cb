"""Snappy, unpacked: blocks of the index of a checkpoint may be compressed so.

After https://github.com/google/snappy/blob/main/format_description.txt: the length of the result,
then literals and copies of what has been made already.
"""

from __future__ import annotations

from typing import Final

from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError

_DAMAGED: Final = "a compressed block of its index is damaged."


def unpack(content: bytes, budget: Budget) -> bytes:
    """Return what a block holds.

    Raises:
        UnsafeCheckpointError: it says that it unfolds to more than the file may take.
        CheckpointError: it is damaged.
    """
    try:
        return _unpack(content, budget)
    except IndexError:
        raise CheckpointError(_DAMAGED) from None


def _unpack(content: bytes, budget: Budget) -> bytes:
    size, place, shift = 0, 0, 0
    while True:
        size |= (content[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if content[place - 1] < 0x80:
            break
        if shift > 28:
            raise CheckpointError(_DAMAGED)
    budget.take(2 * size, "a compressed block")
    found = bytearray()
    while place < len(content):
        tag = content[place]
        place += 1
        kind, length = tag & 3, tag >> 2
        if kind == 0:
            extra = max(0, length - 59)
            if extra:
                length = int.from_bytes(content[place : place + extra], "little")
                place += extra
            literal = content[place : place + length + 1]
            if len(literal) != length + 1:
                raise CheckpointError(_DAMAGED)
            place += length + 1
            found += literal
        else:
            width = {1: 1, 2: 2, 3: 4}[kind]
            back = int.from_bytes(content[place : place + width], "little")
            place += width
            length += 1
            if kind == 1:
                back |= tag >> 5 << 8
                length = (tag >> 2 & 7) + 4
            if not 0 < back <= len(found) or place > len(content):
                raise CheckpointError(_DAMAGED)
            start = len(found) - back
            part = bytes(found[start : start + length])
            found += (part * (length // len(part) + 1))[:length]
        if len(found) > size:
            raise CheckpointError(_DAMAGED)
    if len(found) != size:
        raise CheckpointError(_DAMAGED)
    return bytes(found)
