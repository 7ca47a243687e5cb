"""What a file may cost to read: no more than a small multiple of its own size.

A file of a few kilobytes can claim a hundred gigabytes: by compression, by a stride of 0, by
naming one storage a thousand times. Every reader therefore takes the memory that the file asks for
out of one `Budget` before it allocates any of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final

import numpy as np

from onecell.errors import CheckpointError, UnsafeCheckpointError

RATIO: Final = 8
"""A file may unfold to this many times its own size ..."""

FLOOR: Final = 32 * 2**20
"""... and any file, however small, to this many bytes."""

OVERHEAD: Final = 128
"""Bytes charged for an array besides its content."""

MOST_DIMENSIONS: Final = 32
"""What every supported NumPy can hold."""

CHUNK: Final = 2**20
"""Bytes moved between a file and an array at a time."""


class Budget:
    """The memory that reading one file may still take."""

    def __init__(self, file_size: int) -> None:
        self.file_size = file_size
        self.limit = max(FLOOR, RATIO * file_size)
        self.left = self.limit

    def take(self, nbytes: int, what: str) -> None:
        """Take `nbytes` for `what`, or raise `UnsafeCheckpointError` if that is not there."""
        if nbytes > self.left:
            raise UnsafeCheckpointError(
                f"{what} needs {nbytes} bytes of memory, and a file of {self.file_size} bytes may "
                f"unfold to {self.limit} in all. If you trust it, save it again uncompressed and "
                f"with every tensor contiguous (torch: `tensor.clone()`, NumPy: `np.savez`)."
            )
        self.left -= nbytes


def count_bytes(name: str, shape: Sequence[int], itemsize: int) -> int:
    """Return the size of an array, or raise `CheckpointError` if no array can have that shape."""
    if len(shape) > MOST_DIMENSIONS:
        raise CheckpointError(
            f"`{name}` has {len(shape)} dimensions; at most {MOST_DIMENSIONS} are possible."
        )
    total, present = itemsize, itemsize
    for size in shape:
        if size < 0:
            raise CheckpointError(f"`{name}` has the impossible shape {tuple(shape)}.")
        total, present = total * size, present * max(size, 1)
    if present >= 2**63:
        raise CheckpointError(f"`{name}` has shape {tuple(shape)}, more than memory can address.")
    return total


def read_bytes(file: BinaryIO, nbytes: int, what: str) -> np.ndarray:
    """Read exactly `nbytes` into a fresh uint8 array; the caller has checked that they may exist.

    Raises:
        CheckpointError: the file ends before.
    """
    content = np.empty(nbytes, np.uint8)
    fill(file, content, what)
    return content


def fill(file: BinaryIO, content: np.ndarray, what: str) -> None:
    """Read into all of the uint8 array `content`, or raise `CheckpointError`."""
    view, done = content.data, 0
    while done < len(view):
        # A real file and a member of a zip file both have it; typing's BinaryIO does not say so.
        count = file.readinto(view[done : done + CHUNK])  # type: ignore[attr-defined]
        if not count:
            raise CheckpointError(f"{what} is cut off: {done} of {len(view)} bytes are there.")
        done += count
