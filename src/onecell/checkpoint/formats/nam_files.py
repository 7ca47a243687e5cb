"""Neural Amp Modeler's .nam: JSON with every number of the model in one list.

After NAM/lstm.cpp of https://github.com/sdatkinson/NeuralAmpModelerCore: of each layer one matrix
over [x; h], a row for each unit of each gate, its bias, and the state that it begins with; after
the layers the head, a weight for each unit and a bias. That initial state is kept as a tensor, and
so are the numbers of the head.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.json_text import parse_json
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

    def take(*shape: int) -> np.ndarray:
        nonlocal place
        count = int(np.prod(shape))
        part = numbers[place : place + count].reshape(shape).copy()
        place += count
        return part

    for layer in range(layers):
        start = f"{_OWNER}.layers.{layer}."
        found.tensors[f"{start}weight"] = take(rows, width if layer == 0 else 2 * hidden)
        found.tensors[f"{start}bias"] = take(rows)
        for name in STATE:
            if np.any(state := take(hidden)):  # of zeros there is nothing to be said
                found.tensors[start + name] = state
    found.tensors["head.weight"], found.tensors["head.bias"] = take(hidden), take(1)
    for name in ("version", "sample_rate"):
        if isinstance(content.get(name), str | int | float):
            found.metadata[name] = str(content[name])
    return found


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
        "version": metadata.get("version", _VERSION),
        "architecture": "LSTM",
        "config": dict(zip(_SIZES, (len(stack.layers), inputs, hidden), strict=True)),
        "weights": [number for array in numbers for number in as_list(array)],
        "metadata": {n: text for n, text in metadata.items() if n != "version"},
    }
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
