"""Which layers of a Keras model are no plain LSTM, by its configuration, read as data."""

from __future__ import annotations

from typing import Any, Final

from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.limits import Budget

_WANTED: Final = {"activation": "tanh", "recurrent_activation": "sigmoid"}
_WAYS: Final = ("forward", "backward")
_CLASSES: Final = frozenset({"LSTM", "LSTMCell"})
_CUDNN: Final = "CuDNNLSTM"
NONE: Final = "no LSTM cell"
"""What is said of a layer ends so, where its weights are not those of a plain LSTM."""


def odd_layers(content: bytes | bytearray, budget: Budget) -> dict[str, str]:
    """Return the name of each LSTM of a model of which something is to be said → what.

    Of one that computes something else it ends in `NONE`.
    """
    found: dict[str, str] = {}
    left = [parse_json(content, budget, "the configuration")]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            config = node.get("config")
            if node.get("class_name") in _CLASSES and isinstance(config, dict):
                _look_at(config, found)
                _say_how(config, found)
            if node.get("class_name") == _CUDNN and isinstance(config, dict):
                name = str(config.get("name"))
                found[name] = f"a {_CUDNN}, whose kernels lie as cuDNN has them, {NONE}"
            if node.get("class_name") == "Bidirectional" and isinstance(config, dict):
                _look_inside(config.get("layer"), found)
            left += node.values()
        elif isinstance(node, list):
            left += node
    return found


def _say_how(config: dict[str, Any], found: dict[str, str]) -> None:
    """Say what changes nothing in the cell of a layer."""
    name, policy = config.get("name"), config.get("dtype")
    if isinstance(policy, dict) and isinstance(inner := policy.get("config"), dict):
        policy = inner.get("name")
    said = []
    if config.get("go_backwards") is True and not str(name).startswith("backward_"):
        said.append("runs backward over its sequence; the cell is the same")
    if isinstance(policy, str) and policy.startswith("mixed"):
        said.append(f"computes in 16 bits in Keras ({policy[:40]})")
    if said and isinstance(name, str):
        found.setdefault(name, "; ".join(said))


def _look_inside(layer: object, found: dict[str, str]) -> None:
    """Look at the layer of a Bidirectional, which makes two of it, called after it."""
    config = layer.get("config") if isinstance(layer, dict) else None
    if isinstance(config, dict) and isinstance(layer, dict) and layer.get("class_name") in _CLASSES:
        for way in _WAYS:
            _look_at(config | {"name": f"{way}_{config.get('name')}"}, found)


def _look_at(config: dict[str, Any], found: dict[str, str]) -> None:
    for argument, usual in _WANTED.items():
        given = config.get(argument, usual)
        if isinstance(given, dict):  # serialized as an object
            given = given.get("class_name") or given.get("config")
        if given != usual and isinstance(name := config.get("name"), str):
            found[name] = f"an LSTM with `{argument}` {str(given)[:40]!r}, {NONE}"
