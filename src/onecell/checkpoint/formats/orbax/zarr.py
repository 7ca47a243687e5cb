"""One array in zarr's format, version 2 or 3: a head in JSON, and chunks under its name.

After https://zarr-specs.readthedocs.io. Chunks are plain or packed by zstd or gzip, and unpacked to
no more than a chunk has. In version 3 a chunk may be a shard: chunks, and where they lie.
"""

from __future__ import annotations

import io
import itertools
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, cast

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS
from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.formats.orbax.library import library
from onecell.checkpoint.limits import Budget, count_bytes
from onecell.dtypes import dtype_name
from onecell.errors import CheckpointError
from onecell.text import short

HEADS: Final = (".zarray", "zarr.json")

_LARGEST_HEAD: Final = 2**20
_CHUNK: Final = 300
_WINDOW: Final = 2**23
_NUMPY: Final = re.compile(r"[<>|][biufc]\d{1,2}")
_NOWHERE: Final = 2**64 - 1
_PLACE: Final = 16
_CHECKSUM: Final = 4

Shape = tuple[int, ...]


class Store(Protocol):
    """Where arrays are kept: keys with slashes, and bytes."""

    def __iter__(self) -> Iterator[str]:
        """Yield every key."""

    def get(self, key: str, largest: int) -> bytes | None:
        """Return what is under a key, None where nothing is; refuse more than `largest` bytes."""


@dataclass(frozen=True, slots=True)
class _Packing:
    """How the bytes of a chunk are packed: each step, the last one done first."""

    steps: tuple[str, ...]
    checked: bool = False
    """Whether four bytes of checksum stand behind all."""


@dataclass(frozen=True, slots=True)
class _Head:
    shape: Shape
    chunks: Shape
    dtype: np.dtype
    swapped: bool
    order: Literal["C", "F"]
    fill: Any
    packing: _Packing
    start: str
    """What stands before the numbers of a chunk, without a separator before the first."""
    separator: str
    inner: Shape | None = None
    """The shape of the chunks in a shard."""
    at_end: bool = True
    """Whether a shard has the places of its chunks behind them."""


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
    parsed = _second(told) if head.endswith(HEADS[0]) else _third(told)
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


def _key(head: _Head, place: Shape) -> str:
    numbers = head.separator.join(map(str, place))
    if not head.start:
        return numbers or "0"
    return f"{head.start}{head.separator}{numbers}" if numbers else head.start


def _fill(head: _Head, name: str) -> Any:  # noqa: ANN401
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


def _decode(packed: bytes, head: _Head, name: str, budget: Budget) -> np.ndarray:
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


def _plain(packed: bytes, head: _Head, shape: Shape, name: str) -> np.ndarray:
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


def _second(told: dict[str, Any]) -> _Head | str:
    """Return what a head of version 2 says, or what it is that no checkpoint holds."""
    if told.get("zarr_format") != 2:
        raise CheckpointError(f"its head is of version {short(told.get('zarr_format'), 20)}.")
    spelled = told.get("dtype")
    swapped = isinstance(spelled, str) and spelled.startswith(">")
    dtype = _dtype(spelled)
    if dtype is None:
        return f"an array of {short(spelled, 40)}"
    if told.get("filters"):
        raise CheckpointError("it is filtered in a way that is not read.")
    order = _order(told.get("order", "C"))
    compressor = told.get("compressor")
    steps: tuple[str, ...] = ()
    if compressor is not None:
        steps = (_step(compressor.get("id") if isinstance(compressor, dict) else compressor),)
    shape, chunks = _shapes(told.get("shape"), told.get("chunks"))
    separator = _separator(told.get("dimension_separator", "."))
    return _Head(
        shape, chunks, dtype, swapped, order, told.get("fill_value"), _Packing(steps), "", separator
    )


def _third(told: dict[str, Any]) -> _Head | str:
    """Return what a head of version 3 says, or what it is that no checkpoint holds."""
    if told.get("zarr_format") != 3 or told.get("node_type") != "array":
        raise CheckpointError("its head is no array's of version 3.")
    spelled = told.get("data_type")
    dtype = DTYPES.get(spelled) if isinstance(spelled, str) else None
    if dtype is None:
        return f"an array of {short(spelled, 40)}"
    grid = _named(told.get("chunk_grid"), ("regular",))[1]
    shape, chunks = _shapes(told.get("shape"), grid.get("chunk_shape"))
    kind, encoding = _named(told.get("chunk_key_encoding"), ("default", "v2"))
    separator = _separator(encoding.get("separator", "/" if kind == "default" else "."))
    codecs, inner, at_end = told.get("codecs"), None, True
    if isinstance(codecs, list) and len(codecs) == 1:
        name, about = _codec(codecs[0])
        if name == "sharding_indexed":
            _, inner = _shapes(told.get("shape"), about.get("chunk_shape"))
            if any(outer % size for outer, size in zip(chunks, inner, strict=True)):
                raise CheckpointError("its shards are not full of chunks.")
            at_end = about.get("index_location", "end") == "end"
            index = [_codec(each)[0] for each in about.get("index_codecs") or []]
            if index != ["bytes", "crc32c"]:
                raise CheckpointError(f"its shards are indexed by {short(index, 40)}.")
            codecs = about.get("codecs")
    packing, swapped = _packing(codecs)
    return _Head(
        shape,
        chunks,
        dtype,
        swapped,
        "C",
        told.get("fill_value"),
        packing,
        "c" if kind == "default" else "",
        separator,
        inner,
        at_end,
    )


def _packing(codecs: object) -> tuple[_Packing, bool]:
    """Return how a chunk of version 3 is packed, and whether its bytes are swapped."""
    steps: list[str] = []
    swapped = checked = False
    each = [_codec(codec) for codec in codecs] if isinstance(codecs, list) else []
    if not each or each[0][0] != "bytes" or len(each) > 4:
        raise CheckpointError(f"it is packed in a way that is not read: {short(codecs, 60)}.")
    for place, (name, about) in enumerate(each):
        if checked:
            raise CheckpointError("it is packed in a way that is not read: a checksum inside.")
        if name == "bytes" and place == 0:
            swapped = about.get("endian", "little") != "little"
        elif name == "crc32c":
            checked = True
        else:
            steps.append(_step(name))
    return _Packing(tuple(steps), checked), swapped


def _codec(told: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(told, dict) or not isinstance(told.get("name"), str):
        raise CheckpointError(f"it is packed in a way that is not read: {short(told, 60)}.")
    about = told.get("configuration")
    return told["name"], about if isinstance(about, dict) else {}


def _named(told: object, known: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    name, about = _codec(told)
    if name not in known:
        raise CheckpointError(f"its chunks are laid out as {short(name, 20)}, which is not read.")
    return name, about


def _step(name: object) -> str:
    if name in ("gzip", "zlib"):
        return "gzip"
    if name != "zstd":
        raise CheckpointError(f"it is packed in a way that is not read: {short(name, 60)}.")
    return "zstd"


def _dtype(spelled: object) -> np.dtype | None:
    if spelled == "bfloat16":
        return DTYPES["bfloat16"]
    if isinstance(spelled, str) and _NUMPY.fullmatch(spelled):
        try:
            return DTYPES.get(np.dtype(spelled).newbyteorder("=").name)
        except TypeError:
            return None
    return None


def _order(told: object) -> Literal["C", "F"]:
    if told == "C":
        return "C"
    if told == "F":
        return "F"
    raise CheckpointError(f"its order is {short(told, 20)}.")


def _separator(told: object) -> str:
    if not isinstance(told, str) or told not in {".", "/"}:
        raise CheckpointError(f"its chunks are named with {short(told, 20)!r}.")
    return told


def _shapes(shape: object, chunks: object) -> tuple[Shape, Shape]:
    """Return the shape of an array and of its chunks, checked."""
    for sizes, least in ((shape, 0), (chunks, 1)):
        right = isinstance(sizes, list) and len(sizes) <= MOST_DIMENSIONS
        if not right or not all(
            type(size) is int and least <= size < 2**62 for size in cast("list[int]", sizes)
        ):
            raise CheckpointError(f"it has the impossible shape {short(sizes, 60)}.")
    one, other = (tuple(cast("list[int]", sizes)) for sizes in (shape, chunks))
    if len(one) != len(other):
        raise CheckpointError(f"it has {len(one)} axes, and its chunks have {len(other)}.")
    return one, other
