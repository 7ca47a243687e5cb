"""What the variables of a Keras file are called, as the dialect has them.

Keras 3 numbers the variables of a layer; older files name them, and call the two layers of a
Bidirectional after the one that it was made of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.dialect import get_dialect
from onecell.errors import CheckpointError
from onecell.text import short

STEMS: Final = ("weight_ih", "weight_hh", "bias")
"""The variables of an LSTM in the order in which Keras numbers them."""

_OLD_WAY: Final = re.compile(
    r"(?P<above>(?:.*\.)?)(?P<way>forward|backward)_(?P<layer>[^.]+)(?:\.[^.]+)?"
    r"\.(?P<name>kernel|recurrent_kernel|bias)",
    re.DOTALL,
)
_INNER: Final = re.compile(r"cell|lstm_cell(?:_\d+)?|(?:for|back)ward_layer")
_WAYS: Final = ("forward", "backward")


def with_names(found: Checkpoint, paths: Mapping[str, str]) -> dict[str, str]:
    """Give the tensors of `found` their names; return those → where they are in the file.

    Raises:
        CheckpointError: two would be called alike.
    """
    names = get_dialect("keras").parameters
    ways = _old_ways(found.tensors)
    tensors: dict[str, np.ndarray] = {}
    places: dict[str, str] = {}
    for name, array in found.tensors.items():
        owner, vars_, number = name.rpartition("vars.")
        new = ways.get(name, name)
        if vars_ and number in {"0", "1", "2"} and _is_lstm(found.tensors, owner):
            new = owner + names[STEMS[int(number)]]
        if new in tensors:
            raise CheckpointError(f"it holds `{short(new)}` twice.")
        tensors[new], places[new] = array, paths[name]
    found.tensors.clear()
    found.tensors.update(tensors)
    for name in tensors:
        found.aliases.update(_own_name(name))
    return places


def _own_name(name: str) -> dict[str, str]:
    """Return the layer of an older file's LSTM → what its maker called it.

    Such a file has the layer's name twice, then the cell's, as in "mine.mine.lstm_cell.kernel".
    """
    owner, _, last = name.rpartition(".")
    first, *rest = owner.split(".")
    if last != "recurrent_kernel" or not rest or rest[0] != first:
        return {}
    parts = [first, *rest]
    while len(parts) > 2 and _INNER.fullmatch(parts[-1]):
        parts.pop()
    return {".".join(parts): parts[-1]}


def _old_ways(tensors: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return what the two layers of an older file's Bidirectional are called in a newer one."""
    matches = {name: match for name in tensors if (match := _OLD_WAY.fullmatch(name))}
    there = {(m["above"], m["layer"], m["way"], m["name"]) for m in matches.values()}
    return {
        name: f"{m['above']}{m['way']}_layer.cell.{m['name']}"
        for name, m in matches.items()
        if all((m["above"], m["layer"], way, "recurrent_kernel") in there for way in _WAYS)
    }


def _is_lstm(tensors: Mapping[str, np.ndarray], owner: str) -> bool:
    arrays = [tensors.get(f"{owner}vars.{number}") for number in range(4)]
    kernel, recurrent, bias, more = arrays
    if kernel is None or recurrent is None or more is not None:
        return False
    if kernel.ndim != 2 or recurrent.ndim != 2 or kernel.shape[1] != recurrent.shape[1]:
        return False
    hidden = recurrent.shape[0]
    return recurrent.shape[1] == 4 * hidden and (bias is None or bias.shape == (4 * hidden,))
