"""Nested containers by dotted path: {"model": {"head": t}} holds `model.head`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from onecell.checkpoint.limits import Budget
from onecell.checkpoint.pickles.described import Global, Pairs, TensorPlan, Unreadable, say
from onecell.checkpoint.pickles.inert_numpy import Array, Odd
from onecell.checkpoint.pickles.plain import is_key, plain_of, spell, written
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

if TYPE_CHECKING:
    from typing_extensions import TypeIs

MOST_PLAIN: Final = 256
"""So many plain values of one container are entries of their own; more are one entry, as JSON."""

_MOST_BY_PATH: Final = 2**16

_DEEPEST: Final = 100
_ENTRY: Final = 160  # a place in a dictionary and the head of a text
_SEEN: Final = 200  # an entry of the memo
_FEW: Final = 8  # so few plain children are looked at again rather than remembered
_ODD: Final = -1
_TENSOR: Final = -2  # or what may be one
_MOST_PIECES: Final = 2**20
_WHAT: Final = "the entry"
_ADVICE: Final = "keep its plain values in another file"


@dataclass(frozen=True, slots=True)
class Content:
    """What a tree holds, by dotted path."""

    tensors: dict[str, np.ndarray]
    values: dict[str, str]
    """Plain values as text; of large containers of plain values the JSON text."""
    left_out: dict[str, str]
    """What is neither a tensor nor plain, and what it is."""
    plain: str = ""
    """The tree without its tensors, see `plain`."""


def flatten(
    tree: object,
    cut: Callable[[str, TensorPlan], np.ndarray],
    budget: Budget,
    *,
    lenient: bool = False,
) -> Content:
    """Return the tensors in `tree`, cut by `cut`, and its plain values, by dotted path.

    A dictionary adds its keys to the path, a list or tuple its indices. A container that holds no
    tensor and more than `MOST_PLAIN` things, such as a vocabulary, is one value. Where `lenient`
    is set, a tensor that has no array, such as a quantized one, is left out by name.

    Raises:
        CheckpointError: two things have the same path, a key beside tensors is no plain value, a
            tensor cannot be read, or the nesting has no end.
    """
    whole, walk = tree, _Walk(cut, budget, lenient)
    if isinstance(tree, TensorPlan | Unreadable | Array):
        tree = Pairs([("tensor", tree)])  # `torch.save(tensor)`: it has no name of its own
    if isinstance(tree, list | tuple | Pairs) and walk.count(tree, 0) > len(tree) > MOST_PLAIN:
        tree = Pairs([("values", tree)])
    walk.visit(tree, "", 0)
    return replace(walk.content, plain=plain_of(whole, budget))


class _Walk:
    """One walk over a tree, in which one thing may be in many places; every visit is paid for."""

    def __init__(
        self,
        cut: Callable[[str, TensorPlan], np.ndarray],
        budget: Budget,
        lenient: bool,
    ) -> None:
        self._cut = cut
        self._budget = budget
        self._lenient = lenient
        self._counted: dict[int, int] = {}
        self.content = Content({}, {}, {})

    def count(self, node: object, depth: int) -> int:
        """Return how many plain values and containers a tree is, each as often as it is met.

        `_ODD` or `_TENSOR` if it holds more than these.
        """
        if not _is_container(node):
            return 1 if _is_plain(node) else _ODD if isinstance(node, Odd) else _TENSOR
        if id(node) in self._counted or depth > _DEEPEST:
            return self._counted.get(id(node), _TENSOR)
        flat = len(node) <= _FEW and not any(map(_is_container, _values(node)))
        if not flat:
            self._budget.take(_SEEN, _WHAT, advice=_ADVICE)
            self._counted[id(node)] = _TENSOR  # as long as it is open, it may hold itself
        total = _ODD if _has_odd_keys(node) else 1
        for child in _values(node):
            found = self.count(child, depth + 1)
            if found == _TENSOR:
                return _TENSOR
            total = _ODD if _ODD in (found, total) else total + found
        if total > max(_MOST_PIECES, self._budget.file_size):
            raise UnsafeCheckpointError(
                f"it unfolds to more than {total} plain values, out of {self._budget.file_size} "
                f"bytes."
            )
        if not flat:
            self._counted[id(node)] = total
        return total

    def visit(self, node: object, path: str, depth: int) -> None:
        """Take up what is at `path` and below."""
        self._budget.take(_ENTRY, _WHAT, path, _ADVICE)
        if depth > _DEEPEST:
            raise CheckpointError(f"`{short(path)}` is nested deeper than {_DEEPEST} containers.")
        if not _is_container(node):
            self._leaf(node, path)
            return
        count = self.count(node, depth) if depth else 0
        if count > MOST_PLAIN and (len(node) > MOST_PLAIN or count > _MOST_BY_PATH):
            self._once(path)
            self._whole(node, path)
        elif count == _ODD and (len(node) > MOST_PLAIN or _has_odd_keys(node)):
            self._once(path)
            self.content.left_out[path] = say(node)
        elif isinstance(node, Pairs):
            for key, value in node.items:
                self.visit(value, self._join(path, self._key(path, key), depth), depth + 1)
        else:
            for index, value in enumerate(node):
                self.visit(value, self._join(path, str(index), depth), depth + 1)

    def _join(self, path: str, key: str, depth: int) -> str:
        width = 1 if path.isascii() and key.isascii() else 4
        self._budget.take((len(path) + len(key) + 1) * width, _WHAT, path, _ADVICE)
        return f"{path}.{key}" if depth else key

    def _once(self, path: str) -> None:
        content = self.content
        if path in content.tensors or path in content.values or path in content.left_out:
            raise CheckpointError(f"it holds `{short(path)}` twice.")

    def _leaf(self, leaf: object, path: str) -> None:
        self._once(path)
        if isinstance(leaf, Unreadable) and self._lenient:
            self.content.left_out[path] = f"a tensor that {leaf.reason.partition(';')[0]}"
            return
        if isinstance(leaf, Unreadable):
            raise CheckpointError(f"`{short(path)}` {leaf.reason}.")
        if isinstance(leaf, TensorPlan):
            self.content.tensors[path] = self._cut(path, leaf)
            return
        found = leaf.cut(path, self._budget) if isinstance(leaf, Array) else leaf
        if isinstance(found, np.ndarray):
            self.content.tensors[path] = found
        elif isinstance(found, Odd):
            self.content.left_out[path] = found.what
        else:
            self.content.values[path] = self._text(path, found)

    def _text(self, path: str, leaf: object) -> str:
        if isinstance(leaf, str):
            return leaf
        if isinstance(leaf, Global):
            return leaf.name
        if isinstance(leaf, bytes):
            self._budget.take(4 * len(leaf), _WHAT, path, _ADVICE)
        if _is_plain(leaf):
            return repr(leaf)
        raise CheckpointError(f"`{short(path)}` is neither a tensor nor a plain value.")

    @staticmethod
    def _key(path: str, key: object) -> str:
        if not is_key(key):
            raise CheckpointError(
                f"a key inside `{short(path)}` is a {type(key).__name__}, not a plain value."
            )
        return str(key)

    def _whole(self, node: object, path: str) -> None:
        """Take up a tree of plain values as one JSON text, or by name if that is too long."""
        left = self._budget.left
        try:
            self.content.values[path] = written(node, self._pieces, self._budget)
        except UnsafeCheckpointError:
            self._budget.left = left
            self.content.left_out[path] = f"{say(node)}, too long to be kept as text"

    def _pieces(self, node: object, budget: Budget) -> Iterator[str]:
        if not _is_container(node):
            yield spell(node, budget)
            return
        begin, end = "{}" if isinstance(node, Pairs) else "[]"
        yield begin
        between = ""
        for child in node.items if isinstance(node, Pairs) else node:
            value = child
            if isinstance(node, Pairs):
                key, value = child
                between += spell(str(key), budget) + ":"
            if between:
                yield between
            between = ","
            yield from self._pieces(value, budget)
        yield end


def _is_container(node: object) -> TypeIs[Pairs | list[Any] | tuple[Any, ...]]:
    return isinstance(node, Pairs | list | tuple)


def _values(node: Pairs | list[Any] | tuple[Any, ...]) -> Iterable[object]:
    return (value for _, value in node.items) if isinstance(node, Pairs) else node


def _has_odd_keys(node: object) -> bool:
    return isinstance(node, Pairs) and not all(is_key(key) for key, _ in node.items)


def _is_plain(leaf: object) -> bool:
    return leaf is None or isinstance(leaf, str | int | float | complex | bytes | Global)
