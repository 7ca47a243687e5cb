"""torch's format from before 1.6: five pickles in a row, then the storages.

The pickles are a magic number, the version of the protocol, facts about the machine, the object
and the keys of its storages; every storage is its number of elements (int64) and its bytes.
"""

from __future__ import annotations

from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.pickled_trees import as_checkpoint
from onecell.checkpoint.formats.torch.tensors import ByteOrder, Cutter, storage_itemsize
from onecell.checkpoint.limits import SLOT, Budget, read_bytes
from onecell.checkpoint.pickles.described import Pairs, Storage, say
from onecell.checkpoint.pickles.flatten import flatten
from onecell.checkpoint.pickles.pickled import read_pickle
from onecell.errors import CheckpointError
from onecell.text import short

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001
_KEY: Final = 64
_STORAGE: Final = 240  # its array and its place in a dictionary


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read the tensors of a legacy .pt file, or the arrays of another bare pickle."""
    # All of it into memory: a pickle may claim a string of any length, and what is in memory
    # already cannot be exceeded.
    budget.take(budget.file_size, "the file")
    content = read_bytes(file, budget.file_size, "the file")
    magic, end = read_pickle(content, budget)
    if type(magic) is not int or magic != _MAGIC:
        if end != len(content):
            raise CheckpointError("its pickle is followed by something else.")
        return as_checkpoint(magic, budget)
    version, end = read_pickle(content, budget, end)
    if type(version) is not int or version != _PROTOCOL:
        raise CheckpointError(f"its protocol is {say(version)}, not {_PROTOCOL}.")
    facts, end = read_pickle(content, budget, end)
    order = _byte_order(facts)
    storages: dict[str, Storage] = {}
    tree, end = read_pickle(content, budget, end, storages)
    keys, end = read_pickle(content, budget, end)
    if not isinstance(keys, list) or not all(isinstance(key, str | int) for key in keys):
        raise CheckpointError("it has no list of its storages.")
    budget.take(
        (2 * SLOT + 2 * _KEY) * len(keys) + _STORAGE * len(storages), "the list of storages"
    )
    keys = list(map(str, keys))
    if len(keys) != len(storages) or set(keys) != storages.keys():
        raise CheckpointError("its list of storages is not what its pickle mentions.")
    contents: dict[str, np.ndarray] = {}
    for key in keys:
        contents[key], end = _read_storage(content, end, storages[key])
    if end != len(content):
        raise CheckpointError("its storages are followed by something else.")
    cutter = Cutter(lambda storage: contents[storage.key], order, budget, keep=True)
    found = flatten(tree, cutter.cut, budget)
    return Checkpoint(found.tensors, "pt", "torch", found.values, found.left_out, found.plain)


def _read_storage(content: bytearray, start: int, storage: Storage) -> tuple[np.ndarray, int]:
    """Return the storage at `start`, a view, and its end; its length is in the pickle as well."""
    what = f"the storage `{short(storage.key)}`"
    count = int.from_bytes(content[start : start + 8], "little", signed=True)
    if count != storage.count:
        raise CheckpointError(f"{what} has {count} elements, its pickle says {storage.count}.")
    nbytes = count * storage_itemsize(storage)
    if (there := len(content) - start - 8) < nbytes:
        raise CheckpointError(f"{what} is cut off: {max(there, 0)} of {nbytes} bytes are there.")
    return np.frombuffer(content, np.uint8, nbytes, start + 8), start + 8 + nbytes


def _byte_order(facts: object) -> ByteOrder:
    """Return the byte order out of the facts about the machine that wrote the file."""
    if isinstance(facts, Pairs):
        for key, value in facts.items:
            if isinstance(key, str) and key == "little_endian" and isinstance(value, bool):
                return "little" if value else "big"
    raise CheckpointError("it does not say its byte order.")
