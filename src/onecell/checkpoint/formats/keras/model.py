"""Write the layers of one stack as a model that `keras.models.load_model` opens.

A .keras file is a zip file of the model's configuration and its weights. The model made here is
nothing but the layers, one after the other, each giving its output at every step; the layers of a
module in both directions are joined as torch joins them. It has been read by Keras 3.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import numpy as np

from onecell.checkpoint.formats.keras import files as keras_files
from onecell.checkpoint.formats.stacks import Pieces, stacks
from onecell.dtypes import dtype_name
from onecell.errors import ArgumentError
from onecell.text import listed, short

_VERSION: Final = "3.0.0"
_MEMBERS: Final = ("metadata.json", keras_files.CONFIG, keras_files.WEIGHTS)


def write(
    file: BinaryIO,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    form: str | None = None,
) -> None:
    """Write a model of the layers of one stack, in their order.

    Raises:
        ArgumentError: there are several stacks, or layers that are no stack.
        DtypeError: HDF5 has no such element type.
        MissingExtraError: h5py is not installed.
    """
    del form, metadata
    found = stacks(tensors, "keras")
    if len(found) != 1:
        raise ArgumentError(
            f"a .keras made here holds one LSTM, got {listed(found)}; choose one (--only), write "
            f".weights.h5, or put them into your own model (--into)."
        )
    ((owner, stack),) = found.items()
    if stray := stack.backward.keys() - set(range(len(stack.layers))):
        raise ArgumentError(f"`{short(owner)}` has a backward layer {min(stray)} alone.")
    inputs = width = stack.layers[0]["weight_ih"].shape[0]
    kind = dtype_name(stack.layers[0]["weight_ih"].dtype)
    layers, arrays, counts = [_input(inputs, kind)], {}, {"lstm": 0, "bidirectional": 0}
    for number, layer in enumerate(stack.layers):
        if layer["weight_ih"].shape[0] != width:
            raise ArgumentError(
                f"layer {number} of `{short(owner)}` does not take {width} numbers."
            )
        name = _named(owner, number if len(stack.layers) > 1 else None)
        ways = [layer, *([stack.backward[number]] if number in stack.backward else [])]
        shapes = [[array.shape for array in way.values()] for way in ways]
        if shapes[1:] and shapes[0] != shapes[1]:
            raise ArgumentError(f"`{short(owner)}` has two directions of different sizes.")
        one = "lstm" if len(ways) == 1 else "bidirectional"
        place = f"layers.{one}" + (f"_{counts[one]}" if counts[one] else "")
        counts[one] += 1
        layers.append(_layer(name, layer, kind) if len(ways) == 1 else _both(name, layer, kind))
        below = ["cell."] if len(ways) == 1 else ["forward_layer.cell.", "backward_layer.cell."]
        for start, way in zip(below, ways, strict=True):
            for n, array in enumerate(way.values()):
                arrays[f"{place}.{start}vars.{n}"] = array
        width = len(ways) * layer["weight_hh"].shape[0]
    config = _object(
        "keras",
        "Sequential",
        {"name": "onecell", "trainable": True, "dtype": _policy(kind), "layers": layers},
    )
    config["build_config"] = {"input_shape": [None, None, inputs]}
    weights = io.BytesIO()
    keras_files.write(weights, arrays, {})
    contents = (
        json.dumps({"keras_version": _VERSION}).encode(),
        json.dumps(config).encode(),
        weights.getvalue(),
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in zip(_MEMBERS, contents, strict=True):
            info = zipfile.ZipInfo(name)  # its date is a constant: same tensors, same bytes
            info.external_attr = 0o600 << 16
            archive.writestr(info, content)


def _named(owner: str, layer: int | None) -> str:
    """Return what a layer is called in the model; Keras has no name that is empty."""
    name = owner.replace("/", ".") or "lstm"
    return name if layer is None else f"{name}.l{layer}"


def _object(module: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def _policy(kind: str) -> dict[str, Any]:
    return _object("keras", "DTypePolicy", {"name": kind})


def _input(width: int, kind: str) -> dict[str, Any]:
    config = {"batch_shape": [None, None, width], "dtype": kind, "name": "input"}
    return _object("keras.layers", "InputLayer", config)


def _layer(name: str, layer: Pieces, kind: str, *, backward: bool = False) -> dict[str, Any]:
    config = {
        "name": name,
        "trainable": True,
        "dtype": _policy(kind),
        "return_sequences": True,
        "go_backwards": backward,
        "units": layer["weight_hh"].shape[0],
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": "bias" in layer,
    }
    made = _object("keras.layers", "LSTM", config)
    made["build_config"] = {"input_shape": [None, None, layer["weight_ih"].shape[0]]}
    return made


def _both(name: str, layer: Pieces, kind: str) -> dict[str, Any]:
    config = {
        "name": name,
        "trainable": True,
        "dtype": _policy(kind),
        "merge_mode": "concat",
        "layer": _layer(f"forward_{name}", layer, kind),
        "backward_layer": _layer(f"backward_{name}", layer, kind, backward=True),
    }
    made = _object("keras.layers", "Bidirectional", config)
    made["build_config"] = {"input_shape": [None, None, layer["weight_ih"].shape[0]]}
    return made
