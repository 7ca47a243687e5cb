"""OpenVINO's LSTMCell for one step and LSTMSequence for more."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from bench.contenders import Prepared
from bench.problem import Array, Outputs, Problem, Work


def _in_fico(array: Array) -> Array:
    i, f, g, o = np.split(array, 4)
    return np.concatenate([f, i, g, o])


def request(p: Problem, work: Work, threads: int, *, precision: str = "f32") -> Prepared:
    """An infer request whose input tensors are set beforehand, which is its quickest call.

    Where the processor has bfloat16 OpenVINO computes in it unless told otherwise; here it is told.
    """
    assert work in {"step", "unroll"}
    ov: Any = import_module("openvino")
    ops: Any = import_module("openvino.opset13")
    steps, batch, _, hidden = p.size
    w = {name: _in_fico(array) for name, array in p.weights.arrays().items()}
    weights = (w["weight_ih"], w["weight_hh"], w["bias_ih"] + w["bias_hh"])
    if work == "step":
        arrays = [p.x[0], p.h, p.c]
        x, h, c = inputs = [ops.parameter(a.shape, np.float32) for a in arrays]
        node = ops.lstm_cell(x, h, c, *map(ops.constant, weights), hidden)
        outputs = [node.output(0), node.output(1)]
    else:  # batch first; its layout of choice is made before the clock starts
        arrays = [np.ascontiguousarray(p.x.swapaxes(0, 1)), p.h[:, None], p.c[:, None]]
        x, h, c = inputs = [ops.parameter(a.shape, np.float32) for a in arrays]
        lengths = ops.constant(np.full(batch, steps, np.int32))
        stored = [ops.constant(a[None]) for a in weights]
        node = ops.lstm_sequence(x, h, c, lengths, *stored, hidden, "forward")
        outputs = [node.output(0), node.output(2)]
    config = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = ov.Core().compile_model(ov.Model(outputs, inputs), "CPU", config)
    running = compiled.create_infer_request()
    # OpenVINO reads this memory and does not keep it: the contender does.
    arrays = [np.ascontiguousarray(a) for a in arrays]
    tensors = [ov.Tensor(a, shared_memory=True) for a in arrays]
    for index, tensor in enumerate(tensors):
        running.set_input_tensor(index, tensor)

    def call() -> tuple[Array, Array]:
        running.infer()
        return running.get_output_tensor(0).data, running.get_output_tensor(1).data

    def read() -> Outputs:
        h_all, c_last = (np.array(a) for a in call())
        if work == "step":
            return {"h": h_all[None], "c": c_last}
        return {"h": h_all[:, 0].swapaxes(0, 1), "c": c_last[:, 0]}

    kind = "LSTMCell" if work == "step" else "LSTMSequence"
    settings = ", ".join(f"{name}={value}" for name, value in config.items())
    return Prepared(
        call, read, f"{kind}, {settings}, input tensors set beforehand", holds=(arrays, tensors)
    )
