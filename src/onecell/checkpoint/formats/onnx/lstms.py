"""The LSTM operators of an ONNX model: which are cells, and what the others are instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.formats.onnx.constants import Constants, Node, Scope
from onecell.checkpoint.formats.onnx.tensors import TensorPlace, is_readable
from onecell.checkpoint.formats.protobuf import BYTES, VARINT, Field, read_fields, read_text
from onecell.checkpoint.limits import Budget
from onecell.errors import CheckpointError
from onecell.text import listed, short

# AttributeProto.
_INT, _TEXT, _TEXTS, _REFERENCE = 3, 4, 9, 21

_INPUTS: Final = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
_ACTIVATIONS: Final = ["sigmoid", "tanh", "tanh"]
_MOST_INPUTS: Final = 8
_ITEM: Final = 200


class Lstms:
    """What is read of a model, an LSTM at a time."""

    def __init__(self, file: BinaryIO, budget: Budget, constants: Constants) -> None:
        self._file, self._budget, self._constants = file, budget, constants
        self.tensors: dict[str, np.ndarray] = {}
        self.sources: dict[str, TensorPlace] = {}
        """Where in the file a tensor is."""
        self.passed_over: dict[int, str] = {}
        """Where a tensor begins → the LSTM that has it and is left out."""
        self.left_out: dict[str, str] = {}
        self.remarks: dict[str, str] = {}

    def take(self, node: Node, scope: Scope) -> None:
        """Take up the weights of one LSTM, or say what it is instead."""
        name = self._named(node, scope)
        if len(node.inputs) > _MOST_INPUTS:
            raise CheckpointError(f"the LSTM `{short(name)}` has {len(node.inputs)} inputs.")
        given = {key: each for key, each in zip(_INPUTS, node.inputs, strict=False) if each}
        keys: tuple[str, ...] = ("W", "R", "B", "P")
        places = {key: scope.find(given[key]) for key in keys if key in given}
        computed = [key for key in "WRB" if key in places and places[key] is None]
        made = {key: self._constants.made(given[key], scope) for key in computed}
        why = self._why_not(node, given, places, made)
        taken = [place for place in places.values() if place is not None]
        self._constants.taken |= {id(place): place for place in taken}
        if why:
            self._leave_out(name, why, taken, scope)
            return
        for key, at in places.items():
            if at is not None and key != "P":
                full = whole_name(name, f".{key}", self._budget)
                self.tensors[full], self.sources[full] = self._constants.read(at), at
        for key, array in made.items():
            if array is not None:
                self.tensors[whole_name(name, f".{key}", self._budget)] = array
        said = []
        if self._text(node, "direction") == "reverse":
            said.append("runs backward over its sequence; the cell is the same")
        for key in ("initial_h", "initial_c"):
            at = scope.find(given[key]) if key in given else None
            if at is not None and is_readable(at) and np.any(self._constants.read(at)):
                said.append(f"begins with a state of its own, `{short(given[key])}`")
        if said:
            self.remarks[name] = "; ".join(said)

    def pass_over(self, node: Node, scope: Scope, why: str) -> None:
        """Say of an operator why it is no LSTM cell."""
        self.remarks[self._named(node, scope)] = why

    def _leave_out(self, name: str, why: str, taken: list[TensorPlace], scope: Scope) -> None:
        """Leave an LSTM out by name, and what it has."""
        self.remarks[name] = why
        for place in taken:
            if place.whole is not None:
                self.passed_over[place.whole.start] = name
            if place.name:
                self.left_out[whole_name(scope.path, place.name, self._budget)] = why

    def _named(self, node: Node, scope: Scope) -> str:
        """Return what an LSTM is called: by its name, or its output where another has that."""
        names = dict.fromkeys([*filter(None, [node.name]), *node.outputs[:1], "LSTM"])
        whole = [whole_name(scope.path, spelled(name), self._budget) for name in names]
        free = (name for name in whole if f"{name}.W" not in self.tensors)
        if (name := next(free, None)) is None:
            raise CheckpointError(f"it holds `{short(whole[0])}` twice.")
        return name

    def _why_not(
        self,
        node: Node,
        given: Mapping[str, str],
        places: Mapping[str, TensorPlace | None],
        made: Mapping[str, np.ndarray | None],
    ) -> str:
        """Return what makes it no plain LSTM; "" if it is one."""
        for attribute in ("direction", "activations", "clip", "input_forget"):
            if any(self.parts(node.attributes.get(attribute), _REFERENCE)):
                return f"an LSTM perhaps, whose `{attribute}` a function is given"
        for keys, why in (
            ([key for key in ("W", "R") if key not in given], "missing"),
            (
                [key for key, at in places.items() if at is None and made.get(key) is None],
                "computed in the graph",
            ),
            (
                [key for key, at in places.items() if at and not is_readable(at)],
                "of a type unknown",
            ),
        ):
            if keys:
                return f"an LSTM perhaps, with {listed(keys)} {why}"
        peepholes = places.get("P")
        coupled = any(part.value for part in self.parts(node.attributes.get("input_forget"), _INT))
        activations = [
            read_text(self._file, part).lower()
            for part in self.parts(node.attributes.get("activations"), _TEXTS)
        ]
        usual = activations in ([], _ACTIVATIONS, 2 * _ACTIVATIONS)
        for there, what in (
            (
                peepholes is not None and np.count_nonzero(self._constants.read(peepholes)),
                "peepholes (P)",
            ),
            ("clip" in node.attributes, "`clip`"),
            (coupled, "`input_forget`"),
            (not usual, f"other activations ({listed(activations)})"),
        ):
            if there:
                return f"an LSTM with {what}, no LSTM cell"
        return ""

    def parts(self, place: Field | None, number: int) -> Iterator[Field]:
        """Yield the fields with this number of an attribute that is there."""
        if place is not None:
            wire = VARINT if number == _INT else BYTES
            for part in read_fields(self._file, place.start, place.end, "a node"):
                if part.number == number and part.wire == wire:
                    self._budget.take(_ITEM, "an attribute")
                    yield part

    def _text(self, node: Node, attribute: str) -> str:
        found = [
            read_text(self._file, p) for p in self.parts(node.attributes.get(attribute), _TEXT)
        ]
        return found[-1] if found else ""


def spelled(name: str) -> str:
    """Return the name of a node as a dotted one."""
    return ".".join(part for part in name.replace("/", ".").split(".") if part) or "LSTM"


def whole_name(path: str, name: str, budget: Budget) -> str:
    """Return a name behind its path, which may be long and stand before many."""
    budget.take(_ITEM + 4 * (len(path) + len(name)), "a name", name)
    return path + name
