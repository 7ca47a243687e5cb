"""OpenVINO's LSTMCell on the CPU, asked for 32-bit floats: it may choose fewer by itself."""

import numpy as np


def load(dialect):
    """Import OpenVINO; return its version."""
    global openvino
    import openvino

    return f"openvino {openvino.__version__.split('-')[0]}"


class Cell:
    """A compiled model of one cell."""

    def __init__(self, dialect, arrays, dtype):
        from openvino import opset13

        held = {n: a[0] if a.ndim == (2 if n == "B" else 3) else a for n, a in arrays.items()}
        inputs, hidden = held["W"].shape[1], held["R"].shape[1]
        x, h, c = (opset13.parameter([-1, n], np.float32) for n in (inputs, hidden, hidden))
        w, r, b = (opset13.constant(held[name]) for name in "WRB")
        cell = opset13.lstm_cell(x, h, c, w, r, b, hidden_size=hidden)
        model = openvino.Model(cell.outputs(), [x, h, c], "cell")
        config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        self.compiled = openvino.Core().compile_model(model, "CPU", config)

    def step(self, x, h, c):
        """Return (h', c')."""
        found = self.compiled([x, h, c])
        return np.array(found[0]), np.array(found[1])
