"""The JSON header of a safetensors file, read by its own small grammar.

A general JSON reader lets the last of two equal names win, accepts nesting of any depth, and makes
objects of a few bytes of text; here everything that the format does not allow is refused where it
stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from onecell.checkpoint.limits import MOST_DIMENSIONS, OVERHEAD, Budget
from onecell.errors import CheckpointError

_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\.)*+"')
_INTEGER: Final = re.compile(r"(?:0|[1-9][0-9]{0,18})(?![0-9.eE])")
_METADATA: Final = "__metadata__"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the header says about one tensor."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def parse_header(header: bytes, budget: Budget) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the tensors and the metadata that a header names, in its order.

    Raises:
        CheckpointError: it is not as the format says, or a name is there twice.
    """
    try:
        text = header.decode()
    except UnicodeDecodeError as error:
        raise CheckpointError(f"its header is not UTF-8 text: {error}.") from None
    if not text.startswith("{"):
        raise CheckpointError(f"its header begins with {text[:1]!r}, not with '{{'.")
    reader = _Reader(text)
    entries: dict[str, Entry] = {}
    metadata: dict[str, str] = {}
    names: set[str] = set()
    for name in reader.keys(names):
        budget.take(OVERHEAD + len(name), f"the header's entry `{name:.200}`")
        if name == _METADATA:
            metadata = {key: reader.string() for key in reader.keys(set())}
        else:
            entries[name] = reader.entry(name)
    reader.end()
    return entries, metadata


class _Reader:
    """Reads the pieces of the grammar, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def keys(self, seen: set[str]) -> Iterator[str]:
        """Read `{`, then yield every key, where the caller reads the value, up to `}`."""
        self._expect("{")
        if self._take("}"):
            return
        while True:
            key = self.string()
            if key in seen:
                raise CheckpointError(f"its header names `{key:.200}` twice.")
            seen.add(key)
            self._expect(":")
            yield key
            if self._take("}"):
                return
            self._expect(",")

    def string(self) -> str:
        """Read a string."""
        quoted = self._match(_STRING, "a string")
        if "\\" not in quoted:
            return quoted[1:-1]
        try:
            value: str = json.loads(quoted)
            value.encode()
        except ValueError:  # a bad escape, half a surrogate pair
            raise self._error("a string with valid escapes") from None
        return value

    def integers(self, most: int) -> tuple[int, ...]:
        """Read a list of at most `most` integers."""
        self._expect("[")
        values: list[int] = []
        if self._take("]"):
            return ()
        while len(values) < most:
            values.append(int(self._match(_INTEGER, "an integer from 0 to 2^63")))
            if self._take("]"):
                return tuple(values)
            self._expect(",")
        raise self._error(f"a list of at most {most}")

    def entry(self, name: str) -> Entry:
        """Read what the header says about one tensor."""
        dtype, fields = "", set[str]()
        shape: tuple[int, ...] = ()
        offsets: tuple[int, ...] = ()
        for field in self.keys(fields):
            if field == "dtype":
                dtype = self.string()
            elif field == "shape":
                shape = self.integers(MOST_DIMENSIONS)
            elif field == "data_offsets":
                offsets = self.integers(2)
            else:
                raise CheckpointError(f"its header gives `{name:.200}` a field `{field:.50}`.")
        if len(fields) == 3 and len(offsets) == 2:
            return Entry(dtype, shape, *offsets)
        raise CheckpointError(
            f"its header must give `{name:.200}` dtype, shape and two data_offsets."
        )

    def end(self) -> None:
        """Expect nothing but spaces."""
        self._skip()
        if self._at != len(self._text):
            raise self._error("the end")

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _take(self, character: str) -> bool:
        self._skip()
        found = self._text.startswith(character, self._at)
        self._at += found
        return found

    def _expect(self, character: str) -> None:
        if not self._take(character):
            raise self._error(f"{character!r}")

    def _match(self, pattern: re.Pattern[str], what: str) -> str:
        self._skip()
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._error(what)
        self._at = found.end()
        return found[0]

    def _error(self, what: str) -> CheckpointError:
        came = self._text[self._at : self._at + 20]
        return CheckpointError(f"its header has {came!r} at {self._at}, where {what} must be.")
