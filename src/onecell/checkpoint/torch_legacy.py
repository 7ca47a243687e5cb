"""torch's format from before 1.6: five pickles in a row, then the storages.

The pickles are a magic number, the version of the protocol, facts about the machine, the object
and the keys of its storages; every storage is its number of elements (int64) and its bytes.
"""

from __future__ import annotations

import io
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.flatten import flatten
from onecell.checkpoint.inert import Pairs, Storage
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.checkpoint.pickled import read_pickle
from onecell.checkpoint.torch_tensors import ByteOrder, Cutter, storage_itemsize
from onecell.errors import CheckpointError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read the tensors of a legacy .pt file."""
    # All of it into memory: a pickle may claim a string of any length, and what is in memory
    # already cannot be exceeded.
    content = io.BytesIO(read_bytes(file, budget.file_size, "the file").data)
    if read_pickle(content, budget) != _MAGIC:
        raise CheckpointError(
            "it is a pickle, but not one that `torch.save` wrote. "
            "Save a dictionary of tensors with `torch.save`."
        )
    if (version := read_pickle(content, budget)) != _PROTOCOL:
        raise CheckpointError(f"its protocol is {version!r:.50}, not {_PROTOCOL}.")
    order = _byte_order(read_pickle(content, budget))
    storages: dict[str, Storage] = {}
    tree = read_pickle(content, budget, storages)
    keys = read_pickle(content, budget)
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        raise CheckpointError("its list of storages is not what its pickle mentions.")
    contents = {key: _read_storage(content, storages[key], budget) for key in map(str, keys)}
    if content.read(1):
        raise CheckpointError("its storages are followed by something else.")
    cutter = Cutter(lambda storage: contents[storage.key], order, budget)
    tensors, values = flatten(tree, cutter.cut, budget)
    return Checkpoint(tensors, "pt", "torch", values)


def _read_storage(content: BinaryIO, storage: Storage, budget: Budget) -> np.ndarray:
    """Read the next storage; its number of elements is said here and in the pickle."""
    what = f"the storage `{storage.key}`"
    count = int(read_bytes(content, 8, what).view("<i8")[0])
    if count != storage.count:
        raise CheckpointError(f"{what} has {count} elements, its pickle says {storage.count}.")
    nbytes = count * storage_itemsize(storage)
    budget.take(nbytes, what)
    return read_bytes(content, nbytes, what)


def _byte_order(facts: object) -> ByteOrder:
    """Return the byte order out of the facts about the machine that wrote the file."""
    if isinstance(facts, Pairs):
        for key, value in facts.items:
            if key == "little_endian" and isinstance(value, bool):
                return "little" if value else "big"
    raise CheckpointError("it does not say its byte order.")
