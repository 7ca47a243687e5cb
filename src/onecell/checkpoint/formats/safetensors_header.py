"""The JSON header of a safetensors file, read by its own small grammar.

A general JSON reader lets the last of two equal names win, accepts nesting of any depth, and makes
objects of a few bytes of text; here everything that the format does not allow is refused where it
stands, and what an entry weighs is paid for before it is made.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from onecell.checkpoint.content import MOST_DIMENSIONS
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError
from onecell.text import short

_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_STRING: Final = re.compile(rb'"((?:[^"\\\x00-\x1f]++|\\.)*+)"')
_INTEGER: Final = re.compile(rb"(?:0|[1-9][0-9]{0,18})(?![0-9.eE])")
_USUAL_PAIR: Final = re.compile(
    rb'"([\x20\x21\x23-\x5b\x5d-\x7e]*+)":"([\x20\x21\x23-\x5b\x5d-\x7e]*+)"([,}])'
)
_USUAL_ENTRY: Final = re.compile(
    rb'\{"dtype":"([A-Z0-9_]{1,16})","shape":\[((?:[0-9]{1,18}(?:,[0-9]{1,18}){0,31})?)\],'
    rb'"data_offsets":\[([0-9]{1,18}),([0-9]{1,18})\]\}'
)
_METADATA: Final = "__metadata__"
_PAIR: Final = 220  # two texts without their letters, and their places
_ENTRY: Final = 480  # an `Entry`, the array, and their places: here, in a list, in a set
_DIMENSION: Final = 56
_NO_TEXT: Final = "its header is not UTF-8 text"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the header says about one tensor."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def parse_header(
    header: bytes | bytearray, budget: Budget
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the tensors and the metadata that a header names, in its order.

    Raises:
        CheckpointError: it is not as the format says, or a name is there twice.
        UnsafeCheckpointError: what it names takes more memory than there may be.
    """
    if not header.startswith(b"{"):
        first = bytes(header[:1]).decode(errors="backslashreplace")
        raise CheckpointError(f"its header begins with {first!r}, not with '{{'.")
    reader = _Reader(header, budget)
    entries: dict[str, Entry] = {}
    metadata: dict[str, str] = {}
    names: set[str] = set()
    for name in reader.keys(names):
        if name == _METADATA:
            metadata = reader.texts()
        else:
            budget.take(_ENTRY, "the header's entry", name)
            entries[name] = reader.entry(name)
    reader.end()
    return entries, metadata


class _Reader:
    """Reads the pieces of the grammar, one after the other."""

    def __init__(self, header: bytes | bytearray, budget: Budget) -> None:
        self._header = header
        self._budget = budget
        self._at = 0

    def keys(self, seen: set[str]) -> Iterator[str]:
        """Read `{`, then yield every key, where the caller reads the value, up to `}`."""
        self._expect(b"{")
        if self._take(b"}"):
            return
        while True:
            key = self.string()
            if key in seen:
                raise CheckpointError(f"its header names `{short(key)}` twice.")
            seen.add(key)
            self._expect(b":")
            yield key
            if self._take(b"}"):
                return
            self._expect(b",")

    def texts(self) -> dict[str, str]:
        """Read an object whose values are strings."""
        texts: dict[str, str] = {}
        self._expect(b"{")
        if self._take(b"}"):
            return texts
        end = False
        while not end:
            usual = _USUAL_PAIR.match(self._header, self._at)
            if usual is not None:  # many times as fast, where there are millions
                first, second, follows = usual.groups()
                self._budget.take(_PAIR + len(first) + len(second), "the metadata")
                key, value, self._at = first.decode(), second.decode(), usual.end()
                end = follows == b"}"
            else:
                self._budget.take(_PAIR, "the metadata")
                key = self.string()
                self._expect(b":")
                value = self.string()
                end = self._take(b"}")
                if not end:
                    self._expect(b",")
            if key in texts:
                raise CheckpointError(f"its header names `{short(key)}` twice.")
            texts[key] = value
        return texts

    def string(self) -> str:
        """Read a string."""
        quoted = self._match(_STRING, "a string")[1]
        try:
            if b"\\" not in quoted:
                return self._budget.text(quoted, "its header")
            # What it is while it is turned over: bytes, text, JSON's text.
            bound = 8 * len(quoted) if len(quoted) > 1024 else 0
            self._budget.take(bound, "its header")
            value: str = json.loads(b'"%b"' % quoted)
            value.encode()
        except UnicodeDecodeError as error:
            raise CheckpointError(f"{_NO_TEXT}: {error}.") from None
        except ValueError:  # a bad escape, half a surrogate pair
            raise self._error("a string with valid escapes") from None
        self._budget.take(sys.getsizeof(value), "its header")
        self._budget.give(bound)
        return value

    def integers(self, most: int) -> tuple[int, ...]:
        """Read a list of at most `most` integers."""
        self._expect(b"[")
        values: list[int] = []
        if self._take(b"]"):
            return ()
        while len(values) < most:
            self._budget.take(_DIMENSION, "its header")
            values.append(int(self._match(_INTEGER, "an integer from 0 to 2^63")[0]))
            if self._take(b"]"):
                return tuple(values)
            self._expect(b",")
        raise self._error(f"a list of at most {most}")

    def entry(self, name: str) -> Entry:
        """Read what the header says about one tensor."""
        if usual := _USUAL_ENTRY.match(self._header, self._at):  # as every writer spells it
            kind, sizes, start, end = usual.groups()
            numbers = [start, end, *(sizes.split(b",") if sizes else [])]
            if not any(n[:1] == b"0" and len(n) > 1 for n in numbers):
                self._at = usual.end()
                self._budget.take(_DIMENSION * len(numbers), "its header")
                first, last, *shape_of = map(int, numbers)
                return Entry(sys.intern(kind.decode()), tuple(shape_of), first, last)
        dtype, fields = "", set[str]()
        shape: tuple[int, ...] = ()
        offsets: tuple[int, ...] = ()
        for field in self.keys(fields):
            if field == "dtype":
                dtype = sys.intern(self.string())
            elif field == "shape":
                shape = self.integers(MOST_DIMENSIONS)
            elif field == "data_offsets":
                offsets = self.integers(2)
            else:
                raise CheckpointError(f"its header gives `{short(name)}` a field `{short(field)}`.")
        if len(fields) == 3 and len(offsets) == 2:
            return Entry(dtype, shape, *offsets)
        raise CheckpointError(
            f"its header must give `{short(name)}` dtype, shape and two data_offsets."
        )

    def end(self) -> None:
        """Expect nothing but spaces."""
        self._skip()
        if self._at != len(self._header):
            raise self._error("the end")

    def _skip(self) -> None:
        found = _SPACE.match(self._header, self._at)
        self._at = found.end() if found else self._at

    def _take(self, character: bytes) -> bool:
        self._skip()
        found = self._header.startswith(character, self._at)
        self._at += found
        return found

    def _expect(self, character: bytes) -> None:
        if not self._take(character):
            raise self._error(f"'{character.decode()}'")

    def _match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        self._skip()
        found = pattern.match(self._header, self._at)
        if found is None:
            raise self._error(what)
        self._at = found.end()
        return found

    def _error(self, what: str) -> CheckpointError:
        came = bytes(self._header[self._at : self._at + 20]).decode(errors="backslashreplace")
        return CheckpointError(f"its header has {came!r} at {self._at}, where {what} must be.")
