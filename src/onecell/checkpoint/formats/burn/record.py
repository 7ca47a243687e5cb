"""Burn's .mpk: a record in MessagePack, with the names of a module's fields.

After crates/burn-core/src/record of https://github.com/tracel-ai/burn, versions 0.14 to 0.21. A
parameter is its number and {bytes, shape, dtype}; a field that is no parameter is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, MOST_DIMENSIONS, Checkpoint
from onecell.checkpoint.formats.burn.pack import KINDS
from onecell.checkpoint.formats.flax_msgpack import Array, Reader
from onecell.checkpoint.limits import Budget, count_bytes, read_bytes
from onecell.errors import CheckpointError
from onecell.text import short

_TENSOR: Final = {"bytes", "shape", "dtype"}
_OLDER: Final = {"value", "shape"}
_PARAMETER: Final = {"id", "param"}
_SAID: Final = ("metadata", "item")


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read what `NamedMpkFileRecorder` wrote.

    Raises:
        UnsafeCheckpointError: it unfolds to too much.
        CheckpointError: it is damaged, no record, or one of before Burn 0.14.
    """
    budget.take(budget.file_size, "the file")
    file.seek(0)
    reader = Reader(memoryview(read_bytes(file, budget.file_size, "the file")), budget)
    record = reader.value()
    if reader.place != budget.file_size or not isinstance(record, dict):
        raise CheckpointError("it is not one map, as Burn writes it.")
    said, item = (record.get(name) for name in _SAID)
    if not isinstance(said, dict) or not isinstance(item, dict):
        raise CheckpointError("it is no record of Burn's, {metadata: …, item: …}.")
    found = Checkpoint({}, "burn", "burn", {})
    for name, value in said.items():
        if isinstance(name, str) and isinstance(value, str):
            found.metadata[name] = value
    for path, leaf in _leaves(item, "", budget):
        if path in found.tensors or path in found.metadata or path in found.left_out:
            raise CheckpointError(f"it holds `{short(path)}` twice.")
        if isinstance(leaf, dict):
            _take(found, path, leaf, budget)
        elif isinstance(leaf, str | int | float):
            found.metadata[path] = str(leaf)
        else:
            found.left_out[path] = "an array of Flax's" if isinstance(leaf, Array) else "bytes"
    return found


def _leaves(node: Any, path: str, budget: Budget) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield dotted name → a value, or the description of a tensor."""
    if isinstance(node, dict) and node.keys() == _PARAMETER:
        node = node["param"]
    if isinstance(node, dict) and node.keys() == _OLDER:
        raise CheckpointError(
            f"`{short(path)}` is a tensor of Burn before 0.14; save the record again with Burn "
            f"0.14 to 0.16 and its feature `record-backward-compat`."
        )
    if isinstance(node, dict | list) and not (isinstance(node, dict) and node.keys() == _TENSOR):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for name, each in pairs:
            # A long path may stand before many.
            budget.take(4 * (len(path) + len(str(name))), "a name", str(name))
            yield from _leaves(each, f"{path}.{name}" if path else str(name), budget)
    elif node is not None:
        yield path, node


def _take(found: Checkpoint, name: str, said: Mapping[str, Any], budget: Budget) -> None:
    """Take up a tensor by its description."""
    content, shape, kind = said["bytes"], said["shape"], said["dtype"]
    if not isinstance(kind, str) or kind not in KINDS:
        found.left_out[name] = f"a tensor of type {short(kind, 40)}"
        return
    sizes = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if not sizes or len(shape) > MOST_DIMENSIONS or not isinstance(content, memoryview):
        raise CheckpointError(f"`{short(name)}` is not described by sizes and bytes.")
    dtype = DTYPES[KINDS[kind]]
    nbytes = count_bytes(name, shape, dtype.itemsize)
    if nbytes != len(content):
        raise CheckpointError(
            f"`{short(name)}` of shape {tuple(shape)} is {nbytes} bytes, and {len(content)} are "
            f"there."
        )
    budget.take(nbytes, "the tensor", name)
    found.tensors[name] = np.frombuffer(bytearray(content), dtype).reshape(shape)
