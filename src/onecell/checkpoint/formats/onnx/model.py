"""ONNX: the LSTM operators of a graph, at any depth, and its other tensors.

After https://onnx.ai/onnx/operators/onnx__LSTM.html. Of the graph only what an LSTM's weights are
is looked at, and of the functions that it calls: initializers, constants, and what passes them on
or moves them (`onnx_moves`); nothing is computed. The weights of the node called `/rnn/LSTM` are
read as `rnn.LSTM.W`, `.R` and `.B`. An operator that is no plain LSTM (peepholes, other
activations, clipping, coupled gates) is named, and its tensors are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.onnx.constants import (
    LONGEST_TYPE,
    Constants,
    Node,
    Scope,
    read_node,
)
from onecell.checkpoint.formats.onnx.moves import MOVES
from onecell.checkpoint.formats.onnx.tensors import (
    Beside,
    TensorPlace,
    is_readable,
    read_place,
)
from onecell.checkpoint.formats.protobuf import BYTES, VARINT, Field, read_fields, read_text
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.errors import CheckpointError
from onecell.text import listed, short

START: Final = b"\x08"
"""What a model begins with: the version of the format."""

# ModelProto, GraphProto, NodeProto and AttributeProto.
_GRAPH, _METADATA, _FUNCTION = 7, 14, 25
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15
_INPUT, _OUTPUT, _NAME, _TYPE, _ATTRIBUTE, _DOMAIN = 1, 2, 3, 4, 5, 7
_INT, _TEXT, _TENSOR, _SUBGRAPH, _TEXTS, _SUBGRAPHS, _REFERENCE = 3, 4, 5, 6, 9, 11, 21
# FunctionProto.
_FUNCTION_INPUT, _FUNCTION_NODE, _FUNCTION_DOMAIN = 4, 7, 10

_INPUTS: Final = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
_ACTIVATIONS: Final = ["sigmoid", "tanh", "tanh"]
_OF_TORCH: Final = "weight_hh"
_QUANTIZED: Final = "DynamicQuantizeLSTM"
_TYPES: Final = frozenset({"LSTM", "Constant", "Identity", "If", "Loop", "Scan", _QUANTIZED})
_DEEPEST: Final = 16
_ITEM: Final = 200
_CALL: Final = 50_000
"""What a call is counted for: functions may call each other, each many times."""
_MOST_INPUTS: Final = 8


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read an ONNX model; a tensor beside it is read out of its own folder only.

    Raises:
        UnsafeCheckpointError: external data outside that folder, or more than the files may ask.
        CheckpointError: it is damaged, or no ONNX model.
    """
    return read_sources(file, budget)[0]


def read_sources(
    file: BinaryIO, budget: Budget
) -> tuple[Checkpoint, Mapping[str, TensorPlace], Mapping[int, str]]:
    """Return what `read` does, and where in the file each of its tensors is.

    The last: where a tensor begins → the LSTM that has it and is left out.
    """
    graph: Field | None = None
    metadata: dict[str, str] = {}
    functions: list[Field] = []
    for part in read_fields(file, 0, budget.file_size, "the file"):
        if part.number == _GRAPH and part.wire == BYTES:
            if graph is not None:
                raise CheckpointError("it holds two graphs.")
            graph = part
        elif part.number == _METADATA and part.wire == BYTES:
            _read_metadata(file, part, metadata, budget)
        elif part.number == _FUNCTION and part.wire == BYTES:
            functions.append(part)
    if graph is None:
        raise CheckpointError("it is no ONNX model: it has no graph.")
    reader = _Reader(file, budget, Beside(Path(file.name).parent))
    for place in functions:
        reader.function(place)
    reader.graph(graph, None, "", 0)
    read = Checkpoint(
        reader.finish(), "onnx", "onnx", metadata, reader.left_out, remarks=reader.remarks
    )
    return read, reader.sources, reader.passed_over


class _Reader:
    """One walk over the graphs of a model."""

    def __init__(self, file: BinaryIO, budget: Budget, beside: Beside) -> None:
        self._file, self._budget = file, budget
        self._constants = Constants(file, budget, beside)
        self._places: dict[str, TensorPlace] = {}
        self._tensors: dict[str, np.ndarray] = {}
        self._functions: dict[tuple[str, str], tuple[Field, list[str]]] = {}
        self._matter: dict[int, list[tuple[Field, str]]] = {}
        """Where a graph begins → what `_known` says of it."""
        self.sources: dict[str, TensorPlace] = {}
        self.passed_over: dict[int, str] = {}
        self.left_out: dict[str, str] = {}
        self.remarks: dict[str, str] = {}

    def graph(self, place: Field, outer: Scope | None, path: str, depth: int) -> None:
        """Read the initializers of a graph, then the LSTMs in it and in the graphs inside."""
        if depth > _DEEPEST:
            raise CheckpointError(f"its graphs are nested deeper than {_DEEPEST}.")
        scope = Scope({}, outer, path)
        for part in read_fields(self._file, place.start, place.end, "a graph"):
            if part.number == _INITIALIZER and part.wire == BYTES:
                found = read_place(self._file, part, self._budget)
                self._add(scope, found.name, found)
            elif part.number == _SPARSE and part.wire == BYTES:
                self.left_out[self._whole(path, f"sparse {part.start}")] = "a sparse tensor"
        for node in self._nodes(place, scope, _NODE):
            self._visit(node, scope, depth)

    def function(self, place: Field) -> None:
        """Take up a function of the model, to be read where it is called."""
        texts: dict[int, list[str]] = {1: [""], _FUNCTION_DOMAIN: [""], _FUNCTION_INPUT: []}
        for part in self._fields(place):
            if part.wire == BYTES and part.number in texts:
                self._budget.take(_ITEM, "a function")
                texts[part.number].append(read_text(self._file, part))
        key = (texts[_FUNCTION_DOMAIN][-1], texts[1][-1])
        if key in self._functions:
            raise CheckpointError(f"it holds the function `{short(key[1])}` twice.")
        self._functions[key] = place, texts[_FUNCTION_INPUT]

    def _call(self, node: Node, scope: Scope, depth: int) -> None:
        """Read the LSTMs in a function, given what it is called with."""
        if depth >= _DEEPEST:
            raise CheckpointError(f"its functions call each other deeper than {_DEEPEST}.")
        self._budget.take(_CALL, "a call")
        place, inputs = self._functions[node.domain, node.kind]
        name = _spelled(node.name or (node.outputs or [node.kind])[0])
        inner = Scope({}, None, self._whole(scope.path, f"{name}."))
        for one, other in zip(inputs, node.inputs, strict=False):
            if (known := scope.find(other)) is not None:
                inner.places[one] = known
        for each in self._nodes(place, inner, _FUNCTION_NODE):
            self._visit(each, inner, depth + 1)

    def finish(self) -> dict[str, np.ndarray]:
        """Return every tensor: those of LSTMs first, then the others."""
        for name, place in self._places.items():
            if id(place) in self._constants.taken:
                continue
            if not is_readable(place):
                self.left_out[name] = f"a tensor of type {place.kind}"
            elif name in self._tensors:
                self.left_out[name] = "a tensor called as an LSTM's"
            else:
                self._tensors[name], self.sources[name] = self._constants.read(place), place
        for name in self._tensors:
            owner, found, layer = name.rpartition(_OF_TORCH)
            if found and layer in {"", "_l0"} and f"{owner}weight_ih{layer}" in self._tensors:
                self.remarks[owner.removesuffix(".") or "(root)"] = (
                    "an LSTM cell perhaps, by the names of torch's arrays, which other operators "
                    "use; if it is one, say --from torch"
                )
        return self._tensors

    def _add(self, scope: Scope, name: str, place: TensorPlace) -> None:
        full = self._whole(scope.path, name)
        if name in scope.places or full in self._places:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
        scope.places[name] = place
        self._places[full] = place

    def _whole(self, path: str, name: str) -> str:
        """Return a name behind its path, which may be long and stand before many."""
        self._budget.take(_ITEM + 4 * (len(path) + len(name)), "a name", name)
        return path + name

    def _nodes(self, graph: Field, scope: Scope, number: int) -> Iterator[Node]:
        """Yield the nodes that matter, `_TYPES` and calls; note what moves numbers."""
        for place, kind in self._known(graph, number):
            if kind not in MOVES:
                yield read_node(self._file, place, kind, self._budget)
                continue
            for part in self._fields(place):
                if part.number == _OUTPUT and part.wire == BYTES:
                    self._budget.take(_ITEM + part.size, "a node")
                    scope.moved.setdefault(read_text(self._file, part), place)

    def _known(self, graph: Field, number: int) -> list[tuple[Field, str]]:
        """Return where nodes that matter are, and their kinds; of one graph they are read once."""
        if graph.start in self._matter:
            return self._matter[graph.start]
        wanted = _TYPES | MOVES | {name for _, name in self._functions}
        found: list[tuple[Field, str]] = []
        for place in read_fields(self._file, graph.start, graph.end, "a graph"):
            if place.number != number or place.wire != BYTES:
                continue
            kind = ""
            for part in self._fields(place):
                if part.number == _TYPE and part.wire == BYTES and part.size < LONGEST_TYPE:
                    kind = read_text(self._file, part)
            if kind in wanted:
                self._budget.take(_ITEM, "a node")
                found.append((place, kind))
        self._matter[graph.start] = found
        return found

    def _fields(self, place: Field) -> Iterator[Field]:
        return read_fields(self._file, place.start, place.end, "a node")

    def _visit(self, node: Node, scope: Scope, depth: int) -> None:
        if (node.domain, node.kind) in self._functions:
            self._call(node, scope, depth)
        elif node.kind == _QUANTIZED:
            name = self._named(node, scope)
            self.remarks[name] = f"an LSTM with quantized weights ({_QUANTIZED}), no LSTM cell"
        elif node.domain in {"", "ai.onnx"}:
            self._visit_own(node, scope, depth)

    def _visit_own(self, node: Node, scope: Scope, depth: int) -> None:
        """Look at an operator of ONNX's own."""
        if node.kind == "LSTM":
            self._lstm(node, scope)
        elif node.kind == "Constant":
            for part in self._in(node.attributes.get("value"), _TENSOR):
                place = read_place(self._file, part, self._budget)
                for name in node.outputs[:1]:
                    scope.places[name] = place
        elif node.kind == "Identity":
            for one, other in zip(node.inputs[:1], node.outputs[:1], strict=False):
                if (known := scope.find(one)) is not None:
                    scope.places.setdefault(other, known)
        else:
            name = _spelled(node.name or (node.outputs or [node.kind])[0])
            for attribute, place_of in node.attributes.items():
                for part in self._fields(place_of):
                    if part.wire == BYTES and part.number in {_SUBGRAPH, _SUBGRAPHS}:
                        path = self._whole(scope.path, f"{name}.{attribute}.")
                        self.graph(part, scope, path, depth + 1)

    def _lstm(self, node: Node, scope: Scope) -> None:
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
            self._pass_over(name, why, taken, scope)
            return
        for key, at in places.items():
            if at is not None and key != "P":
                full = self._whole(name, f".{key}")
                self._tensors[full], self.sources[full] = self._constants.read(at), at
        for key, array in made.items():
            if array is not None:
                self._tensors[self._whole(name, f".{key}")] = array
        said = []
        if self._text(node, "direction") == "reverse":
            said.append("runs backward over its sequence; the cell is the same")
        for key in ("initial_h", "initial_c"):
            at = scope.find(given[key]) if key in given else None
            if at is not None and is_readable(at) and np.any(self._constants.read(at)):
                said.append(f"begins with a state of its own, `{short(given[key])}`")
        if said:
            self.remarks[name] = "; ".join(said)

    def _pass_over(self, name: str, why: str, taken: list[TensorPlace], scope: Scope) -> None:
        """Leave an LSTM out by name, and what it has."""
        self.remarks[name] = why
        for place in taken:
            if place.whole is not None:
                self.passed_over[place.whole.start] = name
            if place.name:
                self.left_out[self._whole(scope.path, place.name)] = why

    def _named(self, node: Node, scope: Scope) -> str:
        """Return what an LSTM is called: by its name, or its output where another has that."""
        names = dict.fromkeys([*filter(None, [node.name]), *node.outputs[:1], "LSTM"])
        whole = [self._whole(scope.path, _spelled(name)) for name in names]
        free = (name for name in whole if f"{name}.W" not in self._tensors)
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
            if any(self._in(node.attributes.get(attribute), _REFERENCE)):
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
        coupled = any(part.value for part in self._in(node.attributes.get("input_forget"), _INT))
        activations = [
            read_text(self._file, part).lower()
            for part in self._in(node.attributes.get("activations"), _TEXTS)
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

    def _in(self, place: Field | None, number: int) -> Iterator[Field]:
        """Yield the fields with this number of an attribute that is there."""
        if place is not None:
            wire = VARINT if number == _INT else BYTES
            for part in self._fields(place):
                if part.number == number and part.wire == wire:
                    self._budget.take(_ITEM, "an attribute")
                    yield part

    def _text(self, node: Node, attribute: str) -> str:
        found = [read_text(self._file, p) for p in self._in(node.attributes.get(attribute), _TEXT)]
        return found[-1] if found else ""


def _spelled(name: str) -> str:
    """Return the name of a node as a dotted one."""
    return ".".join(part for part in name.replace("/", ".").split(".") if part) or "LSTM"


def _read_metadata(file: BinaryIO, place: Field, found: dict[str, str], budget: Budget) -> None:
    """Read one entry of metadata."""
    texts = {1: "", 2: ""}
    for part in read_fields(file, place.start, place.end, "metadata"):
        if part.wire == BYTES and part.number in texts:
            budget.take(part.size, "metadata")
            file.seek(part.start)
            try:
                texts[part.number] = budget.text(
                    read_bytes(file, part.size, "metadata"), "metadata"
                )
            except UnicodeDecodeError as error:
                raise CheckpointError(f"its metadata is no text: {error}.") from None
    if texts[1] in found:
        raise CheckpointError(f"its metadata says `{short(texts[1])}` twice.")
    found[texts[1]] = texts[2]
