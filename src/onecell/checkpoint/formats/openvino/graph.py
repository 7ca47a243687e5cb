"""Write LSTM cells and layers as an OpenVINO model that runs.

Inputs, outputs and forms are those of an ONNX model of the same cells, see `onnx_graph`: a step
(input, h_0, c_0) → (h_1, c_1), or a sequence (T, N, I) with states (layers·directions, N, H).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Literal

import numpy as np

from onecell.checkpoint.content import raw
from onecell.checkpoint.formats.openvino.model import KINDS
from onecell.checkpoint.formats.stacks import Layer, Stack, check_chain, stacks
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError, DtypeError
from onecell.text import listed, short

Form = Literal["step", "sequence"]

_NAMES: Final = {plain: theirs for theirs, plain in KINDS.items()}
_PRECISIONS: Final = {"boolean": "BOOL", "f16": "FP16", "f32": "FP32", "f64": "FP64"}
_ALIGNED: Final = 64
_NO_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INDEX: Final = "i64"
_ANY: Final = -1
_ACTIVATIONS: Final = {
    "activations": "sigmoid, tanh, tanh",
    "activations_alpha": "",
    "activations_beta": "",
    "clip": "0",
}

Dims = Sequence[int]


@dataclass(frozen=True, slots=True)
class _Value:
    """What a port of a layer gives."""

    layer: int
    port: int
    kind: str
    dims: tuple[int, ...]


@dataclass(slots=True)
class _Graph:
    weights: BinaryIO
    size: int = 0
    layers: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    indices: dict[tuple[int, ...], _Value] = field(default_factory=dict)

    def add(
        self,
        kind: str,
        version: str,
        inputs: Sequence[_Value] = (),
        outputs: Sequence[Dims] = (),
        *,
        of: str = "",
        name: str = "",
        names: Sequence[str] = (),
        **data: object,
    ) -> list[_Value]:
        """Add a layer whose outputs have the type `of`, and may have names; return them."""
        number = len(self.layers)
        called = name or f"{kind}_{number}"
        lines = [f"<layer{_attributes(id=number, name=called, type=kind, version=version)}>"]
        if data:
            lines.append(f"<data{_attributes(**data)}/>")
        if inputs:
            ports = [_port(n, each.kind, each.dims) for n, each in enumerate(inputs)]
            lines.append(f"<input>{''.join(ports)}</input>")
        values = [
            _Value(number, len(inputs) + n, of, tuple(dims)) for n, dims in enumerate(outputs)
        ]
        if values:
            ports = [
                _port(each.port, of, each.dims, names[n] if names else "")
                for n, each in enumerate(values)
            ]
            lines.append(f"<output>{''.join(ports)}</output>")
        self.layers.append("".join([*lines, "</layer>"]))
        for port, each in enumerate(inputs):
            ends = {"from-layer": each.layer, "from-port": each.port}
            self.edges.append(
                f"<edge{_attributes(**ends, **{'to-layer': number, 'to-port': port})}/>"
            )
        return values

    def constant(self, name: str, array: np.ndarray) -> _Value:
        """Add a constant, and write its content."""
        gap = -self.size % _ALIGNED
        content = raw(array)
        self.weights.write(bytes(gap))
        self.weights.write(content)
        start, self.size = self.size + gap, self.size + gap + len(content)
        kind = _NAMES[dtype_name(array.dtype)]
        shape = ", ".join(map(str, array.shape))
        (value,) = self.add(
            "Const", "opset1", [], [array.shape], of=kind, name=name,
            element_type=kind, shape=shape, offset=start, size=len(content),
        )  # fmt: skip
        return value

    def index(self, *numbers: int) -> _Value:
        """Add integers, once."""
        if numbers not in self.indices:
            name = f"onecell/{'_'.join(map(str, numbers))}"
            self.indices[numbers] = self.constant(name, np.array(numbers, np.int64))
        return self.indices[numbers]

    def parameter(self, name: str, kind: str, dims: Dims) -> _Value:
        """Add an input."""
        shape = ",".join("?" if size == _ANY else str(size) for size in dims)
        (value,) = self.add(
            "Parameter", "opset1", [], [dims], of=kind, name=name, names=[name],
            shape=shape, element_type=kind,
        )  # fmt: skip
        return value

    def transpose(self, value: _Value, *order: int, name: str = "") -> _Value:
        """Add a change of the order of axes."""
        dims = [value.dims[axis] for axis in order]
        inputs = [value, self.index(*order)]
        names = [name] if name else []
        (found,) = self.add("Transpose", "opset1", inputs, [dims], of=value.kind, names=names)
        return found

    def gather(self, value: _Value, *places: int) -> _Value:
        """Add the choice of places along the first axis."""
        dims = [len(places), *value.dims[1:]]
        inputs = [value, self.index(*places), self.index(0)]
        (found,) = self.add("Gather", "opset8", inputs, [dims], of=value.kind, batch_dims=0)
        return found

    def result(self, value: _Value, name: str) -> None:
        """Add an output of the model."""
        self.add("Result", "opset1", [value], name=f"{name}/result")


def write(
    file: BinaryIO,
    beside: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: Form | None = None,
) -> None:
    """Write a model of the cells among `tensors`, which have the names of the OpenVINO row.

    Raises:
        ArgumentError: a tensor is no part of a cell, layers do not follow each other, or a name
            is none that XML can hold.
        DtypeError: they are of more than one element type.
    """
    del metadata
    cells = stacks(tensors, "openvino")
    every = [array for stack in cells.values() for each in stack.layers for array in each.values()]
    if len(kinds := {dtype_name(array.dtype) for array in every}) != 1:
        raise DtypeError(
            f"an OpenVINO model here has one element type, got {listed(sorted(kinds))}."
        )
    graph = _Graph(beside)
    for name, stack in cells.items():
        if _NO_XML.search(name):
            raise ArgumentError(f"XML has no such name as {short(ascii(name))}.")
        layered = stack.named or stack.both_ways
        chosen = form or ("sequence" if layered else "step")
        (_add_step if chosen == "step" else _add_sequence)(graph, name, stack)
    layers, edges = "\n".join(graph.layers), "\n".join(graph.edges)
    text = (
        f'<?xml version="1.0"?>\n<net name="onecell" version="11">\n<layers>\n{layers}\n</layers>\n'
        f"<edges>\n{edges}\n</edges>\n</net>\n"
    )
    file.write(text.encode())


def _add_step(graph: _Graph, name: str, stack: Stack) -> None:
    """Add one cell."""
    layer, *more = check_chain(name, stack)
    if more or layer.directions > 1:
        raise ArgumentError(f"`{short(name)}` is a layer; step form is that of a single cell.")
    start = f"{name}/" if name else ""
    weights = _weights(graph, _owner(name, stack, 0), layer, axis=False)
    kind, hidden = weights[0].kind, layer.hidden
    given = [graph.parameter(f"{start}input", kind, [_ANY, layer.inputs])]
    given += [graph.parameter(f"{start}{each}", kind, [_ANY, hidden]) for each in ("h_0", "c_0")]
    ends = graph.add(
        "LSTMCell",
        "opset4",
        [*given, *weights],
        [[_ANY, hidden]] * 2,
        of=kind,
        name=_owner(name, stack, 0),
        names=[f"{start}h_1", f"{start}c_1"],
        hidden_size=hidden,
        **_ACTIVATIONS,
    )
    for end, each in zip(ends, ("h_1", "c_1"), strict=True):
        graph.result(end, start + each)


def _add_sequence(graph: _Graph, name: str, stack: Stack) -> None:
    """Add a stack of layers, or one cell, over time."""
    layers = check_chain(name, stack)
    start = f"{name}/" if name else ""
    first = layers[0]
    ways, hidden = first.directions, first.hidden
    kind = _NAMES[dtype_name(first.arrays["W"].dtype)]
    whole = graph.parameter(f"{start}input", kind, [_ANY, _ANY, first.inputs])
    states = [
        graph.parameter(f"{start}{each}", kind, [len(layers) * ways, _ANY, hidden])
        for each in ("h_0", "c_0")
    ]
    x = graph.transpose(whole, 1, 0, 2)
    (sizes,) = graph.add("ShapeOf", "opset3", [x], [[3]], of=_INDEX, output_type=_INDEX)
    counts = [graph.gather(sizes, 1), graph.gather(sizes, 0)]
    (lengths,) = graph.add("Broadcast", "opset3", counts, [[_ANY]], of=_INDEX, mode="numpy")
    ends: list[list[_Value]] = [[], []]
    for number, layer in enumerate(layers):
        own = range(number * ways, (number + 1) * ways)
        parts = [graph.gather(s, *own) if len(layers) > 1 else s for s in states]
        begin = [graph.transpose(part, 1, 0, 2) for part in parts]
        owner = _owner(name, stack, number)
        over_time, *last = graph.add(
            "LSTMSequence",
            "opset5",
            [x, *begin, lengths, *_weights(graph, owner, layer, axis=True)],
            [[_ANY, ways, _ANY, hidden], *[[_ANY, ways, hidden]] * 2],
            of=kind,
            name=owner,
            direction="bidirectional" if ways > 1 else "forward",
            hidden_size=hidden,
            **_ACTIVATIONS,
        )
        for found, each in zip(ends, last, strict=True):
            found.append(graph.transpose(each, 1, 0, 2))
        apart = graph.transpose(over_time, 0, 2, 1, 3)
        joined = [apart, graph.index(0, 0, -1)]
        (x,) = graph.add(
            "Reshape",
            "opset1",
            joined,
            [[_ANY, _ANY, ways * hidden]],
            of=kind,
            special_zero="true",
        )
    graph.result(graph.transpose(x, 1, 0, 2, name=f"{start}output"), f"{start}output")
    for found, last_name in zip(ends, ("h_n", "c_n"), strict=True):
        dims = [len(layers) * ways, _ANY, hidden]
        (end,) = graph.add(
            "Concat", "opset1", found, [dims], of=kind, names=[start + last_name], axis=0
        )
        graph.result(end, start + last_name)


def _owner(name: str, stack: Stack, number: int) -> str:
    """Return what the operator of a layer is called."""
    own = f"{name}{'.' if name else ''}l{number}" if stack.named else name
    return own or "LSTM"


def _weights(graph: _Graph, name: str, layer: Layer, *, axis: bool) -> list[_Value]:
    """Add the constants of a layer, with their axis of directions or without."""
    arrays = {key: layer.arrays[key] for key in ("W", "R", "B")}
    return [
        graph.constant(f"{name}/{key}", array if axis else array[0])
        for key, array in arrays.items()
    ]


def _attributes(**values: object) -> str:
    """Return attributes; line ends and tabs would be read as spaces if they stood as they are."""
    texts = {name: html.escape(str(value)) for name, value in values.items()}
    for plain in "\t\n\r":
        texts = {name: text.replace(plain, f"&#{ord(plain)};") for name, text in texts.items()}
    return "".join(f' {name}="{text}"' for name, text in texts.items())


def _port(number: int, kind: str, dims: Dims, name: str = "") -> str:
    sizes = "".join(f"<dim>{size}</dim>" for size in dims)
    escaped = {"names": name.replace("\\", "\\\\").replace(",", "\\,")} if name else {}
    precision = _PRECISIONS.get(kind, kind.upper())
    return f"<port{_attributes(id=number, precision=precision, **escaped)}>{sizes}</port>"
