"""Nested containers by dotted path: {"model": {"head": t}} holds `model.head`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from onecell.checkpoint.inert import Global, Pairs, TensorPlan, Unreadable
from onecell.checkpoint.limits import OVERHEAD, Budget
from onecell.errors import CheckpointError

_DEEPEST: Final = 100


def flatten(
    tree: object, cut: Callable[[str, TensorPlan], np.ndarray], budget: Budget
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the tensors in `tree`, cut by `cut`, and its plain values as text, by dotted path.

    A dictionary adds its keys to the path, a list or tuple its indices.

    Raises:
        CheckpointError: two things have the same path, a key is no plain value, a tensor cannot
            be read, or the nesting has no end.
    """
    if isinstance(tree, TensorPlan | Unreadable):
        tree = Pairs([("tensor", tree)])  # `torch.save(tensor)`: it has no name of its own
    tensors: dict[str, np.ndarray] = {}
    values: dict[str, str] = {}
    for path, leaf in _leaves(tree, "", 0, budget):
        if path in tensors or path in values:
            raise CheckpointError(f"it holds `{path}` twice.")
        if isinstance(leaf, Unreadable):
            raise CheckpointError(f"`{path}` {leaf.reason}.")
        if isinstance(leaf, TensorPlan):
            tensors[path] = cut(path, leaf)
        else:
            values[path] = _as_text(path, leaf)
    return tensors, values


def _leaves(node: object, path: str, depth: int, budget: Budget) -> Iterator[tuple[str, object]]:
    """Yield (path, leaf) in file order; every visit is paid for, as a node may be shared."""
    budget.take(OVERHEAD + len(path), f"the entry `{path[-200:]}`")
    if depth > _DEEPEST:
        raise CheckpointError(f"`{path[:200]}` is nested deeper than {_DEEPEST} containers.")
    if isinstance(node, Pairs):
        children = ((_key(path, key), value) for key, value in node.items)
    elif isinstance(node, list | tuple):
        children = ((str(index), value) for index, value in enumerate(node))
    else:
        yield path, node
        return
    for name, value in children:
        yield from _leaves(value, f"{path}.{name}" if depth else name, depth + 1, budget)


def _key(path: str, key: object) -> str:
    if not isinstance(key, str | int | float | bool | None):
        raise CheckpointError(
            f"a key inside `{path}` is a {type(key).__name__}, not a plain value."
        )
    return str(key)


def _as_text(path: str, leaf: object) -> str:
    if isinstance(leaf, Global):
        return leaf.name
    if leaf is None or isinstance(leaf, str | int | float | complex | bytes):
        return leaf if isinstance(leaf, str) else repr(leaf)
    raise CheckpointError(f"`{path}` is neither a tensor nor a plain value.")
