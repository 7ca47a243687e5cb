"""What a person may call a module of a model, besides the name that the file gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_CELL: Final = re.compile(r"\.(?:cell|lstm_cell(?:_\d+)?|LSTM)$")
"""What many call the cell itself, below the module that a person would name."""
_GENERIC: Final = re.compile(r"lstm_cell(?:_\d+)?")
"""What a framework calls a cell by itself."""


def called(owner: str, aliases: Mapping[str, str]) -> set[str]:
    """Return its name, that of the module around it if it is a cell, and its maker's for either.

    Args:
        owner: the module that a cell's parameters belong to.
        aliases: module → what its maker calls it.
    """
    names = {owner, _CELL.sub("", owner)}
    own = {aliases[name] for name in names if name in aliases}
    return names | {name for name in own if not _GENERIC.fullmatch(name)}


def own_name(owner: str, aliases: Mapping[str, str]) -> str:
    """Return what its maker calls it, or the module around it; "" where nobody tells."""
    for name in (_CELL.sub("", owner), owner):
        if name in aliases and not _GENERIC.fullmatch(aliases[name]):
            return aliases[name]
    return ""
