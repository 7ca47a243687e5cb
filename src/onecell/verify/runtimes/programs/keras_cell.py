"""keras.layers.LSTMCell, on the engine that Keras is set to; else on one that is there."""

import importlib.metadata
import importlib.util
import json
import os
from pathlib import Path

import numpy as np

ENGINES = ("tensorflow", "jax", "torch")


def load(dialect):
    """Import Keras; return its version and its engine's."""
    global keras
    if "KERAS_BACKEND" not in os.environ:
        there = [engine for engine in ENGINES if importlib.util.find_spec(engine)]
        # Keras itself writes TensorFlow into its settings, be it there or not.
        if there and _chosen() not in there:
            os.environ["KERAS_BACKEND"] = there[0]
            os.environ["KERAS_HOME"] = os.getcwd()  # noqa: PTH109 - it writes settings there
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("JAX_ENABLE_X64", "1")
    import keras

    engine = keras.config.backend()
    return f"keras {keras.__version__} ({engine} {importlib.metadata.version(engine)})"


def dtypes():
    """Return what it computes in: on JAX, its tanh of float64 answers in float32."""
    return ["float32"] if keras.config.backend() == "jax" else ["float32", "float64"]


def _chosen():
    """Return the engine that the user's settings name, if any."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        return json.loads((home / "keras.json").read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None


class Cell:
    """A built LSTMCell."""

    def __init__(self, dialect, arrays, dtype):
        self.dtype = dtype
        hidden = arrays["recurrent_kernel"].shape[0]
        self.cell = keras.layers.LSTMCell(hidden, use_bias="bias" in arrays, dtype=dtype)
        self.cell.build((None, arrays["kernel"].shape[0]))
        for name, array in arrays.items():
            getattr(self.cell, name).assign(array)
        self.names = list(arrays)

    def step(self, x, h, c):
        """Return (h', c')."""
        x, h, c = (self._tensor(each) for each in (x, h, c))
        _, state = self.cell(x, [h, c])
        return tuple(keras.ops.convert_to_numpy(each) for each in state)

    def gradients(self, x, h, c, grad_h_all, grad_c_last):
        """Return what the engine's own differentiation gives."""
        given = [self._tensor(each) for each in (x, h, c)]
        up, last = self._tensor(grad_h_all), self._tensor(grad_c_last)
        variables = [getattr(self.cell, name) for name in self.names]
        found = globals()["_by_" + keras.config.backend()](self.cell, variables, given, up, last)
        arrays = (np.array(keras.ops.convert_to_numpy(each)) for each in found)
        return dict(zip(["x", "h", "c", *self.names], arrays))

    def _tensor(self, array):
        return keras.ops.convert_to_tensor(array, dtype=self.dtype)


def _loss(call, x, h, c, up, last):
    loss = 0.0
    for step in range(x.shape[0]):
        h, c = call(x[step], [h, c])
        loss = loss + keras.ops.sum(h * up[step])
    return loss + keras.ops.sum(c * last)


def _by_torch(cell, variables, given, up, last):
    import torch

    given = [each.detach().clone().requires_grad_() for each in given]
    loss = _loss(lambda x, state: cell(x, state)[1], *given, up, last)
    found = torch.autograd.grad(loss, [*given, *(variable.value for variable in variables)])
    return [each.detach() for each in found]


def _by_tensorflow(cell, variables, given, up, last):
    import tensorflow

    with tensorflow.GradientTape() as tape:
        tape.watch(given)
        loss = _loss(lambda x, state: cell(x, state)[1], *given, up, last)
    return tape.gradient(loss, [*given, *(variable.value for variable in variables)])


def _by_jax(cell, variables, given, up, last):
    import jax

    order = [next(i for i, v in enumerate(variables) if v is w) for w in cell.trainable_variables]

    rest = [variable.value for variable in cell.non_trainable_variables]

    def loss(x, h, c, *values):
        held = [values[place] for place in order]
        return _loss(
            lambda row, state: cell.stateless_call(held, rest, row, state)[0][1], x, h, c, up, last
        )

    values = [variable.value for variable in variables]
    return jax.grad(loss, tuple(range(3 + len(values))))(*given, *values)
