"""RTNeural's .json: a list of layers, each with its arrays as Keras has them.

After https://github.com/jatinchowdhury18/RTNeural, python/model_utils.py: `in_shape`, and of each
layer `type`, `activation`, `shape` and `weights`; of an LSTM the kernel (I, 4H), the recurrent
kernel (H, 4H) and the bias. Layer number 0 is read as `layers.0.kernel` and so on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.json_state import is_state, read_state
from onecell.checkpoint.formats.nam_files import as_array, as_list, read_json
from onecell.checkpoint.formats.placed import InMemory, Placed
from onecell.checkpoint.formats.stacks import stacks
from onecell.checkpoint.limits import Budget
from onecell.dialect import get_dialect
from onecell.errors import ArgumentError, CheckpointError
from onecell.text import listed, short

START: Final = b"{"
_STEMS: Final = ("weight_ih", "weight_hh", "bias")


def read(file: BinaryIO, budget: Budget) -> Checkpoint:
    """Read a model in RTNeural's JSON, or a state dict of torch's, which RTNeural reads too.

    Raises:
        CheckpointError: it is other JSON, or an array is none.
    """
    content = read_json(file, budget)
    if is_state(content):
        return read_state(content, budget)
    layers = content.get("layers") if isinstance(content, dict) else None
    if not isinstance(layers, list):
        raise CheckpointError('it is no model in RTNeural\'s JSON, {"in_shape": …, "layers": […]}.')
    found = Checkpoint({}, "rtneural", "rtneural", {})
    for number, layer in enumerate(layers):
        if not isinstance(layer, dict):
            raise CheckpointError(f"its layer {number} is no object.")
        _read_layer(layer, number, found, budget)
    return found


def _read_layer(layer: dict[str, Any], number: int, found: Checkpoint, budget: Budget) -> None:
    names = get_dialect("rtneural").parameters
    is_lstm = layer.get("type") == "lstm"
    weights = layer.get("weights")
    if not isinstance(weights, list):
        raise CheckpointError(f"the layer {number} has no list of weights.")
    for index, value in enumerate(weights):
        known = is_lstm and index < len(_STEMS)
        name = f"layers.{number}.{names[_STEMS[index]] if known else f'weights.{index}'}"
        try:
            found.tensors[name] = as_array(value, f"`{name}`", budget)
        except CheckpointError:
            if is_lstm:
                raise
            found.left_out[name] = f"weights of a layer {short(layer.get('type'), 40)!r}"


def put(file: InMemory, budget: Budget, tensors: Mapping[str, np.ndarray], target: Path) -> Placed:
    """Return a model with other weights in it; all else says what it said."""
    del target
    content = read_json(file, budget)
    names = get_dialect("rtneural").parameters
    for number, layer in enumerate(content["layers"]):
        for index, stem in enumerate(_STEMS):
            if (array := tensors.get(f"layers.{number}.{names[stem]}")) is not None:
                layer["weights"][index] = as_list(array)
    return Placed(json.dumps(content).encode())


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write a model of the layers of one stack, in their order.

    Raises:
        ArgumentError: there are several stacks, a backward direction, or layers that are no stack.
    """
    del form, metadata
    found = stacks(tensors, "rtneural")
    if len(found) != 1 or any(stack.both_ways for stack in found.values()):
        raise ArgumentError(
            f"a model of RTNeural's is layer after layer, forward; got {listed(found)}; choose one "
            f"(--only)."
        )
    ((owner, stack),) = found.items()
    layers, width = [], stack.layers[0]["weight_ih"].shape[0]
    inputs = width
    for number, layer in enumerate(stack.layers):
        hidden = layer["weight_hh"].shape[0]
        if layer["weight_ih"].shape[0] != width:
            raise ArgumentError(
                f"layer {number} of `{short(owner)}` does not take {width} numbers."
            )
        arrays = [as_list(layer[stem]) for stem in _STEMS]
        layers.append(
            {"type": "lstm", "activation": "", "shape": [None, None, hidden], "weights": arrays}
        )
        width = hidden
    model = {"in_shape": [None, None, inputs], "layers": layers}
    file.write(json.dumps(model).encode())
