"""Notebooks: the code cells are rewritten as one module; the rest of the file is not touched.

A name that one cell imports is used in the next, so the cells are joined. The new text of a cell is
spliced into the file's JSON where the old one stood: indentation, key order, outputs and all else
keep their bytes, and so does every line of a changed cell that is still there.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onecell.errors import SourceError
from onecell.migrate.rules.findings import Rewrite
from onecell.migrate.run.files import mentions_framework
from onecell.migrate.run.tasks import Answer, Task, rewrite_text
from onecell.migrate.source.limits import check_compiles, check_size
from onecell.migrate.source.magics import Masked, mask
from onecell.migrate.source.spans import Member, Span, array_items, object_members
from onecell.migrate.source.text import Text

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Cell:
    """One code cell."""

    number: int
    """Among the code cells, from 1."""
    span: Span
    """Where its `source` is in the file's text."""
    source: Text
    masked: Masked


def migrate_notebook(task: Task) -> Answer:
    """Rewrite the code cells of a notebook; as `jobs.migrate_data`.

    A cell that is not Python (`%%bash`, an unknown magic, a syntax error) is left alone, unless it
    names a framework: then nothing may be rewritten around it.

    Raises:
        SourceError: it is not a notebook of format 4, or as for a file.
    """
    text, bom = _text_of(task.data)
    cells, mark = _cells(text)
    joined, starts = _join(cells, mark)
    check_size(joined)
    done = rewrite_text(joined, task)
    shown = _without_separators(done, mark)
    numbered = tuple(zip(starts, (cell.number for cell in cells), strict=True))
    if not done.changed:
        return Answer(shown, task.data, numbered)
    after = _splice(text, cells, _parts(done.after, cells, mark))
    try:
        data = bom + after.encode()
    except UnicodeEncodeError:
        raise SourceError("it has half a character (a lone surrogate), which no file can") from None
    return Answer(shown, data, numbered)


def parts_of(data: bytes) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the Python of a notebook's code cells, joined, and (first line, number) of each.

    Raises:
        SourceError: it is not a notebook of format 4.
    """
    cells, mark = _cells(_text_of(data)[0])
    joined, starts = _join(cells, mark)
    return joined, tuple(zip(starts, (cell.number for cell in cells), strict=True))


def _text_of(data: bytes) -> tuple[str, bytes]:
    bom = _BOM if data.startswith(_BOM) else b""
    try:
        return data[len(bom) :].decode(), bom
    except UnicodeDecodeError as error:
        raise SourceError(f"not utf-8: byte {error.start} is {data[error.start]:#x}") from None


def _cells(text: str) -> tuple[list[_Cell], str]:
    """Return the cells that are Python, and a name that is nowhere in the notebook."""
    whole = _members(text, Span(0, len(text)), "it")
    if not _is_python(_value(text, whole, "metadata")):
        return [], ""
    if _value(text, whole, "nbformat") != 4 or "cells" not in whole:
        raise SourceError("not a notebook of format 4; `jupyter nbconvert --to notebook` makes one")
    mark = next(name for n in itertools.count() if (name := f"_aside{n}") not in text)
    cells: list[_Cell] = []
    number = 0
    for span in array_items(text, whole["cells"]):
        members = _members(text, span, "a cell")
        if _value(text, members, "cell_type") != "code" or "source" not in members:
            continue
        number += 1
        cell = _cell(number, members["source"], text, mark)
        if cell:
            cells.append(cell)
    return cells, mark


def _cell(number: int, span: Span, text: str, mark: str) -> _Cell | None:
    """Return a code cell; None if it is not Python and may stay out."""
    value = json.loads(text[span.start : span.stop])
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise SourceError(f"the source of code cell {number} is not text")
    source = Text.of("".join(lines))
    try:
        check_compiles(source.text, "cell", fragment=True)
        return _Cell(number, span, source, Masked(source.text, ()))
    except SourceError as error:
        masked = mask(source.text, f"{mark}_{number}")
        why = error
    if masked:
        try:
            check_compiles(masked.text, "cell", fragment=True)
            return _Cell(number, span, source, masked)
        except SourceError as error:
            why = error
    if masked and mentions_framework(source.original.encode(errors="replace")):
        raise SourceError(f"code cell {number} is {why}")
    return None


def _join(cells: Sequence[_Cell], mark: str) -> tuple[str, list[int]]:
    """Return the cells as one module, and the line on which each begins.

    Between two cells stands a line of its own: a statement, which takes no comment with it.
    """
    texts = [_whole_lines(cell.masked.text) for cell in cells]
    starts = [1]
    for text in texts:
        starts.append(starts[-1] + text.count("\n") + 1)
    last = cells[-1].masked.text if cells else ""
    return f"{mark}_\n".join([*texts[:-1], last]), starts[: len(cells)]


def _parts(joined: str, cells: Sequence[_Cell], mark: str) -> list[str]:
    """Return what became of each cell: it ends its last line if it did before.

    Raises:
        SourceError: the line between two cells is not there.
    """
    # The last cell may have gone whole, and the end of the line before it with it.
    parts = re.split(rf"^{mark}_(?:\n|\Z)", joined, flags=re.MULTILINE)
    if len(parts) != len(cells):
        raise SourceError("the border between two cells would not have survived")
    return [
        part if cell.masked.text.endswith("\n") else part.removesuffix("\n")
        for part, cell in zip(parts, cells, strict=True)
    ]


def _whole_lines(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _without_separators(done: Rewrite, mark: str) -> Rewrite:
    line = re.compile(rf"^{mark}_$", re.MULTILINE)
    before, after = (line.sub("", text) for text in (done.before, done.after))
    return Rewrite(before, after, done.findings, done.keepers)


def _splice(text: str, cells: Sequence[_Cell], parts: Sequence[str]) -> str:
    """Return the file's text with the new source of each changed cell."""
    out: list[str] = []
    at = 0
    want: list[tuple[str, str]] = []
    for cell, part in zip(cells, parts, strict=True):
        if part == cell.masked.text:
            continue
        try:
            check_compiles(part, "cell", fragment=True)
        except SourceError as error:
            raise SourceError(f"a mistake in onecell: code cell {cell.number} is {error}") from None
        new = cell.source.restore(cell.masked.restore(part))
        out += [text[at : cell.span.start], _spelled(text, cell.span, new)]
        want.append((cell.source.original + cell.source.tail, new))
        at = cell.span.stop
    after = "".join([*out, text[at:]])
    _check(text, after, want)
    return after


def _spelled(text: str, span: Span, new: str) -> str:
    """Return JSON for a cell's new source, in the form of the old."""
    ascii_only = text.isascii()
    if text[span.start] == '"':
        return json.dumps(new, ensure_ascii=ascii_only)
    spans = array_items(text, span)
    raws = [text[each.start : each.stop] for each in spans]
    values: list[str] = [json.loads(raw) for raw in raws]
    head = tail = 0
    start, stop = 0, len(new)
    while head < len(values) and new.startswith(values[head], start) and values[head][-1:] == "\n":
        start += len(values[head])
        head += 1
    while (
        tail < len(values) - head
        and values[-1 - tail]
        and new.endswith(values[-1 - tail], start, stop)
    ):
        if start < stop - len(values[-1 - tail]) and new[stop - len(values[-1 - tail]) - 1] != "\n":
            break
        stop -= len(values[-1 - tail])
        tail += 1
    known = dict(zip(values, raws, strict=True))
    middle = [
        known.get(line) or json.dumps(line, ensure_ascii=ascii_only)
        for line in re.findall(r"[^\n]*\n|[^\n]+", new[start:stop])
    ]
    tokens = [*raws[:head], *middle, *raws[len(raws) - tail :]]
    lead = text[span.start + 1 : spans[0].start]
    comma = text[spans[0].stop : spans[1].start] if len(spans) > 1 else f",{lead or ' '}"
    return f"[{lead}{comma.join(tokens)}{text[spans[-1].stop : span.stop - 1]}]"


def _check(before: str, after: str, want: Sequence[tuple[str, str]]) -> None:
    """Raise unless `after` is the notebook `before` with just these sources changed."""
    old, new = json.loads(before), json.loads(after)
    changed = []
    for was, cell in zip(old["cells"], new["cells"], strict=True):
        if was.get("source") != cell.get("source"):
            changed.append(("".join(was["source"]), "".join(cell["source"])))
            was["source"] = cell["source"]
    if changed != list(want) or json.dumps(old) != json.dumps(new):
        raise SourceError("a mistake in onecell: more than the changed cells would have changed")


def _is_python(metadata: object) -> bool:
    match metadata:
        case {"kernelspec": {"language": str(name)}} | {"language_info": {"name": str(name)}}:
            return name.lower() in {"python", "ipython"}
    return True


def _members(text: str, span: Span, what: str) -> dict[str, Span]:
    found: list[Member] = object_members(text, span)
    if len({each.key for each in found}) < len(found):
        raise SourceError(f"not a notebook: {what} has a key twice")
    return {each.key: each.span for each in found}


def _value(text: str, members: dict[str, Span], key: str) -> object:
    span = members.get(key)
    return None if span is None else json.loads(text[span.start : span.stop])
