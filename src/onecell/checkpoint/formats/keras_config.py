"""Which layers of a Keras model are no plain LSTM, by its configuration, read as data."""

from __future__ import annotations

from typing import Any, Final

from onecell.checkpoint.formats.json_text import parse_json
from onecell.checkpoint.limits import Budget

_WANTED: Final = {"activation": "tanh", "recurrent_activation": "sigmoid"}
_WAYS: Final = ("forward", "backward")
_CLASSES: Final = frozenset({"LSTM", "LSTMCell", "CuDNNLSTM"})


def odd_layers(content: bytes | bytearray, budget: Budget) -> dict[str, str]:
    """Return the name of each LSTM of a model that computes something else → what it does."""
    found: dict[str, str] = {}
    left = [parse_json(content, budget, "the configuration")]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            config = node.get("config")
            if node.get("class_name") in _CLASSES and isinstance(config, dict):
                _look_at(config, found)
            if node.get("class_name") == "Bidirectional" and isinstance(config, dict):
                _look_inside(config.get("layer"), found)
            left += node.values()
        elif isinstance(node, list):
            left += node
    return found


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
            found[name] = f"an LSTM with `{argument}` {str(given)[:40]!r}, no LSTM cell"
