"""Source bytes as the text that the engine sees, and back with every untouched line as it was.

The engine sees text with line feeds alone at the ends of lines, no byte order mark and no form feed
before code: what LibCST gives back byte for byte. What was taken away is put back line by line.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Self

from onecell.errors import SourceError

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BYTE_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_FIRST_END = re.compile(r"[ \t\f]*(?:\r\n|\r|\n)")
_END = re.compile(r"(?:\r\n|\r|\n)\Z")
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_FORM_FEED = re.compile(r"[ \t\f]*\f(?=[ \t]*[^\s])")


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file, and how to make bytes of it again."""

    text: str
    """For the engine."""
    encoding: str
    bom: bool
    original: str
    """The same text with line ends and form feeds as in the file."""
    tail: str
    """Blank lines at the end of the file, which LibCST does not always give back."""

    @classmethod
    def of(cls, original: str, *, encoding: str = "utf-8", bom: bool = False) -> Self:
        """Return what the engine sees of a text, with all that it takes to go back."""
        last = len(original.rstrip(" \t\f\r\n"))
        end = _FIRST_END.match(original, last)
        stop = end.end() if end else len(original)
        if original[last - 1 : last] == "\\" or _is_loose(original[:last]):
            # Comments that LibCST does not always give back, or a line that goes on.
            stop = _end_of_code(original)
        body, tail = original[:stop], original[stop:]
        text = "".join(_simplify(line) for line in _LINE.findall(body))
        return cls(text=text, encoding=encoding, bom=bom, original=body, tail=tail)

    def encode(self, after: str) -> bytes:
        """Return the bytes of the rewritten text: untouched lines have those of the file.

        Raises:
            SourceError: a form feed of the file would be lost, or the new text has characters
                that the file's encoding lacks.
        """
        whole = self.restore(after)
        try:
            return _BOM * self.bom + whole.encode(self.encoding)
        except UnicodeEncodeError as error:
            lacking = error.object[error.start : error.end]
            raise SourceError(
                f"the rewritten text has {lacking!r}, which its encoding {self.encoding} lacks"
            ) from None

    def restore(self, after: str) -> str:
        """Return rewritten text with the line ends and form feeds of the original.

        Raises:
            SourceError: a form feed of the original would be lost.
        """
        return self._restore_lines(after) + self.tail

    def _restore_lines(self, after: str) -> str:
        if self.original == self.text:
            return after
        old = _LINE.findall(self.original)
        ends = Counter(end.group() for line in old if (end := _END.search(line)))
        usual = ends.most_common(1)[0][0] if ends else "\n"
        if len(ends) == 1 and self.original.replace(usual, "\n") == self.text:
            return after.replace("\n", usual)
        return "".join(
            _aligned(old, [_simplify(line) for line in old], _LINE.findall(after), usual)
        )


def _is_loose(text: str) -> bool:
    """Whether a text ends in comments with an indented line among them."""
    if not re.search(r"(?:^|[\r\n])[ \t\f]*#[^\r\n]*\Z", text[-1000:]):
        return False
    for line in reversed(_LINE.findall(text)):
        if line.strip() and not line.lstrip().startswith("#"):
            return False
        if line[0] in " \t\f":
            return True
    return False


def _end_of_code(text: str) -> int:
    """Return where the last line of code ends, without its own comment; all of it if unsure."""
    code = (1, 0)
    try:
        for each in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if each.type not in _NO_CODE:
                code = each.end
    except (SyntaxError, tokenize.TokenError):
        return len(text)
    before = io.StringIO(text, newline="").readlines()[: code[0] - 1]
    return sum(map(len, before)) + code[1]


def decode(data: bytes) -> Text:
    """Return the text of a Python file, as PEP 263 says how to find it.

    Raises:
        SourceError: the encoding is unknown, the bytes are not in it, or do not come back from it.
    """
    lines = iter(_BYTE_LINE.findall(data[:10_000]))
    try:
        encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
        bom = encoding == "utf-8-sig"
        encoding = encoding.removesuffix("-sig") if bom else encoding
        body = data[len(_BOM) :] if bom else data
        original = body.decode(encoding)
        same = original.encode(encoding) == body
    except SyntaxError as error:
        raise SourceError(f"its encoding: {error.msg}") from None
    except UnicodeDecodeError as error:
        line = len(_BYTE_LINE.findall(data[: error.start])) or 1
        raise SourceError(
            f"not {encoding}: line {line} has the byte {error.object[error.start]:#x}"
        ) from None
    except (LookupError, UnicodeError) as error:
        raise SourceError(f"its encoding: {error}") from None
    if not same:
        raise SourceError(f"its bytes are not the ones that {encoding} would write")
    return Text.of(original, encoding=encoding, bom=bom)


def _simplify(line: str) -> str:
    """Return a line as the engine sees it.

    A form feed before code sets the column to 0 for CPython, so all before it goes with it.
    """
    body = _END.sub("\n", line)
    lost = _lost(body)
    return body[lost.end() :] if lost else body


def _lost(line: str) -> re.Match[str] | None:
    """Return the beginning of a line that the engine does not see, if it has one."""
    return _FORM_FEED.match(line)


def _aligned(old: list[str], simple: list[str], new: list[str], usual: str) -> Iterator[str]:
    """Yield the lines of `new`: those that were there as in `old`, the others with a fit end."""
    # Around the first and the last change, lines that stand more than once are these very ones.
    first = _count_equal(simple, new)
    last = _count_equal(simple[first:][::-1], new[first:][::-1])
    yield from old[:first]
    inside, new_inside = simple[first : len(old) - last], new[first : len(new) - last]
    old_inside = old[first : len(old) - last]
    yield from _aligned_inside(old_inside, inside, new_inside, usual, first)
    yield from old[len(old) - last :]


def _count_equal(some: list[str], others: list[str]) -> int:
    """Return how many lines are the same at the beginning of both."""
    pairs = zip(some, others, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(some), len(others)))


def _aligned_inside(
    old: list[str], simple: list[str], new: list[str], usual: str, above: int
) -> Iterator[str]:
    match = SequenceMatcher(None, simple, new, autojunk=False)
    for what, start, stop, new_start, new_stop in match.get_opcodes():
        if what == "equal":
            yield from old[start:stop]
            continue
        feeds = {at: found.group() for at in range(start, stop) if (found := _lost(old[at]))}
        if feeds and stop - start != new_stop - new_start:
            raise SourceError(f"line {above + min(feeds) + 1} has a form feed, which would be lost")
        for at, line in enumerate(new[new_start:new_stop], start):
            end = _END.search(old[at]) if at < stop else None
            yield feeds.get(at, "") + _END.sub(end.group() if end else usual, line)
