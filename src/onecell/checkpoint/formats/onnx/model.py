"""ONNX: the LSTM operators of a graph, at any depth, and its other tensors.

After https://onnx.ai/onnx/operators/onnx__LSTM.html. Of the graph only what an LSTM's weights are
is looked at, and of the functions that it calls: initializers, constants, and what passes them on
or moves them (`onnx_moves`); nothing is computed. The weights of the node called `/rnn/LSTM` are
read as `rnn.LSTM.W`, `.R` and `.B`. An operator that is no plain LSTM (peepholes, other
activations, clipping, coupled gates) is named, and its tensors are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.onnx.constants import (
    LONGEST_TYPE,
    Constants,
    Node,
    Scope,
    read_node,
)
from onecell.checkpoint.formats.onnx.lstms import Lstms, spelled, whole_name
from onecell.checkpoint.formats.onnx.moves import MOVES
from onecell.checkpoint.formats.onnx.tensors import (
    Beside,
    TensorPlace,
    is_readable,
    read_place,
)
from onecell.checkpoint.formats.protobuf import BYTES, Field, read_fields, read_text
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.errors import CheckpointError
from onecell.text import short

START: Final = b"\x08"
"""What a model begins with: the version of the format."""

# ModelProto, GraphProto, NodeProto and AttributeProto.
_GRAPH, _METADATA, _FUNCTION = 7, 14, 25
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15
_OUTPUT, _TYPE = 2, 4
_TENSOR, _SUBGRAPH, _SUBGRAPHS = 5, 6, 11
# FunctionProto.
_FUNCTION_INPUT, _FUNCTION_NODE, _FUNCTION_DOMAIN = 4, 7, 10

_OF_TORCH: Final = "weight_hh"
_QUANTIZED: Final = "DynamicQuantizeLSTM"
_TYPES: Final = frozenset({"LSTM", "Constant", "Identity", "If", "Loop", "Scan", _QUANTIZED})
_DEEPEST: Final = 16
_ITEM: Final = 200
_CALL: Final = 50_000
"""What a call is counted for: functions may call each other, each many times."""


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read an ONNX model; a tensor beside it is read out of its own folder only.

    Raises:
        UnsafeCheckpointError: external data outside that folder, or more than the files may ask.
        CheckpointError: it is damaged, or no ONNX model.
    """
    return read_sources(file, budget)[0]


def read_sources(file: BinaryIO, budget: Budget) -> tuple[Checkpoint, Lstms]:
    """Return what `read` does, and where in the file it was found."""
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
    found = reader.finish()
    read = Checkpoint(
        found.tensors, "onnx", "onnx", metadata, found.left_out, remarks=found.remarks
    )
    return read, found


class _Reader:
    """One walk over the graphs of a model."""

    def __init__(self, file: BinaryIO, budget: Budget, beside: Beside) -> None:
        self._file, self._budget = file, budget
        self._constants = Constants(file, budget, beside)
        self.lstms = Lstms(file, budget, self._constants)
        self._places: dict[str, TensorPlace] = {}
        self._functions: dict[tuple[str, str], tuple[Field, list[str]]] = {}
        self._matter: dict[int, list[tuple[Field, str]]] = {}
        """Where a graph begins → what `_known` says of it."""

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
                self.lstms.left_out[self._whole(path, f"sparse {part.start}")] = "a sparse tensor"
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
        name = spelled(node.name or (node.outputs or [node.kind])[0])
        inner = Scope({}, None, self._whole(scope.path, f"{name}."))
        for one, other in zip(inputs, node.inputs, strict=False):
            if (known := scope.find(other)) is not None:
                inner.places[one] = known
        for each in self._nodes(place, inner, _FUNCTION_NODE):
            self._visit(each, inner, depth + 1)

    def finish(self) -> Lstms:
        """Return every tensor: those of LSTMs first, then the others."""
        found = self.lstms
        for name, place in self._places.items():
            if id(place) in self._constants.taken:
                continue
            if not is_readable(place):
                found.left_out[name] = f"a tensor of type {place.kind}"
            elif name in found.tensors:
                found.left_out[name] = "a tensor called as an LSTM's"
            else:
                found.tensors[name] = self._constants.read(place)
                found.sources[name] = place
        for name in found.tensors:
            owner, torchs, layer = name.rpartition(_OF_TORCH)
            if torchs and layer in {"", "_l0"} and f"{owner}weight_ih{layer}" in found.tensors:
                found.remarks[owner.removesuffix(".") or "(root)"] = (
                    "an LSTM cell perhaps, by the names of torch's arrays, which other operators "
                    "use; if it is one, say --from torch"
                )
        return found

    def _add(self, scope: Scope, name: str, place: TensorPlace) -> None:
        full = self._whole(scope.path, name)
        if name in scope.places or full in self._places:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
        scope.places[name] = place
        self._places[full] = place

    def _whole(self, path: str, name: str) -> str:
        return whole_name(path, name, self._budget)

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
            self.lstms.pass_over(
                node, scope, f"an LSTM with quantized weights ({_QUANTIZED}), no LSTM cell"
            )
        elif node.domain in {"", "ai.onnx"}:
            self._visit_own(node, scope, depth)

    def _visit_own(self, node: Node, scope: Scope, depth: int) -> None:
        """Look at an operator of ONNX's own."""
        if node.kind == "LSTM":
            self.lstms.take(node, scope)
        elif node.kind == "Constant":
            for part in self.lstms.parts(node.attributes.get("value"), _TENSOR):
                place = read_place(self._file, part, self._budget)
                for name in node.outputs[:1]:
                    scope.places[name] = place
        elif node.kind == "Identity":
            for one, other in zip(node.inputs[:1], node.outputs[:1], strict=False):
                if (known := scope.find(one)) is not None:
                    scope.places.setdefault(other, known)
        else:
            name = spelled(node.name or (node.outputs or [node.kind])[0])
            for attribute, place_of in node.attributes.items():
                for part in self._fields(place_of):
                    if part.wire == BYTES and part.number in {_SUBGRAPH, _SUBGRAPHS}:
                        path = self._whole(scope.path, f"{name}.{attribute}.")
                        self.graph(part, scope, path, depth + 1)


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
