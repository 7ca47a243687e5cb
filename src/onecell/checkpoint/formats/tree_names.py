"""Names of arrays in a tree of JAX's, as people flatten it, made dotted.

A file of NumPy's has one text for each array. JAX spells the place of a leaf
`['lstm/linear']['w']`, and a slash stands between modules: Haiku's in its own names, elsewhere
where somebody joined them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError
from onecell.gates import GATES
from onecell.text import short

_KEY: Final = re.compile(r"\['([^'\[\]]*)'\]|\[([0-9]{1,9})\]")
_PATH: Final = re.compile(r"\['[^'\[\]]+'\](?:\['[^'\[\]]*'\]|\[[0-9]{1,9}\])*")
_HAIKU: Final = ("/linear/w", "/linear.w")
_FLAX: Final = tuple(f"h{gate}/kernel" for gate in GATES)
_NNX: Final = "if_/kernel"
"""What linen calls `if/kernel`: in nnx it is an attribute, which cannot be called so."""
_ENDS: Final = {
    "if.kernel": "flax",
    "if_.kernel": "flax-nnx",
    "dense_i.kernel": "flax-nnx-optimized",
    "linear.w": "haiku",
}
"""What the dotted name of an array ends with → whose it is."""
_LONGEST: Final = 4096
_ENTRY: Final = 160


def dotted(read: Checkpoint, budget: Budget) -> Checkpoint:
    """Return a checkpoint with dotted names, if its names are those of a tree of JAX's.

    They are if each is a path of keys, or if one of them is that of a cell of Haiku's or Flax's
    with slashes; then the file tells its framework as well, unless it has cells of two.

    Raises:
        CheckpointError: two names become one.
    """
    if not read.tensors or any(len(name) > _LONGEST for name in read.tensors):
        return read
    keys = all(_PATH.fullmatch(name) for name in read.tensors)
    joined = {name: "/".join(_parts(name)) if keys else name for name in read.tensors}
    names = set(joined.values())
    dialects = {dialect for name in names if (dialect := _dialect(name, names))}
    if not dialects and not keys:
        return read
    dialect = dialects.pop() if len(dialects) == 1 else None
    tensors: dict[str, np.ndarray] = {}
    for name, array in read.tensors.items():
        budget.take(4 * len(name) + _ENTRY, "the name", name)
        new = joined[name].replace("/", ".")
        if new in tensors or new in read.metadata or new in read.left_out:
            raise CheckpointError(f"it holds `{short(new)}` twice.")
        tensors[new] = array
    return replace(read, tensors=tensors, dialect=read.dialect or dialect)


def framework_of(names: Iterable[str]) -> str | None:
    """Return the one framework of JAX's whose cells have dotted names like these."""
    told = {
        framework
        for name in names
        for end, framework in _ENDS.items()
        if f".{name}".endswith(f".{end}")
    }
    return min(told) if len(told) == 1 else None


def _parts(name: str) -> list[str]:
    """Return the keys of a path of JAX's."""
    return [text or number for text, number in _KEY.findall(name)]


def _dialect(name: str, names: Collection[str]) -> str | None:
    """Return the framework whose cells alone have names like these, slashes and all."""
    for end in _HAIKU:
        module = name.removesuffix(end).replace(".", "/").rpartition("/")[2]
        if name.endswith(end) and "lstm" in module.lower():
            return "haiku"
    owner = name[: -len(_FLAX[0])]
    if not name.endswith(_FLAX) or not f"/{owner}".endswith("/"):
        return None
    return "flax-nnx" if f"{owner}{_NNX}" in names else "flax"
