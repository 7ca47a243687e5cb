"""What a nested file holds beside its tensors, as JSON: so MindSpore's files keep it.

A dictionary has its entries but for tensors, a list `null` in their place. A dictionary whose keys
are not all texts is `{"": [[key, value], …]}`, an argparse.Namespace `{"": {…}}`. The functions
that the migrator writes into ported programs (`migrate.rules.written`) save and load the same.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Container, Iterator
from typing import Any, Final

from onecell.checkpoint.limits import Budget
from onecell.checkpoint.pickles.described import Global, Pairs, TensorPlan, Unreadable
from onecell.checkpoint.pickles.inert_numpy import Array, Odd
from onecell.errors import UnsafeCheckpointError

PLAIN: Final = "plain values"
"""What the text is called in a file of MindSpore's."""

_LONG: Final = 1024
_BATCH: Final = 2**14
_WHAT: Final = "the entry"


def written(node: object, pieces: Callable[[object, Budget], Iterator[str]], budget: Budget) -> str:
    """Return what `pieces` makes of a tree, paid for before it is there."""
    whole: list[str] = []
    batch: list[str] = []
    size = 0
    for piece in itertools.chain(pieces(node, budget), [""]):
        batch.append(piece)
        size += len(piece)
        if not piece or size > _BATCH:
            budget.take(2 * size, _WHAT)  # for a moment it is there twice
            whole.append("".join(batch))
            batch, size = [], 0
    text = "".join(whole)
    budget.give(len(text))
    return text


def plain_of(tree: object, budget: Budget) -> str:
    """Return a tree of a pickle without its tensors, "" where that is too long to be kept."""
    left = budget.left
    try:
        return written(tree, _pieces, budget)
    except UnsafeCheckpointError:
        budget.left = left
        return ""


def _pieces(node: object, budget: Budget) -> Iterator[str]:
    if _is_void(node):
        yield "null"
    elif isinstance(node, Pairs):
        if node.attributes:
            yield '{"":'
        yield from _dictionary(node, budget)
        if node.attributes:
            yield "}"
    elif isinstance(node, list | tuple):
        yield "["
        for place, each in enumerate(node):
            if place:
                yield ","
            yield from _pieces(each, budget)
        yield "]"
    else:
        yield spell(node, budget)


def _dictionary(node: Pairs, budget: Budget) -> Iterator[str]:
    named = all(isinstance(key, str) and key for key, _ in node.items)
    yield "{" if named else '{"":['
    between = ""
    for key, value in node.items:
        if named and _is_void(value):
            continue
        yield f"{between}{spell(key, budget)}:" if named else f"{between}[{spell(key, budget)},"
        between = ","
        yield from _pieces(value, budget)
        if not named:
            yield "]"
    yield "}" if named else "]}"


def _is_void(node: object) -> bool:
    """Whether a node is a tensor, or what no file can hold."""
    if isinstance(node, Pairs):
        return not all(is_key(key) for key, _ in node.items)
    return isinstance(node, TensorPlan | Unreadable | Array | Odd)


def is_key(key: object) -> bool:
    """Whether a key may be part of a dotted path."""
    return isinstance(key, str | int | float | bool | None)


def spell(leaf: Any, budget: Budget) -> str:  # noqa: ANN401 - the file decides
    """Return the JSON text of one value; what JSON does not have as text."""
    if isinstance(leaf, str | bytes) and len(leaf) > _LONG:
        budget.take(12 * len(leaf), _WHAT)
        budget.give(12 * len(leaf))
    if isinstance(leaf, str | bool | int | float | None):
        return json.dumps(leaf)
    return json.dumps(leaf.name if isinstance(leaf, Global) else repr(leaf))


def chosen(plain: str, names: Container[str]) -> str:
    """Return a text of `plain_of` with those of its values alone whose dotted path is in `names`.

    Its dictionaries and lists stay, empty where nothing in them does.
    """
    tree = json.loads(plain)
    if isinstance(tree, list) and "values" in names:  # a long list of plain values alone
        return plain
    kept = _chosen(tree, "", names)
    return json.dumps(None if kept is _GONE else kept)


_GONE: Final = object()


def _chosen(value: Any, path: str, names: Container[str]) -> Any:  # noqa: ANN401 - JSON
    if path and path in names:
        return value
    inner = f"{path}." if path else ""
    if isinstance(value, list):
        found = [_chosen(each, f"{inner}{i}", names) for i, each in enumerate(value)]
        return [None if each is _GONE else each for each in found]
    if not isinstance(value, dict):
        return _GONE
    if "" in value and isinstance(value[""], list):
        pairs = [(key, _chosen(each, f"{inner}{key}", names)) for key, each in value[""]]
        return {"": [[key, None if each is _GONE else each] for key, each in pairs]}
    if "" in value:
        return {"": _chosen(value[""], path, names)}
    entries = ((key, _chosen(each, f"{inner}{key}", names)) for key, each in value.items())
    return {key: each for key, each in entries if each is not _GONE}
