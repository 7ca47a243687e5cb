"""Tensors as groups within groups, for formats that have no dotted names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from onecell.errors import ArgumentError
from onecell.text import short

Tree = dict[str, Any]
"""Name → array, or what lies below it."""


def nested(tensors: Mapping[str, np.ndarray], deepest: int) -> Tree:
    """Return what has dotted names as groups within groups, in their order.

    Raises:
        ArgumentError: a name is another's beginning, has an empty part, or more parts than
            `deepest`, which is what can be read again.
    """
    tree: Tree = {}
    for name, array in tensors.items():
        *above, last = parts = name.split(".")
        if not all(parts) or len(parts) > deepest:
            raise ArgumentError(
                f"`{short(name)}` must have 1 to {deepest} parts between its dots, none of them "
                f"empty."
            )
        place = tree
        for part in above:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ArgumentError(f"`{short(name)}` lies below what is a tensor itself.")
        if last in place:
            raise ArgumentError(f"`{short(name)}` is a tensor, and others lie below it.")
        place[last] = array
    return tree
