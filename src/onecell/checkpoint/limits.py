"""What a file may cost to read: no more than a small multiple of its own size.

A file of a few kilobytes can claim a hundred gigabytes: by compression, by a stride of 0, by
naming one storage a thousand times, by objects that weigh fifty times what their bytes do. Every
reader therefore takes the memory that the file asks for out of one `Budget` before it allocates
any of it: for arrays their bytes, for Python's objects what CPython gives them.

The multiple is that of honest files: an integer of a pickle is 5 bytes in the file and 41 in a
list, a short word 11 and 82, an entry of a vocabulary 20 and 190. Time is bounded by the same
budget, since nothing is done that does not take from it, and for the instructions of a pickle by
a number of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import MOST_DIMENSIONS
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

RATIO: Final = 16
"""Reading a file may take this many times its own size ..."""

FLOOR: Final = 64 * 2**20
"""... and reading any file, however small, this many bytes."""

SLOT: Final = 9
"""Bytes of a place in a list, which grows by an eighth more than it needs."""

ARRAY: Final = 128
"""Bytes of an array besides its elements and sizes."""

CHUNK: Final = 2**20
"""Bytes moved between a file and an array at a time."""

_SHORT_TEXT: Final = 4096
_DENSE: Final = (
    "save it again uncompressed and with every tensor contiguous "
    "(torch: `tensor.clone()`, NumPy: `np.savez`)"
)


class Budget:
    """The memory that reading one file may still take."""

    def __init__(self, file_size: int, left: int | None = None) -> None:
        self.file_size = file_size
        self.limit = max(FLOOR, RATIO * file_size) if left is None else left
        self.left = self.limit

    def take(self, nbytes: int, what: str, name: str | None = None, advice: str = _DENSE) -> None:
        """Take `nbytes` for `what`, or raise `UnsafeCheckpointError` if that is not there.

        `name` is the file's own word for it, shown short and only where it is refused.
        """
        if nbytes > self.left:
            whose = what if name is None else f"{what} `{short(name)}`"
            raise UnsafeCheckpointError(
                f"{whose} needs {nbytes} bytes of memory, and a file of {self.file_size} bytes may "
                f"unfold to {self.limit} in all. If you trust it, {advice}."
            )
        self.left -= nbytes

    def add_file(self, size: int) -> None:
        """Count another file, of `size` bytes, to what is read."""
        self.file_size += size
        self.limit += RATIO * size
        self.left += RATIO * size

    @property
    def spent(self) -> int:
        """What is taken of it, and was not given back."""
        return self.limit - self.left

    def give(self, nbytes: int) -> None:
        """Give back what is free again."""
        self.left += nbytes

    def text(self, encoded: bytes | bytearray, what: str, errors: str = "strict") -> str:
        """Decode UTF-8 text, having taken what it weighs: one wide character widens them all.

        Raises:
            UnicodeDecodeError: it is none.
        """
        if len(encoded) < _SHORT_TEXT:
            text = encoded.decode("utf-8", errors)
            self.take(sys.getsizeof(text), what)
            return text
        bound = 80 + len(encoded) * (1 if encoded.isascii() else 4)
        self.take(bound, what)
        text = encoded.decode("utf-8", errors)
        self.give(bound - sys.getsizeof(text))
        return text


def count_bytes(name: str, shape: Sequence[int], itemsize: int) -> int:
    """Return the size of an array, or raise `CheckpointError` if no array can have that shape."""
    if len(shape) > MOST_DIMENSIONS:
        raise CheckpointError(
            f"`{short(name)}` has {len(shape)} dimensions; at most {MOST_DIMENSIONS} are possible."
        )
    total, present = itemsize, itemsize
    for size in shape:
        if size < 0:
            raise CheckpointError(f"`{short(name)}` has the impossible shape {tuple(shape)}.")
        total, present = total * size, present * max(size, 1)
    if present >= 2**63:
        raise CheckpointError(
            f"`{short(name)}` has shape {tuple(shape)}, more than memory can address."
        )
    return total


def read_bytes(file: BinaryIO, nbytes: int, what: str, name: str | None = None) -> bytearray:
    """Read exactly `nbytes`; the caller has checked that they may exist.

    Raises:
        CheckpointError: the file ends before.
    """
    content = bytearray(nbytes)
    _fill(file, memoryview(content), what, name)
    return content


def read_array(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype, name: str) -> np.ndarray:
    """Read a whole array that owns its memory; the caller has checked that it may exist.

    Raises:
        CheckpointError: the file ends before.
    """
    array = np.empty(shape, dtype)
    if array.size:
        fill(file, array, name)
    return array


def fill(file: BinaryIO, array: np.ndarray, name: str) -> None:
    """Read into all of a contiguous array that is not empty, or raise `CheckpointError`."""
    _fill(file, array.reshape(-1).view(np.uint8).data, "", name)


def _fill(file: BinaryIO, view: memoryview, what: str, name: str | None) -> None:
    done = 0
    while done < len(view):
        # A real file and a member of a zip file both have it; typing's BinaryIO does not say so.
        count = file.readinto(view[done : done + CHUNK])  # type: ignore[attr-defined]
        if not count:
            whose = what if name is None else f"{what} `{short(name)}`".lstrip()
            raise CheckpointError(f"{whose} is cut off: {done} of {len(view)} bytes are there.")
        done += count
