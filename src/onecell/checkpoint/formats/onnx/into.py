"""An ONNX model with other numbers in its LSTMs: the graph and all else stay as they are.

A tensor that lies in a file beside the model gets its numbers in the model itself, so that the old
file can be used by both; where the copy is in another folder, the data files go there with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import raw
from onecell.checkpoint.formats.onnx.model import read_sources
from onecell.checkpoint.formats.onnx.tensors import TensorPlace, inside
from onecell.checkpoint.formats.placed import InMemory, Placed
from onecell.checkpoint.formats.protobuf import (
    BYTES,
    VARINT,
    Field,
    encode_bytes_head,
    encode_varint_field,
    read_fields,
    read_text,
)
from onecell.checkpoint.limits import CHUNK, Budget
from onecell.errors import CheckpointError
from onecell.text import listed, short

_RAW, _EXTERNAL, _LOCATION = 9, 13, 14
_KEPT: Final = frozenset({1, 2, 3, 8, 12, 16})
"""Fields of a tensor that are not its numbers: sizes, type, segment, name, what is said of it."""
_DEEPEST: Final = 40
_ITEM: Final = 200

Edit = tuple[int, int, bytes]
"""Where bytes begin and end, and what is to be there."""

# The messages in which nodes and tensors are: number of the field → which message lies there.
_MESSAGES: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "function": {7: "node", 11: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "training": {1: "graph", 2: "graph"},
    "sparse": {1: "tensor", 2: "tensor"},
}


def put(file: InMemory, budget: Budget, tensors: Mapping[str, np.ndarray], target: Path) -> Placed:
    """Return a model with other arrays in it.

    Raises:
        CheckpointError: something else uses such an array as well, be it an LSTM that is left out,
            or the graph puts it together itself.
    """
    content = file.getvalue()
    _, found = read_sources(file, budget)
    sources = found.sources
    if computed := [name for name in tensors if name not in sources]:
        raise CheckpointError(
            f"{listed(computed)} are put together by the graph out of other arrays: there is no "
            f"place for them."
        )
    places = {name: sources[name] for name in tensors}
    walk = _Walk(file, budget)
    walk.message(Field(0, BYTES, 0, 0, len(content)), "model", 0)
    _check_uses(places, walk, found.passed_over)
    budget.take(3 * len(content), "the copy")
    made: dict[int, Edit] = {}
    for name, place in places.items():
        start, end, _ = edit = _edit(file, place, tensors[name])
        if start in made and made[start] != edit:
            raise CheckpointError(f"two LSTMs share `{short(place.name)}`: {short(name)}.")
        made[start] = edit
    edits = sorted(made.values())
    if all(end - start == len(new) for start, end, new in edits):
        changed = bytearray(content)
        for start, end, new in edits:
            changed[start:end] = new
    else:
        changed = bytearray(_rewrite(file, content, 0, len(content), edits))
    here, there = Path(file.name).parent, target.parent
    beside = {}
    if here.resolve() != there.resolve():
        for location in walk.locations:
            beside[there / location] = _chunks(inside(here, location, location))
    return Placed(changed, beside)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


@dataclass(slots=True)
class _Uses:
    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    domain: str = ""

    @property
    def others(self) -> list[str]:
        """The inputs besides an LSTM's weights, and those that an Identity passes on."""
        if self.kind == "Identity":
            return []
        own = self.kind == "LSTM" and self.domain in {"", "ai.onnx"}
        return self.inputs[:1] + self.inputs[4:] if own else self.inputs

    def note(self, number: int, text: str) -> None:
        """Take up a text of a node, by the number of its field."""
        if number in {1, 2}:
            (self.inputs if number == 1 else self.outputs).append(text)
        elif number == 3:
            self.name = text
        elif number == 4:
            self.kind = text
        else:
            self.domain = text


class _Walk:
    """One walk over all nodes and tensors of a model, at any depth."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._file, self._budget = file, budget
        self.nodes: list[_Uses] = []
        self.constants: dict[int, list[str]] = {}
        """Where a tensor in a Constant begins → what it is called in the graph."""
        self._tensors: list[int] = []
        self.locations: dict[str, None] = {}

    def message(self, place: Field, kind: str, depth: int) -> None:
        """Look at a message and at what lies in it."""
        if depth > _DEEPEST:
            raise CheckpointError(f"its graphs are nested deeper than {_DEEPEST}.")
        uses, before = _Uses("", "", [], []), len(self._tensors)
        if kind == "tensor":
            self._tensors.append(place.start)
        for part in read_fields(self._file, place.start, place.end, kind):
            if part.wire != BYTES:
                continue
            self._budget.take(_ITEM, "a node")
            if kind == "tensor":
                if part.number == _EXTERNAL:
                    self._location(part)
            elif part.number in _MESSAGES[kind]:
                self.message(part, _MESSAGES[kind][part.number], depth + 1)
            elif kind == "node" and part.number in {1, 2, 3, 4, 7}:
                uses.note(part.number, read_text(self._file, part))
            elif kind == "graph" and part.number == 12:
                name = [read_text(self._file, each) for each in self._texts(part, 1)]
                self.nodes.append(_Uses("the graph's output", "", name, []))
        if kind == "node":
            self.nodes.append(uses)
            if uses.kind == "Constant":
                self.constants |= dict.fromkeys(self._tensors[before:], uses.outputs)

    def _texts(self, place: Field, number: int) -> Iterator[Field]:
        for part in read_fields(self._file, place.start, place.end, "an entry"):
            if part.wire == BYTES and part.number == number:
                yield part

    def _location(self, place: Field) -> None:
        keys = [read_text(self._file, part) for part in self._texts(place, 1)]
        if keys == ["location"]:
            for part in self._texts(place, 2):
                self.locations[read_text(self._file, part)] = None


def _check_uses(
    places: Mapping[str, TensorPlace], walk: _Walk, passed_over: Mapping[int, str]
) -> None:
    """Raise `CheckpointError` where something else than a cell that is read uses an array.

    Two of these that share one are told by what they are after it.
    """
    names: dict[str, str] = {}
    for name, place in places.items():
        assert place.whole is not None  # noqa: S101 - as it was read
        if place.whole.start in passed_over:
            raise _used(name, passed_over[place.whole.start])
        called = walk.constants.get(place.whole.start, [place.name])
        names |= dict.fromkeys(filter(None, called), name)
    for node in walk.nodes:
        if node.kind == "Identity" and node.inputs and node.inputs[0] in names:
            names |= dict.fromkeys(node.outputs, names[node.inputs[0]])
    for node in walk.nodes:
        for name in node.others:
            if name in names:
                raise _used(names[name], node.name or node.kind)


def _used(name: str, by: str) -> CheckpointError:
    return CheckpointError(f"`{short(name)}` is used by `{short(by)}` as well, which would change.")


def _edit(file: BinaryIO, place: TensorPlace, array: np.ndarray) -> Edit:
    """Return where the numbers of a tensor are and what is to be there."""
    assert place.whole is not None  # noqa: S101 - as it was read
    content = bytes(raw(array))
    numbers = [n for n in place.parts if n != _LOCATION]
    if len(numbers) == 1 and place.parts[numbers[0]].size == len(content) and not place.external:
        part = place.parts[numbers[0]]
        return part.start, part.end, content
    kept = b""
    for part in read_fields(file, place.whole.start, place.whole.end, "a tensor"):
        if part.number in _KEPT:
            kept += _encoded(file, part)
    whole = kept + encode_bytes_head(_RAW, len(content)) + content
    return place.whole.start, place.whole.end, whole


def _encoded(file: BinaryIO, part: Field) -> bytes:
    """Return a field as it is on the wire."""
    if part.wire == VARINT:
        return encode_varint_field(part.number, part.value)
    file.seek(part.start)
    return encode_bytes_head(part.number, part.size) + file.read(part.size)


def _rewrite(file: BinaryIO, content: bytes, start: int, end: int, edits: list[Edit]) -> bytes:
    """Return the message between two places with other bytes in it, all lengths made to fit."""
    pieces, done = [], start
    for part in read_fields(file, start, end, "a message"):
        own = [e for e in edits if part.start <= e[0] and e[1] <= part.end]
        if part.wire != BYTES or not own:
            continue
        first, last, new = own[0]
        if (first, last) != (part.start, part.end):
            new = _rewrite(file, content, part.start, part.end, own)
        head = len(encode_bytes_head(part.number, part.size))
        pieces += [content[done : part.start - head], encode_bytes_head(part.number, len(new)), new]
        done = part.end
    return b"".join([*pieces, content[done:end]])
