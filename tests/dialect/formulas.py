"""What each framework computes out of its own arrays, written from its own source or page.

Nothing here reads a row: the arrays come by the names that the framework gives them, and the
formula slices, transposes and adds as the framework does. Everything in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
State = tuple[Array, Array]
Named = Mapping[str, Array]
Formula = Callable[[Named, Array, Array, Array], State]


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def step(i: Array, f: Array, g: Array, o: Array, c: Array) -> State:
    """Return h' and c' of four gates before their activations."""
    c_next = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c_next), c_next


def torch(w: Named, x: Array, h: Array, c: Array) -> State:
    """torch/nn/modules/rnn.py, the formula of LSTMCell; MindSpore, Paddle, tinygrad have it too."""
    z = x @ w["weight_ih"].T + h @ w["weight_hh"].T
    z = z + w.get("bias_ih", 0) + w.get("bias_hh", 0)
    i, f, g, o = np.split(z, 4, axis=1)
    return step(i, f, g, o, c)


def keras(w: Named, x: Array, h: Array, c: Array) -> State:
    """keras/src/layers/rnn/lstm.py, LSTMCell.call."""
    z = np.matmul(x, w["kernel"]) + np.matmul(h, w["recurrent_kernel"])
    if "bias" in w:
        z = z + w["bias"]
    z0, z1, z2, z3 = np.split(z, 4, axis=1)
    return step(z0, z1, z2, z3, c)


def tensorflow(w: Named, x: Array, h: Array, c: Array) -> State:
    """rnn_cell_impl.py, BasicLSTMCell.call: i = input_gate, j = new_input, f, o; forget_bias 1."""
    z = np.concatenate([x, h], 1) @ w["lstm.kernel"] + w["lstm.bias"]
    i, j, f, o = np.split(z, 4, axis=1)
    return step(i, f + 1.0, j, o, c)


def flax(w: Named, x: Array, h: Array, c: Array) -> State:
    """flax/linen/recurrent.py, LSTMCell: eight Dense layers, of which those of h have a bias."""

    def both(gate: str) -> Array:
        z = x @ w[f"i{gate}.kernel"] + h @ w[f"h{gate}.kernel"]
        return np.asarray(z + w.get(f"h{gate}.bias", 0))

    return step(both("i"), both("f"), both("g"), both("o"), c)


def flax_nnx(w: Named, x: Array, h: Array, c: Array) -> State:
    """flax/nnx/nn/recurrent.py, LSTMCell: as linen's, the layer `if` called `if_`."""
    return flax({("if.kernel" if n == "if_.kernel" else n): a for n, a in w.items()}, x, h, c)


def flax_nnx_optimized(w: Named, x: Array, h: Array, c: Array) -> State:
    """flax/nnx/nn/recurrent.py, OptimizedLSTMCell: `dense_i` without a bias, `dense_h` with one."""
    z = x @ w["dense_i.kernel"] + h @ w["dense_h.kernel"] + w.get("dense_h.bias", 0)
    i, f, g, o = np.split(z, 4, axis=-1)
    return step(i, f, g, o, c)


def haiku(w: Named, x: Array, h: Array, c: Array) -> State:
    """haiku/_src/recurrent.py, LSTM: one Linear; gates i, g, f, o, and 1 added to f."""
    z = np.concatenate([x, h], axis=-1) @ w["lstm.linear.w"] + w["lstm.linear.b"]
    i, g, f, o = np.split(z, 4, axis=-1)
    return step(i, f + 1, g, o, c)


def equinox(w: Named, x: Array, h: Array, c: Array) -> State:
    """equinox/nn/_rnn.py, LSTMCell: the bias once, on the sum."""
    z = (w["weight_ih"] @ x.T).T + (w["weight_hh"] @ h.T).T + w.get("bias", 0)
    i, f, g, o = np.split(z, 4, axis=-1)
    return step(i, f, g, o, c)


def onnx(w: Named, x: Array, h: Array, c: Array) -> State:
    """The operator's page: W and R are [iofc], B is [Wb[iofc], Rb[iofc]]."""
    units = h.shape[1]
    biases = w["B"][0] if "B" in w else np.zeros(8 * units)
    z = x @ w["W"][0].T + h @ w["R"][0].T + biases[: 4 * units] + biases[4 * units :]
    i, o, f, cell = (z[:, k * units : (k + 1) * units] for k in range(4))
    return step(i, f, cell, o, c)


def openvino(w: Named, x: Array, h: Array, c: Array) -> State:
    """The page of LSTMSequence: gates in the order f, i, c, o; B the sum of both biases."""
    z = x @ w["W"][0].T + h @ w["R"][0].T + w["B"][0]
    f, i, cell, o = np.split(z, 4, axis=1)
    return step(i, f, cell, o, c)


def mlx(w: Named, x: Array, h: Array, c: Array) -> State:
    """mlx/nn/layers/recurrent.py, LSTM: `Wx`, `Wh`, one bias beside `Wx`."""
    z = x @ w["Wx"].T + h @ w["Wh"].T + w.get("bias", 0)
    i, f, g, o = np.split(z, 4, axis=-1)
    return step(i, f, g, o, c)


def nam(w: Named, x: Array, h: Array, c: Array) -> State:
    """NAM/lstm.cpp, LSTMCell::process_: one matrix over [x; h], a row for each unit: i, f, g, o."""
    ifgo = w["lstm.weight"] @ np.concatenate([x.T, h.T]) + w["lstm.bias"][:, None]
    i, f, g, o = (part.T for part in np.split(ifgo, 4))
    return step(i, f, g, o, c)


def coreml(w: Named, x: Array, h: Array, c: Array) -> State:
    """mil/ops/defs/iOS15/recurrent.py, lstm: i, f, o, z; as the converter from torch reorders."""
    v = x @ w["weight_ih"].T + h @ w["weight_hh"].T + w.get("bias", 0)
    i, f, o, z = np.split(v, 4, axis=1)
    return step(i, f, z, o, c)


def mxnet(w: Named, x: Array, h: Array, c: Array) -> State:
    """gluon/rnn/rnn_cell.py, LSTMCell.hybrid_forward: i2h + h2h, sliced into i, f, c, o."""
    gates = x @ w["i2h_weight"].T + h @ w["h2h_weight"].T
    gates = gates + w.get("i2h_bias", 0) + w.get("h2h_bias", 0)
    in_gate, forget_gate, in_transform, out_gate = np.split(gates, 4, axis=1)
    return step(in_gate, forget_gate, in_transform, out_gate, c)


def burn(w: Named, x: Array, h: Array, c: Array) -> State:
    """burn-nn/src/modules/rnn/lstm: of each gate two Linears, whose weights are (d_in, d_out)."""

    def linear(name: str, value: Array) -> Array:
        return np.asarray(value @ w[f"{name}.weight"] + w.get(f"{name}.bias", 0))

    def product(gate: str) -> Array:
        ours = f"{gate}_gate"
        return np.asarray(
            linear(f"{ours}.input_transform", x) + linear(f"{ours}.hidden_transform", h)
        )

    return step(product("input"), product("forget"), product("cell"), product("output"), c)


def haste(w: Named, x: Array, h: Array, c: Array) -> State:
    """frameworks/pytorch/lstm.py, LSTMScript: v = h R + x W + b, in chunks i, g, f, o."""
    i, g, f, o = np.split(h @ w["recurrent_kernel"] + x @ w["kernel"] + w["bias"], 4, axis=1)
    return step(i, f, g, o, c)


FORMULAS: Final[Mapping[str, Formula]] = {
    "torch": torch,
    "mindspore": torch,
    "paddle": torch,
    "tinygrad": torch,
    "numpy": torch,
    "keras": keras,
    "rtneural": keras,
    "tensorflow": tensorflow,
    "flax": flax,
    "flax-nnx": flax_nnx,
    "flax-nnx-optimized": flax_nnx_optimized,
    "haiku": haiku,
    "equinox": equinox,
    "onnx": onnx,
    "openvino": openvino,
    "mlx": mlx,
    "nam": nam,
    "coreml": coreml,
    "mxnet": mxnet,
    "burn": burn,
    "haste": haste,
}
