"""A bare pickle of arrays in dictionaries and lists, as people keep JAX's parameters.

It is read as data, see `pickled`: what it may mention is NumPy's and JAX's arrays, torch's and
plain values, and no function is called.
"""

from __future__ import annotations

from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.tree_names import dotted
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.checkpoint.pickles.described import TensorPlan
from onecell.checkpoint.pickles.flatten import Content, flatten
from onecell.checkpoint.pickles.pickled import read_pickle_bytes
from onecell.errors import CheckpointError
from onecell.text import short

_NO_TREE: Final = (
    "it is a pickle, but neither one that `torch.save` wrote nor one of arrays. Save a dictionary "
    "of tensors with `torch.save`, one of NumPy arrays with `numpy.savez(path, **arrays)`."
)


def read_whole_pickle(file: BinaryIO, budget: Budget) -> object:
    """Return what the one pickle describes that is all of a file."""
    # All of it into memory: a pickle may claim a string of any length, and what is in memory
    # already cannot be exceeded.
    budget.take(budget.file_size, "the file")
    content = read_bytes(file, budget.file_size, "the file")
    tree = read_pickle_bytes(content, budget)
    budget.give(budget.file_size)
    return tree


def flatten_arrays(tree: object, budget: Budget) -> Content:
    """Return what is in a tree of arrays by dotted path, see `flatten`."""
    return flatten(tree, _refuse, budget)


def as_checkpoint(tree: object, budget: Budget) -> Checkpoint:
    """Return a tree of arrays as a checkpoint; whose it is, its names may tell.

    Raises:
        CheckpointError: it holds no array.
    """
    found = flatten_arrays(tree, budget)
    if not found.tensors:
        raise CheckpointError(_NO_TREE)
    read = Checkpoint(found.tensors, "pkl", None, found.values, found.left_out, found.plain)
    return dotted(read, budget)


def _refuse(name: str, plan: TensorPlan) -> np.ndarray:
    raise CheckpointError(
        f"`{short(name)}` lies in the storage `{short(plan.storage.key)}`, which is in no pickle."
    )
