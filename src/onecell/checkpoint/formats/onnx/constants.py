"""What is constant in an ONNX graph: initializers, and what the graph makes of them by moving."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.formats.onnx.moves import LONGEST, move
from onecell.checkpoint.formats.onnx.tensors import (
    Beside,
    TensorPlace,
    is_readable,
    read_tensor,
    varints,
)
from onecell.checkpoint.formats.protobuf import BYTES, VARINT, Field, read_fields, read_text
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError
from onecell.text import short

# NodeProto and AttributeProto.
_INPUT, _OUTPUT, _NAME, _TYPE, _ATTRIBUTE, _DOMAIN = 1, 2, 3, 4, 5, 7
_INT, _INTS = 3, 8
LONGEST_TYPE: Final = 512
_DEEPEST: Final = 16
_ITEM: Final = 200
_LOOKED_AT: Final = 64
"""Moving so many bytes costs as much of the budget as one that is kept: it takes time."""


@dataclass(slots=True)
class Node:
    """An operator: what it is called by, and where its attributes are."""

    kind: str
    name: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, Field] = field(default_factory=dict)


@dataclass(slots=True)
class Scope:
    """What is known by name in a graph, and in those around it."""

    places: dict[str, TensorPlace]
    outer: Scope | None
    path: str
    moved: dict[str, Field] = field(default_factory=dict)
    """Output of an operator that moves numbers → the operator."""

    def find(self, name: str) -> TensorPlace | None:
        """Return where a tensor is that is called so here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.places:
                return scope.places[name]
            scope = scope.outer
        return None

    def find_moved(self, name: str) -> tuple[Field, Scope] | None:
        """Return the operator that makes what is called so, and the graph that it is in."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.moved:
                return scope.moved[name], scope
            scope = scope.outer
        return None


def read_node(file: BinaryIO, place: Field, kind: str, budget: Budget) -> Node:
    """Read an operator without its attributes.

    Raises:
        CheckpointError: it has an attribute twice.
    """
    node = Node(kind)
    for part in read_fields(file, place.start, place.end, "a node"):
        if part.wire != BYTES:
            continue
        budget.take(_ITEM, "a node")
        if part.number in {_INPUT, _OUTPUT}:
            names = node.inputs if part.number == _INPUT else node.outputs
            names.append(read_text(file, part))
        elif part.number == _NAME:
            node.name = read_text(file, part)
        elif part.number == _DOMAIN:
            node.domain = read_text(file, part)
        elif part.number == _ATTRIBUTE:
            name = ""
            for each in read_fields(file, part.start, part.end, "a node"):
                if each.number == 1 and each.wire == BYTES:
                    name = read_text(file, each)
            if name in node.attributes:
                raise CheckpointError(f"a node has the attribute `{short(name)}` twice.")
            node.attributes[name] = part
    return node


_Known = dict[tuple[int, str], np.ndarray | None]
"""A scope and a name in it → what was made of it."""


class Constants:
    """The constants of a file."""

    def __init__(self, file: BinaryIO, budget: Budget, beside: Beside) -> None:
        self._file, self._budget, self._beside = file, budget, beside
        self.taken: dict[int, TensorPlace] = {}
        """Those that an LSTM has; held, so that nobody else has the number of one."""

    def read(self, place: TensorPlace) -> np.ndarray:
        """Return the tensor at a place."""
        return read_tensor(self._file, place, self._beside, self._budget)

    def made(self, name: str, scope: Scope) -> np.ndarray | None:
        """Return what the graph makes of constants by moving them; None if it is another thing."""
        used: dict[int, TensorPlace] = {}
        known: _Known = {}
        before = self._budget.spent
        array = self._moved(name, scope, used, known, 0)
        spent = self._budget.spent - before
        # What was moved on the way is free again. The time that it took is not.
        self._budget.give(spent - len(known) * _ITEM - spent // _LOOKED_AT)
        if array is None:
            return None
        self.taken |= used
        self._budget.take(array.nbytes, "the tensor", name)
        return np.array(array, order="C")

    def _moved(
        self, name: str, scope: Scope, used: dict[int, TensorPlace], known: _Known, depth: int
    ) -> np.ndarray | None:
        """Return what is called so; each thing is made once, however often it is used."""
        key = id(scope), name
        if key not in known:
            self._budget.take(_ITEM, "a node")
            known[key] = self._made(name, scope, used, known, depth)
        return known[key]

    def _made(
        self, name: str, scope: Scope, used: dict[int, TensorPlace], known: _Known, depth: int
    ) -> np.ndarray | None:
        if (at := scope.find(name)) is not None:
            used[id(at)] = at
            return self.read(at) if is_readable(at) else None
        found = scope.find_moved(name)
        if found is None or depth > _DEEPEST:
            return None
        place, there = found
        kind = ""
        for part in read_fields(self._file, place.start, place.end, "a node"):
            if part.number == _TYPE and part.wire == BYTES and part.size < LONGEST_TYPE:
                kind = read_text(self._file, part)
        node = read_node(self._file, place, kind, self._budget)
        inputs: list[np.ndarray | None] = []
        for each in node.inputs[:LONGEST]:
            inputs.append(self._moved(each, there, used, known, depth + 1) if each else None)
            if each and inputs[-1] is None:
                return None
        attributes = {key: self._integers(each) for key, each in node.attributes.items()}
        # No move makes more than what it is given.
        self._budget.take(sum(a.nbytes for a in inputs if a is not None), "the tensor", name)
        return move(kind, inputs, attributes, node.outputs.index(name), len(node.outputs))

    def _integers(self, attribute: Field) -> list[int]:
        """Return the whole numbers of an attribute."""
        found: list[int] = []
        for part in read_fields(self._file, attribute.start, attribute.end, "an attribute"):
            if part.number in {_INT, _INTS} and part.wire == VARINT:
                self._budget.take(_ITEM, "an attribute")
                found.append(part.value)
            elif part.number == _INTS and part.wire == BYTES:
                found += varints(self._file, part, self._budget, LONGEST)
        return [value - (2**64 if value >= 2**63 else 0) for value in found]
