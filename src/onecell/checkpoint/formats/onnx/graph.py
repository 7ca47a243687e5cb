"""Write LSTM cells and layers as an ONNX model that runs.

A cell is written in step form: (input, h_0, c_0) → (h_1, c_1), of shapes (N, I) and (N, H), as
`torch.nn.LSTMCell` is called. A layer, or any cell where that is asked for, is written in sequence
form: input (T, N, I) and states (layers·directions, N, H) → (output, h_n, c_n), as `torch.nn.LSTM`
is. Of several in one file each has its own inputs and outputs, under its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Literal

import numpy as np

from onecell.checkpoint.content import raw
from onecell.checkpoint.formats.onnx.tensors import KINDS
from onecell.checkpoint.formats.protobuf import (
    encode_bytes_head,
    encode_text_field,
    encode_varint_field,
)
from onecell.checkpoint.formats.stacks import Layer, check_chain, stacks
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError, DtypeError
from onecell.text import listed, short

Form = Literal["step", "sequence"]

_IR, _OPSET = 8, 17
"""Of 2022: what every runtime since then reads. bfloat16 is newer."""
_IR_BFLOAT16, _OPSET_BFLOAT16 = 10, 22
_INT64: Final = 7
_LARGEST: Final = 2**31 - 2**20
_NUMBERS: Final = {plain: number for number, plain in KINDS.items()}


@dataclass(slots=True)
class _Graph:
    nodes: list[bytes] = field(default_factory=list)
    tensors: list[tuple[str, np.ndarray]] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)
    outputs: list[bytes] = field(default_factory=list)
    constants: set[str] = field(default_factory=set)

    def add(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        name: str = "",
        attributes: Iterable[bytes] = (),
    ) -> str:
        """Add a node; return its first output."""
        self.nodes.append(
            b"".join(encode_text_field(1, each) for each in inputs)
            + b"".join(encode_text_field(2, each) for each in outputs)
            + encode_text_field(3, name or outputs[0])
            + encode_text_field(4, kind)
            + b"".join(_message(5, each) for each in attributes)
        )
        return outputs[0]

    def constant(self, name: str, values: Sequence[int]) -> str:
        """Add integers, once; return their name. No initializer: these are parameters."""
        if name not in self.constants:
            self.constants.add(name)
            tensor = encode_varint_field(1, len(values)) + encode_varint_field(2, _INT64)
            content = np.array(values, "<i8").tobytes()
            value = encode_text_field(1, "value") + _message(5, tensor + _message(9, content))
            self.add("Constant", [], [name], attributes=[value + encode_varint_field(20, 4)])
        return name


def write_tensors(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: Form | None = None,
) -> None:
    """Write a model of the cells among `tensors`, which have the names of the ONNX row.

    Raises:
        ArgumentError: a tensor is no part of a cell, layers do not follow each other, or all is
            more than a model can hold.
        DtypeError: they are of more than one element type.
    """
    cells = stacks(tensors, "onnx")
    every = [array for stack in cells.values() for each in stack.layers for array in each.values()]
    if len(kinds := {dtype_name(array.dtype) for array in every}) != 1:
        raise DtypeError(f"an ONNX file here has one element type, got {listed(sorted(kinds))}.")
    (kind,) = kinds
    graph = _Graph()
    for name, stack in cells.items():
        layers = check_chain(name, stack)
        layered = stack.named or stack.both_ways
        _add_cell(
            graph,
            name,
            layers,
            form or ("sequence" if layered else "step"),
            _NUMBERS[kind],
            named=stack.named,
        )
    _write(file, graph, metadata, newer=kind == "bfloat16")


def _write(file: BinaryIO, graph: _Graph, metadata: Mapping[str, str], *, newer: bool) -> None:
    body = _graph(graph)
    size = sum(map(len, body)) + sum(array.nbytes for _, array in graph.tensors)
    if size > _LARGEST:
        raise ArgumentError(f"the cells are {size} bytes, and an ONNX file has at most {_LARGEST}.")
    head = encode_varint_field(1, _IR_BFLOAT16 if newer else _IR) + encode_text_field(2, "onecell")
    opset = encode_varint_field(2, _OPSET_BFLOAT16 if newer else _OPSET)
    file.write(head + encode_bytes_head(7, sum(map(len, body))))
    for piece in body:
        file.write(piece)
    file.write(_message(8, opset))
    for key, text in metadata.items():
        file.write(_message(14, encode_text_field(1, key) + encode_text_field(2, text)))


def _add_cell(
    graph: _Graph, name: str, layers: Sequence[Layer], form: Form, kind: int, *, named: bool
) -> None:
    """Add one cell, or a stack of layers."""
    start = f"{name}/" if name else ""
    first, states = layers[0], len(layers) * layers[0].directions
    if form == "step" and (len(layers) > 1 or first.directions > 1):
        raise ArgumentError(f"`{short(name)}` is a layer; step form is that of a single cell.")
    x, h, c = (start + each for each in ("input", "h_0", "c_0"))
    step = form == "step"
    time: list[int | str] = [] if step else ["T"]
    state: list[int | str] = [] if step else [states]
    graph.inputs.append(_value(x, kind, [*time, "N", first.inputs]))
    graph.inputs += [_value(each, kind, [*state, "N", first.hidden]) for each in (h, c)]
    if step:
        axis = graph.constant("onecell/0", [0])
        x, h, c = (graph.add("Unsqueeze", [each, axis], [f"{each}/3d"]) for each in (x, h, c))
    ends: list[tuple[str, str]] = []
    for number, layer in enumerate(layers):
        own = f"{name}{'.' if name else ''}l{number}" if named else name
        at = (number * layer.directions, len(layers) * layer.directions)
        over_time, *last = _add_layer(graph, own or "LSTM", layer, (x, h, c), at)
        ends.append((last[0], last[1]))
        if not step:
            x = _join_directions(graph, over_time)
    names = [start + each for each in (("h_1", "c_1") if step else ("h_n", "c_n"))]
    for place, out in enumerate(names):
        parts = [end[place] for end in ends]
        if step:
            graph.add("Squeeze", [parts[0], "onecell/0"], [out])
        elif len(parts) == 1:
            graph.add("Identity", parts, [out])
        else:
            graph.add("Concat", parts, [out], attributes=[_integer("axis", 0)])
    if not step:
        graph.add("Identity", [x], [start + "output"])
        wide = layers[-1].directions * layers[-1].hidden
        graph.outputs.append(_value(start + "output", kind, ["T", "N", wide]))
    graph.outputs += [_value(out, kind, [*state, "N", first.hidden]) for out in names]


def _add_layer(
    graph: _Graph, name: str, layer: Layer, given: tuple[str, str, str], at: tuple[int, int]
) -> tuple[str, str, str]:
    """Add one layer, whose states begin at `at[0]` of `at[1]`.

    Returns:
        The names of its outputs over time, the last h and the last c.
    """
    x, h, c = given
    here, (first, count) = f"{name}/", at
    if count > layer.directions:
        ends = [graph.constant(f"onecell/{n}", [n]) for n in (first, first + layer.directions, 0)]
        h, c = (graph.add("Slice", [s, *ends], [f"{here}{s.rpartition('/')[2]}"]) for s in (h, c))
    for key, array in layer.arrays.items():
        graph.tensors.append((f"{here}{key}", array))
    bias = f"{here}B" if "B" in layer.arrays else ""
    outputs = [f"{here}Y", f"{here}Y_h", f"{here}Y_c"]
    direction = "bidirectional" if layer.directions == 2 else "forward"
    graph.add(
        "LSTM",
        [x, f"{here}W", f"{here}R", bias, "", h, c],
        outputs,
        name,
        [_integer("hidden_size", layer.hidden), _text("direction", direction)],
    )
    return outputs[0], outputs[1], outputs[2]


def _join_directions(graph: _Graph, name: str) -> str:
    """Return what has (T, N, D·H) of an output of (T, D, N, H)."""
    swapped = _integers("perm", (0, 2, 1, 3))
    apart = graph.add("Transpose", [name], [f"{name}_rows"], attributes=[swapped])
    shape = graph.constant("onecell/joined", [0, 0, -1])
    return graph.add("Reshape", [apart, shape], [f"{name}_joined"])


def _graph(graph: _Graph) -> list[bytes | memoryview]:
    """Return the pieces of a GraphProto, the contents of tensors as they lie in memory."""
    pieces: list[bytes | memoryview] = [_message(1, node) for node in graph.nodes]
    pieces.append(encode_text_field(2, "onecell"))
    for name, array in graph.tensors:
        content = raw(array)
        head = b"".join(encode_varint_field(1, size) for size in array.shape)
        head += encode_varint_field(2, _NUMBERS[dtype_name(array.dtype)])
        head += encode_text_field(8, name) + encode_bytes_head(9, len(content))
        pieces += [encode_bytes_head(5, len(head) + len(content)) + head, content]
    pieces += [_message(11, value) for value in graph.inputs]
    pieces += [_message(12, value) for value in graph.outputs]
    return pieces


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """Return a ValueInfoProto; a size that is a word may be any."""
    sizes = b"".join(
        _message(1, encode_text_field(2, s) if isinstance(s, str) else encode_varint_field(1, s))
        for s in shape
    )
    tensor = encode_varint_field(1, kind) + _message(2, sizes)
    return encode_text_field(1, name) + _message(2, _message(1, tensor))


def _integer(name: str, value: int) -> bytes:
    return encode_text_field(1, name) + encode_varint_field(3, value) + encode_varint_field(20, 2)


def _integers(name: str, values: Iterable[int]) -> bytes:
    items = b"".join(encode_varint_field(8, value) for value in values)
    return encode_text_field(1, name) + items + encode_varint_field(20, 7)


def _text(name: str, value: str) -> bytes:
    return encode_text_field(1, name) + encode_text_field(4, value) + encode_varint_field(20, 3)


def _message(number: int, content: bytes) -> bytes:
    return encode_bytes_head(number, len(content)) + content
