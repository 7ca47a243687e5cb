"""One array in zarr's format, version 2 or 3: a head in JSON, and chunks under its name.

After https://zarr-specs.readthedocs.io. Chunks are plain or packed by zstd or gzip, and unpacked to
no more than a chunk has. In version 3 a chunk may be a shard: chunks, and where they lie.
"""

from __future__ import annotations

import io
import itertools
import math
import zlib
from collections.abc import Iterator
from typing import Any, Final, Protocol, cast

import numpy as np

from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.formats.orbax.library import library
from onecell.checkpoint.formats.orbax.zarr_head import Head, Shape, parse_head
from onecell.checkpoint.limits import Budget, count_bytes
from onecell.dtypes import dtype_name
from onecell.errors import CheckpointError
from onecell.text import short

_LARGEST_HEAD: Final = 2**20
_CHUNK: Final = 300
_WINDOW: Final = 2**23
_NOWHERE: Final = 2**64 - 1
_PLACE: Final = 16
_CHECKSUM: Final = 4


class Store(Protocol):
    """Where arrays are kept: keys with slashes, and bytes."""

    def __iter__(self) -> Iterator[str]:
        """Yield every key."""

    def get(self, key: str, largest: int) -> bytes | None:
        """Return what is under a key, None where nothing is; refuse more than `largest` bytes."""


def read_array(
    store: Store, folder: str, head: str, budget: Budget, *, full: bool
) -> np.ndarray | str:
    """Return an array, or what it is that no checkpoint holds.

    Args:
        store: where it is kept.
        folder: what stands before its own keys.
        head: the key of its head.
        budget: what it may weigh.
        full: whether a chunk that is missing is damage, and not one of a number that fills it.

    Raises:
        UnsafeCheckpointError: it asks for too much memory.
        CheckpointError: it is damaged, or packed in a way that is not read.
        MissingExtraError: what unpacks it is not installed.
    """
    content = store.get(head, _LARGEST_HEAD)
    told = parse_json(content or b"", budget, "its head")
    if not isinstance(told, dict):
        raise CheckpointError("its head is no object.")
    parsed = parse_head(told, head)
    if isinstance(parsed, str):
        return parsed
    name = folder
    nbytes = count_bytes(name, parsed.shape, parsed.dtype.itemsize)
    chunk = count_bytes(name, parsed.chunks, parsed.dtype.itemsize)
    budget.take(nbytes, "the array", name)
    array = np.empty(parsed.shape, parsed.dtype)
    if not array.size:
        return array
    budget.take(2 * chunk, "a chunk of", name)
    start = f"{folder}/" if folder else ""
    counts = [-(-size // step) for size, step in zip(parsed.shape, parsed.chunks, strict=True)]
    budget.take(_CHUNK * math.prod(counts), "the chunks of", name)  # their places are all made
    for place in itertools.product(*map(range, counts)):
        key = start + _key(parsed, place)
        # What is packed may be longer than what it holds, by a little.
        packed = store.get(key, 2 * chunk + 2**16 + _PLACE * math.prod(parsed.chunks))
        at = tuple(
            slice(n * step, min((n + 1) * step, size))
            for n, step, size in zip(place, parsed.chunks, parsed.shape, strict=True)
        )
        if packed is not None:
            inside = tuple(slice(0, each.stop - each.start) for each in at)
            array[at] = _decode(packed, parsed, name, budget)[inside]
        elif full:
            raise CheckpointError(f"the chunk `{short(key)}` is missing.")
        else:
            array[at] = _fill(parsed, name)
    budget.give(2 * chunk)
    return array


def _key(head: Head, place: Shape) -> str:
    numbers = head.separator.join(map(str, place))
    if not head.start:
        return numbers or "0"
    return f"{head.start}{head.separator}{numbers}" if numbers else head.start


def _fill(head: Head, name: str) -> Any:  # noqa: ANN401
    """Return the number that fills a chunk that is missing."""
    if head.fill in (None, 0, False):
        return np.zeros((), head.dtype)[()]
    if dtype_name(head.dtype) == "bfloat16" or not isinstance(head.fill, int | float):
        raise CheckpointError(f"a chunk of `{short(name)}` is missing.")
    try:
        with np.errstate(all="ignore"):
            filling = np.array(head.fill).astype(head.dtype)[()]
    except (ValueError, OverflowError, TypeError):
        filling = None
    if filling is None or (head.dtype.kind in "iub" and filling != head.fill):
        raise CheckpointError(f"`{short(name)}` is filled with {short(head.fill, 20)}.")
    return filling


def _decode(packed: bytes, head: Head, name: str, budget: Budget) -> np.ndarray:
    """Return a chunk as an array."""
    if head.inner is None:
        return _plain(packed, head, head.chunks, name)
    counts = [outer // inner for outer, inner in zip(head.chunks, head.inner, strict=True)]
    number = math.prod(counts)
    budget.take(_CHUNK * number, "a shard of", name)
    size = _PLACE * number
    end = len(packed) - _CHECKSUM if head.at_end else size
    if len(packed) < size + _CHECKSUM:
        raise CheckpointError(f"a shard of `{short(name)}` is cut off.")
    places = np.frombuffer(packed[end - size : end], "<u8").reshape(number, 2).tolist()
    whole = np.zeros(head.chunks, head.dtype)
    for place, (start, length) in zip(itertools.product(*map(range, counts)), places, strict=True):
        at = tuple(slice(n * s, (n + 1) * s) for n, s in zip(place, head.inner, strict=True))
        if (start, length) == (_NOWHERE, _NOWHERE):
            whole[at] = _fill(head, name)
            continue
        if start + length > len(packed):
            raise CheckpointError(f"a shard of `{short(name)}` is cut off.")
        whole[at] = _plain(packed[start : start + length], head, head.inner, name)
    budget.give(_CHUNK * number)
    return whole


def _plain(packed: bytes, head: Head, shape: Shape, name: str) -> np.ndarray:
    """Return what is no shard as an array."""
    nbytes = math.prod(shape) * head.dtype.itemsize
    if head.packing.checked:
        packed = packed[:-_CHECKSUM]
    for step in reversed(head.packing.steps):
        packed = _unpack(packed, step, nbytes, name)
    if len(packed) != nbytes:
        raise CheckpointError(
            f"a chunk of `{short(name)}` is {nbytes} bytes, and {len(packed)} are there."
        )
    array = np.frombuffer(packed, head.dtype).reshape(shape, order=head.order)
    return array.byteswap() if head.swapped else array


def _unpack(packed: bytes, step: str, nbytes: int, name: str) -> bytes:
    """Return what is packed, of at most one byte more than it may be."""
    try:
        if step == "gzip":
            return zlib.decompressobj(wbits=47).decompress(packed, nbytes + 1)
        zstandard = library("zstandard")
        window = max(_WINDOW, 1 << nbytes.bit_length())
        try:
            unpacker = zstandard.ZstdDecompressor(max_window_size=min(window, 2**31))
            return cast("bytes", unpacker.stream_reader(io.BytesIO(packed)).read(nbytes + 1))
        except zstandard.ZstdError as error:
            raise CheckpointError(
                f"a chunk of `{short(name)}` is damaged: {short(error, 100)}."
            ) from None
    except zlib.error as error:
        raise CheckpointError(
            f"a chunk of `{short(name)}` is damaged: {short(error, 100)}."
        ) from None
