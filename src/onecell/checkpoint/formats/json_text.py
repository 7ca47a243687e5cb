"""JSON out of files: bounded in size and nesting before it is parsed, no name twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final

from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError, UnsafeCheckpointError
from onecell.text import short

_DEEPEST: Final = 100
_MARK: Final = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)
"""A character that is escaped, or what begins and ends. Not a whole text: where its end is missing,
it would be looked for from each character of it."""
_WEIGHT: Final = {b"{": 104, b"[": 104, b":": 130, b",": 34, b'"': 40}
"""What begins, joins or ends a value → what CPython takes for that: an object or a list, a pair of
a name and a value, a number of a list and its place, half a text without its letters."""


def parse_json(content: bytes | bytearray, budget: Budget, what: str) -> Any:  # noqa: ANN401
    """Return what `content` says; objects are dictionaries.

    Raises:
        UnsafeCheckpointError: it is nested deeper than any model, or unfolds to too much.
        CheckpointError: it is no JSON, or names something twice.
    """
    letters = 2 * len(content) * (1 if content.isascii() else 4)  # as a text, and in its texts
    budget.take(letters + sum(n * content.count(mark) for mark, n in _WEIGHT.items()), what)
    depth, in_text = 0, False
    for found in _MARK.finditer(content):
        mark = found[0]
        if mark == b'"':
            in_text = not in_text
        elif not in_text:
            depth += (mark in b"[{") - (mark in b"]}")
        if depth > _DEEPEST:
            raise UnsafeCheckpointError(f"{what} is nested deeper than {_DEEPEST}.")
    try:
        return json.loads(content, object_pairs_hook=unique, parse_int=_integer)
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{what} is no JSON: {short(error, 200)}.") from None


def _integer(text: str) -> int:
    if len(text) > 20:
        raise CheckpointError(f"a whole number of {len(text)} digits is none here.")
    return int(text)


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's pairs as a dictionary; a name that comes twice is a CheckpointError."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counted.items() if count > 1)
        raise CheckpointError(f"it names `{short(twice)}` twice.")
    return found
