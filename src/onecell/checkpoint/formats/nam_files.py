"""Neural Amp Modeler's .nam: JSON with every number of the model in one list.

After NAM/lstm.cpp of https://github.com/sdatkinson/NeuralAmpModelerCore: of each layer one matrix
over [x; h], a row for each unit of each gate, its bias, and the state that it begins with; after
the layers the head, a weight for each unit and a bias. That initial state is kept as a tensor, and
so are the numbers of the head.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.formats.placed import InMemory, Placed
from onecell.checkpoint.formats.stacks import stacks
from onecell.checkpoint.limits import Budget, read_bytes
from onecell.dtypes import widen
from onecell.errors import ArgumentError, CheckpointError, DtypeError
from onecell.text import listed, short

START: Final = b"{"
_VERSION: Final = "0.5.4"
_SIZES: Final = ("num_layers", "input_size", "hidden_size")
STATE: Final = ("initial_h", "initial_c")
"""What a layer begins with, where that is not zero."""
HEAD: Final = ("head.weight", "head.bias")
_OWNER: Final = "lstm"
_OWN: Final = frozenset({"architecture", "config", "weights"})
_FIELDS: Final = frozenset({"sample_rate", "metadata"})
"""What a model says of itself, besides its version, in numbers and objects."""


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read a .nam file of the architecture LSTM.

    Raises:
        CheckpointError: it is of another architecture, or has not the numbers that its sizes ask.
    """
    content = read_json(file, budget)
    found = Checkpoint({}, "nam", "nam", {})
    if not isinstance(content, dict) or content.get("architecture") != "LSTM":
        kind = content.get("architecture") if isinstance(content, dict) else None
        raise CheckpointError(f"it is no LSTM of Neural Amp Modeler's, but {short(kind, 40)!r}.")
    layers, inputs, hidden = _sizes(content.get("config"))
    numbers = as_array(content.get("weights"), "the weights", budget)
    width, rows = inputs + hidden, 4 * hidden
    want = layers * (rows + 2 * hidden) + rows * (width + (layers - 1) * 2 * hidden) + hidden + 1
    if numbers.shape != (want,):
        raise CheckpointError(f"it has {numbers.size} weights, and its sizes ask for {want}.")
    place = 0
    for name, shape in _parts(layers, inputs, hidden):
        count = int(np.prod(shape))
        part = numbers[place : place + count].reshape(shape).copy()
        place += count
        if name.rpartition(".")[2] not in STATE or np.any(part):  # of zeros there is nothing to say
            found.tensors[name] = part
    _read_texts(content, found.metadata)
    return found


def _parts(layers: int, inputs: int, hidden: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield what the numbers are, one part after the other: its name and shape."""
    for layer in range(layers):
        start = f"{_OWNER}.layers.{layer}."
        yield f"{start}weight", (4 * hidden, hidden + (inputs if layer == 0 else hidden))
        yield f"{start}bias", (4 * hidden,)
        for name in STATE:
            yield start + name, (hidden,)
    yield "head.weight", (hidden,)
    yield "head.bias", (1,)


def _read_texts(content: Mapping[str, Any], found: dict[str, str]) -> None:
    """Keep what the file says besides: texts as they are, and all else as JSON."""
    for name, value in content.items():
        if name not in _OWN and value is not None:
            found[name] = value if isinstance(value, str) else json.dumps(value)


def _write_texts(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a model that say what it is; of another file's, as its metadata."""
    fields: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, text in metadata.items():
        if name == "version":
            fields[name] = text
        elif name in _FIELDS:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                value = text
            if name == "metadata" and isinstance(value, dict):
                others = value | others
            else:
                fields[name] = value
        elif name not in _OWN:
            others[name] = text
    return fields | ({"metadata": others} if others else {})


def put(file: InMemory, budget: Budget, tensors: Mapping[str, np.ndarray], target: Path) -> Placed:
    """Return a .nam with other numbers in it; all else says what it said."""
    del target
    content = read_json(file, budget)
    numbers, place = list(content["weights"]), 0
    for name, shape in _parts(*_sizes(content["config"])):
        count = int(np.prod(shape))
        if name in tensors:
            numbers[place : place + count] = as_list(tensors[name].reshape(-1))
        place += count
    return Placed(json.dumps(content | {"weights": numbers}).encode())


def _sizes(config: object) -> tuple[int, int, int]:
    values = [config.get(name) if isinstance(config, dict) else None for name in _SIZES]
    sizes = [v for v in values if type(v) is int and 0 < v < 2**20]
    if len(sizes) != len(_SIZES):
        raise CheckpointError(f"its config has no {listed(_SIZES)} of at least 1.")
    return sizes[0], sizes[1], sizes[2]


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write a .nam of one stack; what its format has besides is zero, or among `tensors`.

    Raises:
        ArgumentError: there are several stacks, or layers that are no stack.
    """
    del form
    extra = {n: a for n, a in tensors.items() if n in HEAD or n.rpartition(".")[2] in STATE}
    found = stacks({n: a for n, a in tensors.items() if n not in extra}, "nam")
    if len(found) != 1:
        raise ArgumentError(
            f"a .nam file holds one LSTM, got {listed(found)}; choose one (--only)."
        )
    ((owner, stack),) = found.items()
    hidden = stack.layers[0]["bias"].size // 4
    inputs = stack.layers[0]["weight"].shape[1] - hidden
    numbers: list[np.ndarray] = []
    for number, layer in enumerate(stack.layers):
        want = (4 * hidden, hidden + (inputs if number == 0 else hidden))
        if layer["weight"].shape != want:
            raise ArgumentError(f"layer {number} of `{short(owner)}` has not the sizes of a stack.")
        numbers += [layer["weight"].reshape(-1), layer["bias"]]
        start = f"{owner}.layers.{number}."
        numbers += [_take(extra, start + name, hidden) for name in STATE]
    numbers += [_take(extra, "head.weight", hidden), _take(extra, "head.bias", 1)]
    if extra:
        raise ArgumentError(f"only LSTM cells can be written there, got {listed(extra)} too.")
    model = {
        "version": _VERSION,
        "architecture": "LSTM",
        "config": dict(zip(_SIZES, (len(stack.layers), inputs, hidden), strict=True)),
        "weights": [number for array in numbers for number in as_list(array)],
    } | _write_texts(metadata)
    file.write(json.dumps(model).encode())


def _take(extra: dict[str, np.ndarray], name: str, size: int) -> np.ndarray:
    array = extra.pop(name, np.zeros(size, np.float32))
    if array.size != size:
        raise ArgumentError(f"`{short(name)}` must have {size} numbers, got {array.size}.")
    return array


def as_list(array: np.ndarray) -> list[Any]:
    """Return numbers as JSON has them, or raise unless reading them as float32 gives them back."""
    if array.dtype == np.float64:
        raise DtypeError("the numbers of this format are float32, and float64 would be rounded.")
    if not np.isfinite(wide := widen(array)).all():
        raise ArgumentError("JSON has no NaN and no infinity.")
    numbers: list[Any] = wide.tolist()
    return numbers


def read_json(file: BinaryIO, budget: Budget) -> Any:  # noqa: ANN401 - the file decides
    """Return what a whole file says in JSON."""
    budget.take(budget.file_size, "the file")
    return parse_json(read_bytes(file, budget.file_size, "the file"), budget, "the file")


def as_array(value: object, what: str, budget: Budget) -> np.ndarray:
    """Return a list of numbers, or of lists of numbers, as float32.

    Raises:
        CheckpointError: it is none, or no float32 holds one of its numbers.
    """
    if not isinstance(value, list):
        raise CheckpointError(f"{what} must be a list of numbers.")
    rows = value if value and isinstance(value[0], list) else [value]
    for row in rows:
        if not isinstance(row, list) or len(row) != len(rows[0]):
            raise CheckpointError(f"{what} must be rows of one length.")
        if any(type(number) not in {int, float} for number in row):
            raise CheckpointError(f"{what} must be numbers.")
    budget.take(12 * sum(map(len, rows)), what)
    with np.errstate(all="ignore"):
        wide = np.array(value, np.float64)
        array = wide.astype(np.float32)
    if np.any(np.isinf(array) & np.isfinite(wide)):
        raise CheckpointError(f"{what} has a number that float32 does not hold.")
    return array
