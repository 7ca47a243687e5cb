"""Where the parts of a JSON text are, so that one can be replaced and the rest keeps its bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from onecell.errors import SourceError

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


class Span(NamedTuple):
    """A part of a text: `text[start:stop]`."""

    start: int
    stop: int


class Member(NamedTuple):
    """One key of an object, and where its value is."""

    key: str
    span: Span


def object_members(text: str, span: Span) -> list[Member]:
    """Return the members of the object at `span`, in order.

    Raises:
        SourceError: there is no object, or it is not JSON.
    """
    return [Member(key, value) for key, value in _parts(text, span, "{}")]


def array_items(text: str, span: Span) -> list[Span]:
    """Return where the items of the array at `span` are.

    Raises:
        SourceError: there is no array, or it is not JSON.
    """
    return [value for _, value in _parts(text, span, "[]")]


def _parts(text: str, span: Span, brackets: str) -> Iterator[tuple[str, Span]]:
    at = _skip(text, span.start)
    _expect(text, at, brackets[0])
    at = _skip(text, at + 1)
    if text[at : at + 1] == brackets[1]:
        return
    while True:
        key = ""
        if brackets == "{}":
            _expect(text, at, '"')
            key, at = _decode(text, at)
            at = _skip(text, at)
            _expect(text, at, ":")
            at = _skip(text, at + 1)
        _, stop = _decode(text, at)
        yield key, Span(at, stop)
        at = _skip(text, stop)
        if text[at : at + 1] == brackets[1]:
            return
        _expect(text, at, ",")
        at = _skip(text, at + 1)


def _decode(text: str, at: int) -> tuple[str, int]:
    """Return the value at `at`, of which only a key is used, and where it ends."""
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise SourceError(f"not JSON: line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise SourceError("not a notebook: nested too deeply") from None


def _expect(text: str, at: int, character: str) -> None:
    if text[at : at + 1] != character:
        line = text.count("\n", 0, at) + 1
        found = repr(text[at]) if at < len(text) else "the end"
        raise SourceError(f"not a notebook: line {line} has {found} where `{character}` should be")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
