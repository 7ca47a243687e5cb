"""onnxruntime's LSTM operator, float32 and dynamically quantised."""

from __future__ import annotations

import logging
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from bench.contenders import Prepared
from bench.problem import Array, Outputs, Problem, Work


def _in_iofc(array: Array) -> Array:
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])


def _model(p: Problem) -> Any:  # noqa: ANN401
    """Return the ONNX model of one LSTM operator with the problem's weights inside."""
    onnx, make = import_module("onnx"), import_module("onnx.helper")
    steps, batch, input_size, hidden = p.size
    w = {name: _in_iofc(array) for name, array in p.weights.arrays().items()}
    stored = {
        "W": w["weight_ih"][None],
        "R": w["weight_hh"][None],
        "B": np.concatenate([w["bias_ih"], w["bias_hh"]])[None],
    }
    shapes = {"x": [steps, batch, input_size], "h": [1, batch, hidden], "c": [1, batch, hidden]}
    names = ["x", "W", "R", "B", "", "h", "c"]
    node = make.make_node("LSTM", names, ["h_all", "h_last", "c_last"], hidden_size=hidden)
    kind = onnx.TensorProto.FLOAT
    graph = make.make_graph(
        [node],
        "lstm",
        [make.make_tensor_value_info(name, kind, shape) for name, shape in shapes.items()],
        [make.make_tensor_value_info(name, kind, None) for name in node.output],
        [onnx.numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    return make.make_model(graph, opset_imports=[make.make_opsetid("", 14)], ir_version=8)


def session(p: Problem, work: Work, threads: int, *, quantised: bool = False) -> Prepared:
    """`InferenceSession.run` on arrays."""
    assert work in {"step", "unroll"}
    ort: Any = import_module("onnxruntime")
    model: Any = _model(p)
    if quantised:
        logging.disable(logging.WARNING)  # it advises a preparation that LSTM has no use for
        quantization = import_module("onnxruntime.quantization")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "int8.onnx"
            kind = quantization.QuantType.QInt8
            quantization.quantize_dynamic(model, path, weight_type=kind, per_channel=True)
            content = path.read_bytes()
        logging.disable(logging.NOTSET)
    else:
        content = model.SerializeToString()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    running = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    call = partial(running.run, None, {"x": p.x, "h": p.h[None], "c": p.c[None]})

    def read() -> Outputs:
        h_all, _, c_last = call()
        return {"h": h_all[:, 0], "c": c_last[0]}

    kinds = "DynamicQuantizeLSTM, QInt8 per channel, " if quantised else ""
    return Prepared(call, read, f"{kinds}intra_op_num_threads={threads}, its threads may spin")
