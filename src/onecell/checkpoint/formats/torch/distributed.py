"""A torch.distributed.checkpoint: a folder into which every process wrote its part of the tensors.

`.metadata` is a pickle, read as data like every other: it says for each name the size of the
tensor and the boxes that it was cut into, or that it is something else, and for each box the file,
the place in it and the length. What lies there is what `torch.save` writes of one tensor or value.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, cast

import numpy as np

from onecell.checkpoint.content import MOST_DIMENSIONS, Checkpoint
from onecell.checkpoint.formats.sharded import METADATA, files_of
from onecell.checkpoint.formats.torch import archive
from onecell.checkpoint.formats.zipped import open_members
from onecell.checkpoint.limits import Budget
from onecell.checkpoint.pickles.described import Pairs, say
from onecell.checkpoint.pickles.pickled import read_pickle_bytes
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

_LONE: Final = "tensor"
"""What a tensor that was saved alone is called in what is read of it."""

Numbers: TypeAlias = tuple[int, ...]
_Key: TypeAlias = tuple[str, Numbers | None]
"""A name, and for a tensor the offset of a part of it."""


@dataclass(frozen=True, slots=True)
class _Box:
    """Where one part of a tensor, or one value, lies."""

    file: str
    start: int
    length: int


def read_folder(folder: Path) -> Checkpoint:
    """Return what all files of the folder hold together, every tensor whole.

    Raises:
        UnsafeCheckpointError: a pickle asks for more than tensors and plain values, or the whole
            for more memory than a small multiple of the size of the files.
        CheckpointError: something is damaged or missing, lies outside of the folder or twice in a
            file, or the parts of a tensor leave a hole or overlap.
        OSError: the index cannot be opened.
    """
    sizes = {path.name: path.stat().st_size for path in files_of(folder)}
    budget = Budget(sum(sizes.values()))
    budget.take(2 * sizes[METADATA], f"`{METADATA}`")
    top = _fields(read_pickle_bytes((folder / METADATA).read_bytes(), budget), "the index")
    places = dict(_places(top.get("storage_data"), sizes))
    _check_apart(places.values())
    opened = _Files(folder)
    found = Checkpoint({}, "dcp", "torch", {})
    try:
        for name, about in _entries(top.get("state_dict_metadata")):
            fields = _fields(about, f"`{short(name)}`")
            if "size" in fields:
                found.tensors[name] = _tensor(name, fields, places, opened, budget)
            else:
                part = _part(name, _place(places, name, None), opened, budget)
                _add_value(found, name, part)
    finally:
        opened.close()
    return found


class _Files:
    """The files of a folder, each opened once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: tuple[str, BinaryIO] | None = None

    def get(self, name: str) -> BinaryIO:
        """Return a file, open; the one before is closed."""
        if self._last is None or self._last[0] != name:
            self.close()
            self._last = (name, (self._folder / name).open("rb"))
        return self._last[1]

    def close(self) -> None:
        if self._last is not None:
            self._last[1].close()
            self._last = None


class _Slice:
    """A stretch of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self._length, self._at = file, start, length, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._length - self._at)
        count = left if count is None or count < 0 else min(count, left)
        self._file.seek(self._start + self._at)
        content = self._file.read(count)
        self._at += len(content)
        return content


def _entries(node: object) -> Iterator[tuple[str, object]]:
    """Yield what a dictionary of names holds, each name once."""
    if not isinstance(node, Pairs):
        raise CheckpointError(f"`{METADATA}` is no index of a torch.distributed.checkpoint.")
    seen: set[str] = set()
    for name, value in node.items:
        if not isinstance(name, str) or name in seen:
            raise CheckpointError(f"`{METADATA}` has the name {say(name)}, twice or without text.")
        seen.add(name)
        yield name, value


def _fields(node: object, what: str) -> dict[str, object]:
    """Return the attributes of an object."""
    if not isinstance(node, Pairs) or not node.attributes:
        raise CheckpointError(f"{what} is {say(node)}, not what torch.distributed.checkpoint has.")
    return {key: value for key, value in node.items if isinstance(key, str)}


def _numbers(name: str, value: object) -> Numbers:
    """Return a size or an offset."""
    right = isinstance(value, tuple) and len(value) <= MOST_DIMENSIONS
    if right and all(type(n) is int and 0 <= n < 2**63 for n in cast("Numbers", value)):
        return cast("Numbers", value)
    raise CheckpointError(f"`{short(name)}` has the impossible size or offset {say(value)}.")


def _places(node: object, sizes: Mapping[str, int]) -> Iterator[tuple[_Key, _Box]]:
    """Yield (name, offset) and where that lies, checked against the files that are there."""
    if not isinstance(node, Pairs):
        raise CheckpointError(f"`{METADATA}` does not say where its tensors lie.")
    for key, value in node.items:
        told, box = _fields(key, "a place"), _fields(value, "a place")
        name, offset = told.get("fqn"), told.get("offset")
        file, start, length = (box.get(k) for k in ("relative_path", "offset", "length"))
        if not isinstance(name, str):
            raise CheckpointError(f"`{METADATA}` has a place for {say(name)}.")
        if box.get("transform_descriptors"):
            raise CheckpointError(
                f"`{short(name)}` is stored changed ({say(box['transform_descriptors'])}); load "
                f"it in torch and save it without extensions."
            )
        if not isinstance(file, str) or file not in sizes or file == METADATA:
            raise CheckpointError(
                f"`{short(name)}` lies in {short(repr(file))}, and no such file is there."
            )
        if not (type(start) is int and type(length) is int and 0 <= start <= start + length):
            raise CheckpointError(
                f"`{short(name)}` has the impossible place {say((start, length))}."
            )
        if start + length > sizes[file]:
            raise CheckpointError(
                f"`{short(name)}` ends at byte {start + length} of `{short(file)}`, which has "
                f"{sizes[file]}."
            )
        yield (name, None if offset is None else _numbers(name, offset)), _Box(file, start, length)


def _check_apart(boxes: Iterable[_Box]) -> None:
    """Raise unless no byte of a file is read twice, so that reading costs what the files have."""
    end: tuple[str, int] = ("", 0)
    for box in sorted(boxes, key=lambda box: (box.file, box.start)):
        if box.length and end[0] == box.file and box.start < end[1]:
            raise UnsafeCheckpointError(f"parts of `{short(box.file)}` overlap.")
        end = (box.file, box.start + box.length)


def _place(places: Mapping[_Key, _Box], name: str, offset: Numbers | None) -> _Box:
    if (name, offset) not in places:
        part = "" if offset is None else f" at {offset}"
        raise CheckpointError(f"`{METADATA}` does not say where `{short(name)}`{part} lies.")
    return places[name, offset]


def _part(name: str, box: _Box, opened: _Files, budget: Budget) -> Checkpoint:
    """Read what `torch.save` wrote at one place."""
    part = Budget(box.length, left=budget.left)
    file = cast("BinaryIO", _Slice(opened.get(box.file), box.start, box.length))
    try:
        with open_members(file, part) as members:
            found = archive.read(members, part)
    except CheckpointError as error:
        raise type(error)(f"`{short(name)}` in `{short(box.file)}`: {error}") from error
    budget.left = part.left
    return found


def _tensor(
    name: str,
    fields: Mapping[str, object],
    places: Mapping[_Key, _Box],
    opened: _Files,
    budget: Budget,
) -> np.ndarray:
    """Put a tensor together."""
    size = _numbers(name, fields["size"])
    chunks = fields.get("chunks")
    if not isinstance(chunks, list) or not chunks:
        raise CheckpointError(f"`{short(name)}` has no parts.")
    boxes: list[tuple[Numbers, Numbers]] = []
    for chunk in chunks:
        told = _fields(chunk, f"a part of `{short(name)}`")
        offset, extent = (_numbers(name, told.get(k)) for k in ("offsets", "sizes"))
        inside = len(offset) == len(extent) == len(size) and all(
            at + n <= whole for at, n, whole in zip(offset, extent, size, strict=True)
        )
        if not inside:
            raise CheckpointError(
                f"`{short(name)}` of size {size} has a part of size {extent} at {offset}."
            )
        boxes.append((offset, extent))
    if sum(math.prod(extent) for _, extent in boxes) != math.prod(size):
        raise CheckpointError(f"the parts of `{short(name)}` are not its size {size}.")
    whole: np.ndarray | None = None
    taken: np.ndarray | None = None
    for offset, extent in boxes:
        read = _part(name, _place(places, name, offset), opened, budget).tensors
        array = read.get(_LONE)
        if array is None or len(read) != 1 or array.shape != extent:
            came = "no tensor" if array is None else f"one of size {array.shape}"
            raise CheckpointError(f"`{short(name)}` of size {extent} at {offset} is {came} there.")
        if len(boxes) == 1:
            return array
        if whole is None or taken is None:
            budget.take(math.prod(size) * (array.itemsize + 1), f"`{short(name)}`")
            whole, taken = np.empty(size, array.dtype), np.zeros(size, bool)
        at = tuple(slice(o, o + n) for o, n in zip(offset, extent, strict=True))
        if array.dtype != whole.dtype or taken[at].any():
            raise CheckpointError(f"the parts of `{short(name)}` overlap or differ in type.")
        whole[at], taken[at] = array, True
        budget.give(array.nbytes)
    budget.give(math.prod(size))
    return cast("np.ndarray", whole)


def _add_value(found: Checkpoint, name: str, part: Checkpoint) -> None:
    """Take up what is no tensor, or holds some beside other things, under its name."""
    pairs: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        (found.tensors, part.tensors),
        (found.metadata, part.metadata),
        (found.left_out, part.left_out),
    )
    for whole, more in pairs:
        for inner, value in more.items():
            path = f"{name}.{inner}" if inner else name
            if any(path in each for each, _ in pairs):
                raise CheckpointError(f"it holds `{short(path)}` twice.")
            whole[path] = value
