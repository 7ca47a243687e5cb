"""Flax's msgpack: nested maps whose leaves are arrays.

After https://github.com/msgpack/msgpack/blob/master/spec.md and flax/serialization.py: an array is
an extension of type 1 that holds [shape, name of the type, bytes], a number of NumPy's one of type
3. An array of more than 2³⁰ bytes lies in pieces, `__msgpack_chunked_array__`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, Checkpoint, raw
from onecell.checkpoint.formats.nested import nested
from onecell.checkpoint.formats.tree_names import framework_of
from onecell.checkpoint.limits import CHUNK, Budget, count_bytes, read_bytes
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError, CheckpointError
from onecell.text import short

_ARRAY, _SCALAR = 1, 3
_DEEPEST: Final = 64
_ENTRY: Final = 300
_CHUNKED: Final = "__msgpack_chunked_array__"
_LARGEST: Final = 2**30
_FIXED: Final[Mapping[int, str]] = {
    0xCA: ">f",
    0xCB: ">d",
    **dict(zip(range(0xCC, 0xD4), (">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"), strict=True)),
}


class Array(tuple[Any, ...]):
    """An extension that is an array: shape, type and where its bytes are."""

    __slots__ = ()


class Reader:
    """One walk over the bytes of a file."""

    def __init__(self, content: memoryview, budget: Budget) -> None:
        self.content, self.place, self._budget = content, 0, budget

    def take(self, count: int) -> memoryview:
        """Return the next bytes."""
        if self.place + count > len(self.content):
            raise CheckpointError(f"it is cut off at byte {self.place}.")
        self.place += count
        return self.content[self.place - count : self.place]

    def number(self, form: str) -> Any:  # noqa: ANN401
        """Return the next number of a fixed size."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self, depth: int = 0) -> Any:  # noqa: ANN401, PLR0911
        """Return the next value: a dictionary, list, number, text, None or `Array`."""
        if depth > _DEEPEST:
            raise CheckpointError(f"it is nested deeper than {_DEEPEST}.")
        self._budget.take(_ENTRY, "an entry")
        code = self.number(">B")
        if code < 0x80:
            return code
        if code < 0x90:
            return self._map(code & 0xF, depth)
        if code < 0xA0:
            return [self.value(depth + 1) for _ in range(code & 0xF)]
        if code < 0xC0:
            return self._text(code & 0x1F)
        if code in _FIXED:
            return self.number(_FIXED[code])
        if code >= 0xE0:
            return code - 0x100
        if code in {0xC0, 0xC2, 0xC3}:
            return {0xC0: None, 0xC2: False, 0xC3: True}[code]
        for first, sizes, make in self._KINDS:
            if first <= code < first + len(sizes):
                return make(self, self.number(sizes[code - first]), depth)
        if 0xD4 <= code <= 0xD8:
            return self._extension(1 << (code - 0xD4), depth)
        raise CheckpointError(f"it has the byte {code:#x}, which begins nothing.")

    def _map(self, count: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if not isinstance(key, str | int):
                raise CheckpointError(f"a key is a {type(key).__name__}, not text.")
            if key in found:
                raise CheckpointError(f"it holds `{short(key)}` twice.")
            found[key] = self.value(depth + 1)
        return found

    def _list(self, count: int, depth: int) -> list[Any]:
        return [self.value(depth + 1) for _ in range(count)]

    def _text(self, size: int, depth: int = 0) -> str:
        del depth
        try:
            return self._budget.text(bytes(self.take(size)), "a text")
        except UnicodeDecodeError as error:
            raise CheckpointError(f"a text at byte {self.place} is none: {error}.") from None

    def _bytes(self, size: int, depth: int) -> memoryview:
        del depth
        return self.take(size)

    def _extension(self, size: int, depth: int) -> Any:  # noqa: ANN401
        kind = self.number(">b")
        inner = Reader(self.take(size), self._budget)
        if kind not in {_ARRAY, _SCALAR}:
            raise CheckpointError(f"it has an extension of type {kind}, which Flax does not write.")
        parts = inner.value(depth + 1)
        if inner.place != size or not isinstance(parts, list) or len(parts) != 3:
            raise CheckpointError("an array in it is damaged.")
        return Array(parts)

    _KINDS: Final[tuple[tuple[int, tuple[str, ...], Callable[..., Any]], ...]] = (
        (0xC4, (">B", ">H", ">I"), _bytes),
        (0xC7, (">B", ">H", ">I"), _extension),
        (0xD9, (">B", ">H", ">I"), _text),
        (0xDC, (">H", ">I"), _list),
        (0xDE, (">H", ">I"), _map),
    )


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read what `flax.serialization.to_bytes` wrote.

    Raises:
        UnsafeCheckpointError: it unfolds to too much.
        CheckpointError: it is damaged, nested too deep, or holds a name twice.
    """
    budget.take(budget.file_size, "the file")
    reader = Reader(memoryview(read_bytes(file, budget.file_size, "the file")), budget)
    tree = reader.value()
    if reader.place != budget.file_size or not isinstance(tree, dict):
        raise CheckpointError("it is not one map, as Flax writes it.")
    found = Checkpoint({}, "msgpack", "flax", {})
    for name, leaf in _leaves(tree, "", budget):
        if name in found.tensors or name in found.metadata:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
        if isinstance(leaf, Array):
            found.tensors[name] = _array(name, leaf, budget)
        elif isinstance(leaf, memoryview):
            found.left_out[name] = "bytes"
        else:
            found.metadata[name] = str(leaf)
    return replace(found, dialect=framework_of(found.tensors) or found.dialect)


def _leaves(
    node: dict[Any, Any] | list[Any], path: str, budget: Budget
) -> Iterator[tuple[str, Any]]:
    """Yield dotted name → leaf."""
    pairs: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else enumerate(node)
    if isinstance(node, dict) and _CHUNKED in node:
        raise CheckpointError(f"`{short(path)}` lies in pieces, more than {_LARGEST} bytes of it.")
    for key, value in pairs:
        # Of what holds nothing too: a long path may stand before many.
        budget.take(_ENTRY + 4 * len(path), "a name", path)
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict | list):
            yield from _leaves(value, name, budget)
        else:
            yield name, value


def _array(name: str, parts: Array, budget: Budget) -> np.ndarray:
    shape, kind, content = parts
    sizes = shape if isinstance(shape, list) else []
    if not all(type(size) is int for size in sizes) or not isinstance(content, memoryview):
        raise CheckpointError(f"the array `{short(name)}` is damaged.")
    if not isinstance(kind, str) or kind not in DTYPES:
        raise CheckpointError(
            f"`{short(name)}` holds {short(kind, 20)}, which NumPy does not have."
        )
    dtype = DTYPES[kind]
    nbytes = count_bytes(name, sizes, dtype.itemsize)
    if nbytes != len(content):
        raise CheckpointError(
            f"`{short(name)}` of shape {tuple(sizes)} is {nbytes} bytes, and {len(content)} are "
            f"there."
        )
    budget.take(nbytes, "the tensor", name)
    return np.frombuffer(bytearray(content), dtype).reshape(sizes)


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write nested maps that `flax.serialization.msgpack_restore` reads.

    Raises:
        ArgumentError: an array is larger than one piece, or a name is none there: `nested`.
    """
    del form, metadata
    for name, array in tensors.items():
        if array.nbytes > _LARGEST:
            raise ArgumentError(f"`{short(name)}` has more than {_LARGEST} bytes.")
    # An array's own sizes lie three deeper than its name.
    for piece in _packed(nested(tensors, _DEEPEST - 3)):
        for start in range(0, len(piece), CHUNK):
            file.write(piece[start : start + CHUNK])


def _packed(value: dict[str, Any] | np.ndarray) -> Iterator[bytes | memoryview]:
    if isinstance(value, dict):
        yield struct.pack(">BI", 0xDF, len(value))
        for key, each in value.items():
            yield _text(key)
            yield from _packed(each)
        return
    content = raw(value)
    inner = b"\x93" + struct.pack(">BI", 0xDD, value.ndim)
    inner += b"".join(struct.pack(">BQ", 0xCF, size) for size in value.shape)
    inner += _text(dtype_name(value.dtype)) + struct.pack(">BI", 0xC6, len(content))
    yield struct.pack(">BIb", 0xC9, len(inner) + len(content), _ARRAY) + inner
    yield content


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">BI", 0xDB, len(encoded)) + encoded
