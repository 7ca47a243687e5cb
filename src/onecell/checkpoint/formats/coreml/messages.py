"""Messages of protobuf as Core ML nests them, by their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.protobuf import BYTES, VARINT, Field, read_fields, read_text
from onecell.checkpoint.limits import Budget, read_array, read_bytes
from onecell.errors import CheckpointError
from onecell.text import short

_ITEM: Final = 200
_FLOAT: Final = np.dtype("<f4")


class Messages:
    """A file of messages, and what reading it may still take."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self.file, self.budget = file, budget

    def inside(self, place: Field, *path: int) -> Iterator[Field]:
        """Yield the messages, texts and bytes at a path of numbers below a message, in order."""
        number, *rest = path
        for part in read_fields(self.file, place.start, place.end, "the model"):
            if part.number == number and part.wire == BYTES:
                self.budget.take(_ITEM, "a message")
                yield from self.inside(part, *rest) if rest else (part,)

    def one(self, place: Field | None, *path: int) -> Field | None:
        """Return the last of what `inside` yields: a field that comes twice is what comes last."""
        found = None
        if place is not None:
            for each in self.inside(place, *path):
                found = each
        return found

    def text(self, place: Field | None, *path: int) -> str:
        """Return the text at a path, "" where there is none."""
        found = self.one(place, *path)
        if found is None:
            return ""
        self.budget.take(4 * found.size, "a text")
        return read_text(self.file, found)

    def number(self, place: Field | None, number: int) -> int:
        """Return the whole number in a message, 0 where there is none."""
        value = 0
        for part in self._plain(place, VARINT):
            if part.number == number:
                value = part.value
        return value

    def float(self, place: Field | None, number: int) -> float:
        """Return the float32 in a message, 0 where there is none."""
        value = 0.0
        for part in self._plain(place, 5):
            if part.number == number:
                self.file.seek(part.start)
                value = float(np.frombuffer(read_bytes(self.file, 4, "a number"), _FLOAT)[0])
        return value

    def _plain(self, place: Field | None, wire: int) -> Iterator[Field]:
        if place is not None:
            for part in read_fields(self.file, place.start, place.end, "the model"):
                if part.wire == wire:
                    yield part

    def numbers(self, place: Field, shape: tuple[int, ...], kind: str, name: str) -> np.ndarray:
        """Return the bytes in a field as an array, or raise unless they are just as many."""
        dtype = np.dtype(kind)
        check_size(name, shape, dtype, place.size)
        self.budget.take(place.size, "the tensor", name)
        self.file.seek(place.start)
        return read_array(self.file, shape, dtype, name)


def check_size(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], size: int) -> None:
    """Raise `CheckpointError` unless an array has just as many bytes as are there."""
    nbytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if nbytes != size:
        raise CheckpointError(
            f"`{short(name)}` of shape {shape} is {nbytes} bytes, and {size} are there."
        )


def add(found: Checkpoint, name: str, array: np.ndarray) -> None:
    """Take up a tensor, or raise `CheckpointError` if one is called so already."""
    if name in found.tensors:
        raise CheckpointError(f"it holds `{short(name)}` twice.")
    found.tensors[name] = array
