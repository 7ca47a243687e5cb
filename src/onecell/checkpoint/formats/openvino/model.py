"""Read an OpenVINO model: the weights of its LSTM operators, and its other constants.

After https://docs.openvino.ai/2024/documentation/openvino-ir-format/operation-sets.html. Nothing
is computed: weights are constants, perhaps made another type (a model that is kept in float16).
Those of the layer `rnn/lstm` are read as `rnn.lstm.W`, `.R` and `.B`. An operator that is no plain
LSTM (peepholes, other activations, clipping, coupled gates) is named, and its weights are left out.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import DTYPES, Checkpoint
from onecell.checkpoint.formats.onnx.tensors import inside
from onecell.checkpoint.formats.openvino.net import LSTMS, Net, Source, read_nets, spelled
from onecell.checkpoint.formats.openvino.xml_tree import Element
from onecell.checkpoint.limits import Budget, count_bytes, read_array, read_bytes
from onecell.dtypes import FLOAT_NAMES, dtype_name, narrow, widen
from onecell.errors import CheckpointError
from onecell.text import listed, short

START: Final = b"<"
WEIGHTS: Final = ".bin"

KINDS: Final = {
    "f64": "float64",
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
    "boolean": "bool",
}
"""Its name of an element type → ours."""
_OLDER: Final = {"fp64": "f64", "fp32": "f32", "fp16": "f16", "bool": "boolean"}
"""How the type of a port is spelled, where it is otherwise."""

_STATES: Final = {"LSTMCell": 3, "LSTMSequence": 4}
"""How many inputs come before the weights: X, H, C and the lengths of sequences."""
_ACTIVATIONS: Final = ["sigmoid", "tanh", "tanh"]
_GATES: Final = "fico"
_CONST: Final = 400
_INDEX: Final = re.compile(r"onecell/-?\d+(?:_-?\d+)*")
"""What `graph` calls the axes, sizes and orders that a graph goes by."""


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read a model; its constants are read out of the file beside it that has its name.

    Raises:
        UnsafeCheckpointError: that file is outside of the folder, or they ask for too much memory.
        CheckpointError: it is damaged, no model, or of a version that is not read.
    """
    return read_sources(file, budget)[0]


def read_sources(file: BinaryIO, budget: Budget) -> tuple[Checkpoint, dict[str, Source], list[Net]]:
    """Return what `read` does, where the arrays of LSTMs are by their names, and all nets."""
    budget.take(2 * budget.file_size, "the file")
    content = bytes(read_bytes(file, budget.file_size, "the file"))
    nets = read_nets(content, budget)
    with Constants(Path(file.name), budget) as constants:
        reader = _Reader(constants, budget)
        for net in nets:
            reader.lstms(net)
        for net in nets:
            reader.others(net)
    return reader.found, reader.sources, nets


class Constants:
    """The file beside a model in which its constants lie."""

    def __init__(self, model: Path, budget: Budget) -> None:
        self._model, self._budget = model, budget
        self._file: BinaryIO | None = None
        self._size = 0

    def __enter__(self) -> Constants:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def read(self, layer: Element) -> np.ndarray:
        """Return a constant; its type is one that `kind_of` knows.

        Raises:
            UnsafeCheckpointError: the file leads out of the folder, or there is too little memory.
            CheckpointError: there is no such file, or it does not hold what is said.
        """
        name = layer.get("name")
        shape = shape_of(layer)
        dtype = DTYPES[kind_of(layer)]
        nbytes = count_bytes(name, shape, dtype.itemsize)
        start, size = range_of(layer)
        if size != nbytes:
            raise CheckpointError(
                f"the tensor `{short(name)}` of shape {shape} is {nbytes} bytes, and {size} are "
                f"there."
            )
        file = self._open(name)
        if start + size > self._size:
            raise CheckpointError(
                f"`{short(name)}` is to lie at bytes {start} to {start + size} of "
                f"{short(self._beside)}, which has {self._size}."
            )
        self._budget.take(nbytes, "the tensor", name)
        file.seek(start)
        return read_array(file, shape, dtype, name)

    @property
    def _beside(self) -> str:
        return self._model.stem + WEIGHTS

    def _open(self, name: str) -> BinaryIO:
        if self._file is None:
            path = inside(self._model.parent, self._beside, name)
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self._file = open(descriptor, "rb")  # noqa: PTH123, SIM115 - a descriptor; __exit__
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise CheckpointError(f"`{short(self._beside)}` is no file.")
            self._size = state.st_size
            self._budget.add_file(self._size)
        return self._file


def range_of(layer: Element) -> tuple[int, int]:
    """Return where a constant begins, and how many bytes it has."""
    found = []
    for key in ("offset", "size"):
        text = next((each.get(key) for each in layer.all("data")), "")
        if not (text.isascii() and text.isdigit()) or len(text) > 19:
            raise CheckpointError(
                f"where `{short(layer.get('name'))}` is says {short(text, 20)!r}, no number."
            )
        found.append(int(text))
    return found[0], found[1]


def kind_of(layer: Element) -> str:
    """Return the plain name of the element type of a constant, its own where we have none."""
    told = next((each.get("element_type") for each in layer.all("data")), "")
    if not told:
        told = next((each.get("precision") for each in layer.all("output", "port")), "").lower()
        told = _OLDER.get(told, told)
    return KINDS.get(told, told)


def shape_of(layer: Element) -> tuple[int, ...]:
    """Return the shape of a constant: as it says it, else that of its output."""
    sizes = [e.get("shape") for e in layer.all("data") if "shape" in e.attributes]
    if sizes:
        texts = [each.strip() for each in sizes[0].split(",")] if sizes[0].strip() else []
    else:
        port = next(layer.all("output", "port"), None)
        texts = [] if port is None else [each.text.strip() for each in port.all("dim")]
    if not all(each.isascii() and each.isdigit() and len(each) < 20 for each in texts):
        raise CheckpointError(
            f"`{short(layer.get('name'))}` has the impossible shape {short(listed(texts))}."
        )
    return tuple(map(int, texts))


class _Reader:
    """What is taken out of the nets of a model."""

    def __init__(self, constants: Constants, budget: Budget) -> None:
        self._constants, self._budget = constants, budget
        self._taken: set[int] = set()
        self.sources: dict[str, Source] = {}
        self.found = Checkpoint({}, "openvino", "openvino", {})

    def lstms(self, net: Net) -> None:
        """Take up the weights of every LSTM of a net, or say what it is instead."""
        for number, layer in net.layers.items():
            if layer.get("type") in LSTMS:
                self._lstm(net, number, layer)

    def others(self, net: Net) -> None:
        """Take up the constants that are no LSTM's, and no number that our own graphs go by."""
        for layer in net.layers.values():
            if layer.get("type") == "Const" and id(layer) not in self._taken:
                if _INDEX.fullmatch(layer.get("name")) and kind_of(layer) == "int64":
                    continue
                name = self._whole(net, layer)
                if kind_of(layer) in DTYPES:
                    self._add(name, self._constants.read(layer))
                else:
                    self.found.left_out[name] = f"a tensor of type {short(kind_of(layer), 20)}"

    def _whole(self, net: Net, layer: Element) -> str:
        """Return the name of a layer behind that of its net, which may stand before many."""
        name = net.path + spelled(layer)
        self._budget.take(_CONST + 4 * len(name), "a name", name)
        return name

    def _add(self, name: str, array: np.ndarray) -> None:
        if name in self.found.tensors:
            raise CheckpointError(f"it holds `{short(name)}` twice.")
        self.found.tensors[name] = array

    def _lstm(self, net: Net, number: str, layer: Element) -> None:
        name = self._whole(net, layer)
        first = _STATES[layer.get("type")]
        ports = [each.get("id") for each in layer.all("input", "port")]
        given = dict(zip(("W", "R", "B", "P"), ports[first:], strict=False))
        sources = {key: net.source(number, port) for key, port in given.items()}
        there = {
            key: found
            for key, found in sources.items()
            if found is not None and all(KINDS.get(kind) in FLOAT_NAMES for kind in found.types)
        }
        constants = {key: found.constant for key, found in there.items()}
        self._taken |= {id(constant) for constant in constants.values()}
        why = _why_not(layer, set(given) - set(there), constants)
        if not why and "P" in constants and np.any(widen(self._constants.read(constants["P"]))):
            why = "an LSTM with peepholes (P), no LSTM cell"
        if why:
            self.found.remarks[name] = why
            for source in there.values():
                self.found.left_out[self._whole(source.net, source.constant)] = why
            return
        for key, source in there.items():
            if key != "P":
                self.sources[f"{name}.{key}"] = source
                self._add(f"{name}.{key}", self._made(source.constant, source.types, layer, key))
        if "B" not in there:
            weights = self.found.tensors[f"{name}.W"]
            self._add(f"{name}.B", np.zeros(weights.shape[:2], weights.dtype))
        if _setting(layer, "direction") == "reverse":
            self.found.remarks[name] = "runs backward over its sequence; the cell is the same"

    def _made(self, constant: Element, types: list[str], layer: Element, key: str) -> np.ndarray:
        """Return a constant as the operator gets it, with an axis of directions."""
        array = self._constants.read(constant)
        for kind in reversed(types):
            self._budget.take(8 * array.size, "the tensor", constant.get("name"))
            plain = KINDS[kind]
            if dtype_name(array.dtype) != plain:
                wide = widen(array) if array.dtype.kind in "fV" else array.astype(np.float64)
                array = narrow(wide, plain)
        if layer.get("type") == "LSTMCell" and array.ndim == (1 if key == "B" else 2):
            return array[np.newaxis]
        return array


def _setting(layer: Element, name: str) -> str:
    return next((each.get(name) for each in layer.all("data")), "")


def _why_not(layer: Element, computed: set[str], constants: Mapping[str, Element]) -> str:
    """Return what makes an operator no plain LSTM; "" if it is one, peepholes not yet looked at."""
    for keys, why in (
        ([key for key in ("W", "R") if key not in {*constants, *computed}], "missing"),
        (sorted(computed), "computed in the graph"),
        (
            [key for key, each in constants.items() if kind_of(each) not in DTYPES],
            "of a type unknown",
        ),
    ):
        if keys:
            return f"an LSTM perhaps, with {listed(keys)} {why}"
    names = [each.strip().lower() for each in _setting(layer, "activations").split(",")]
    clip = _setting(layer, "clip").strip() or "0"
    gates = _setting(layer, "weights_format") or _GATES
    for there, what in (
        (names not in ([""], _ACTIVATIONS), f"other activations ({listed(names)})"),
        (not _is_no_clip(clip), "`clip`"),
        (_setting(layer, "input_forget").lower() in {"true", "1"}, "`input_forget`"),
        (gates != _GATES, f"its gates in the order {short(gates, 20)}"),
    ):
        if there:
            return f"an LSTM with {what}, no LSTM cell"
    return ""


def _is_no_clip(text: str) -> bool:
    """Whether a clip does nothing: 0, or infinite."""
    try:
        return float(text) in {0.0, math.inf}
    except ValueError:
        return False
