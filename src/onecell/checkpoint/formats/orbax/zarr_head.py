"""What the head of an array in zarr's format says, version 2 or 3.

After https://zarr-specs.readthedocs.io.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS
from onecell.errors import CheckpointError
from onecell.text import short

HEADS: Final = (".zarray", "zarr.json")
"""What heads are called, of version 2 and of version 3."""

_NUMPY: Final = re.compile(r"[<>|][biufc]\d{1,2}")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Packing:
    """How the bytes of a chunk are packed: each step, the last one done first."""

    steps: tuple[str, ...]
    checked: bool = False
    """Whether four bytes of checksum stand behind all."""


@dataclass(frozen=True, slots=True)
class Head:
    """How one array is kept."""

    shape: Shape
    chunks: Shape
    dtype: np.dtype
    swapped: bool
    order: Literal["C", "F"]
    fill: Any
    packing: Packing
    start: str
    """What stands before the numbers of a chunk, without a separator before the first."""
    separator: str
    inner: Shape | None = None
    """The shape of the chunks in a shard."""
    at_end: bool = True
    """Whether a shard has the places of its chunks behind them."""


def parse_head(told: dict[str, Any], name: str) -> Head | str:
    """Return what a head of this name says, or what it is that no checkpoint holds.

    Raises:
        CheckpointError: it contradicts itself, or its chunks are packed in a way that is not read.
    """
    return _second(told) if name.endswith(HEADS[0]) else _third(told)


def _second(told: dict[str, Any]) -> Head | str:
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
    return Head(
        shape, chunks, dtype, swapped, order, told.get("fill_value"), Packing(steps), "", separator
    )


def _third(told: dict[str, Any]) -> Head | str:
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
    return Head(
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


def _packing(codecs: object) -> tuple[Packing, bool]:
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
    return Packing(tuple(steps), checked), swapped


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
