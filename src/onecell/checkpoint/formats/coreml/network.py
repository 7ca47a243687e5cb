"""The LSTM layers of Core ML's older models, whose weights lie in the layers themselves.

After NeuralNetwork.proto of https://github.com/apple/coremltools. A gate has arrays of its own, in
float32 or float16; they are read as one array in the order of Core ML's newer programs. Which gate
is which was found by what coremltools' converter makes of a layer of torch's.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from onecell.checkpoint.content import Checkpoint
from onecell.checkpoint.formats.coreml.messages import Messages, add, check_size
from onecell.checkpoint.formats.protobuf import BYTES, Field, read_fields
from onecell.checkpoint.limits import read_bytes
from onecell.errors import CheckpointError
from onecell.text import short

_LAYERS, _NAME = 1, 1
_ONE_WAY, _BOTH_WAYS = 420, 430
_INPUT, _OUTPUT, _PARAMS, _WEIGHTS, _REVERSED = 1, 2, 15, 20, 100
_ACTIVATIONS: Final = (10, 11)
_SIGMOID, _TANH = 40, 30
_BIASES, _FORGET_BIAS, _PEEPHOLES, _COUPLED, _CLIP = 20, 30, 40, 50, 60
_FLOATS, _HALVES = 1, 2
_SINGLE: Final = 5
"""The wire type of a float32 that stands alone."""
_GATES: Final = "ifgo"
"""The gates in the order of the numbers of their fields."""
_MATRIX, _RECURSION, _BIAS = 1, 20, 40
_OWN_CLIP: Final = 500.0
"""What c is cut at unless something else is said; a step moves it by 1 at most."""


def read_network(messages: Messages, network: Field, found: Checkpoint) -> None:
    """Take up the LSTM layers of a network."""
    for layer in messages.inside(network, _LAYERS):
        for number in (_ONE_WAY, _BOTH_WAYS):
            lstm = messages.one(layer, number)
            if lstm is not None:
                _layer(messages, messages.text(layer, _NAME), number == _BOTH_WAYS, lstm, found)


def _layer(messages: Messages, name: str, both: bool, lstm: Field, found: Checkpoint) -> None:
    sizes = messages.number(lstm, _INPUT), messages.number(lstm, _OUTPUT)
    params = messages.one(lstm, _PARAMS)
    weights = list(messages.inside(lstm, _WEIGHTS))
    if len(weights) != 1 + both:
        raise CheckpointError(f"the layer `{short(name)}` has {len(weights)} lists of weights.")
    why = _why_not(messages, lstm, params)
    added = messages.number(params, _FORGET_BIAS)
    for way, place in enumerate(weights):
        owner = f"{name}.l0{'_reverse' * way}" if both else name
        pieces = {} if why else _pieces(messages, owner, sizes, params, place)
        if pieces is None:
            why = "an LSTM with quantized weights, no LSTM cell"
        elif not why:
            if "bias" in pieces and added:
                pieces["bias"][sizes[1] : 2 * sizes[1]] += 1
            for piece, array in pieces.items():
                add(found, f"{owner}.{piece}", array)
    if why:
        found.remarks[name] = why
    elif added:
        found.remarks[name] = "1 is added to its forget gate when it runs, and was added here"
    elif messages.number(lstm, _REVERSED):
        found.remarks[name] = "runs backward over its sequence; the cell is the same"


def _why_not(messages: Messages, lstm: Field, params: Field | None) -> str:
    """Return what makes it no plain LSTM; "" if it is one."""
    clip = messages.float(params, _CLIP)
    activations = [
        [part.number for part in read_fields(messages.file, each.start, each.end, "the model")]
        for number in _ACTIVATIONS
        for each in messages.inside(lstm, number)
    ]
    usual = [[_SIGMOID], [_TANH], [_TANH]]
    for there, what in (
        (messages.number(params, _PEEPHOLES), "peepholes"),
        (messages.number(params, _COUPLED), "coupled gates"),
        (
            messages.number(params, _FORGET_BIAS) and not messages.number(params, _BIASES),
            "a forget bias and no other biases",
        ),
        (clip and clip < _OWN_CLIP, f"a clip at {clip:g}"),
        (activations not in ([], usual, 2 * usual), "other activations"),
    ):
        if there:
            return f"an LSTM with {what}, no LSTM cell"
    return ""


def _pieces(
    messages: Messages, owner: str, sizes: tuple[int, int], params: Field | None, place: Field
) -> dict[str, np.ndarray] | None:
    """Return piece → array, or None if a gate has no plain numbers."""
    inputs, units = sizes
    pieces: list[tuple[str, int, tuple[int, ...]]] = [
        ("weight_ih", _MATRIX, (units, inputs)),
        ("weight_hh", _RECURSION, (units, units)),
    ]
    if messages.number(params, _BIASES):
        pieces.append(("bias", _BIAS, (units,)))
    made: dict[str, np.ndarray] = {}
    for piece, first, shape in pieces:
        gates: dict[str, np.ndarray] = {}
        for number, gate in enumerate(_GATES, first):
            array = _numbers(messages, messages.one(place, number), shape, f"{owner}.{piece}")
            if array is None:
                return None
            gates[gate] = array
        made[piece] = np.concatenate([gates[gate] for gate in "ifog"])
    return made


def _numbers(
    messages: Messages, weights: Field | None, shape: tuple[int, ...], name: str
) -> np.ndarray | None:
    """Return a gate's array out of its message; None where it is quantized.

    A list of float32 may come in several pieces, or one by one.
    """
    if weights is None:
        raise CheckpointError(f"`{short(name)}` lacks a gate.")
    kept = {_FLOATS: bytearray(), _HALVES: bytearray()}
    for part in read_fields(messages.file, weights.start, weights.end, "the model"):
        if part.wire == BYTES or (part.wire == _SINGLE and part.number == _FLOATS):
            if part.size and part.number not in kept:
                return None
            messages.budget.take(2 * part.size, "the tensor", name)  # gates are joined
            messages.file.seek(part.start)
            kept[part.number] += read_bytes(messages.file, part.size, "the tensor", name)
    if all(kept.values()):
        raise CheckpointError(f"`{short(name)}` is there in float32 and in float16.")
    dtype = np.dtype("<f2" if kept[_HALVES] else "<f4")
    content = kept[_HALVES] or kept[_FLOATS]
    check_size(name, shape, dtype, len(content))
    return np.frombuffer(content, dtype).reshape(shape)
