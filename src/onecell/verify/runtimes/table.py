"""The frameworks whose cell is run in a process of its own, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NO_OPTIMIZER: Final = "its optimizers are not run"
ONE_BIAS: Final = "it has one bias, and its gradient is shown as that of bias_ih"

_BOTH: Final = ("float32", "float64")
_NARROW: Final = ("float32",)
_FORWARD: Final = dict.fromkeys(_BOTH, "it only computes forward")
_SATURATED: Final = {"float32": "its gradients are NaN where a gate is far in saturation"}
"""Of tinygrad 0.14: its sigmoid is 1 / (1 + 2^y), and the gradient of an infinite 2^y is no number.
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """How the cell of one dialect is run."""

    name: str
    """Of the dialect."""
    library: str
    """What its framework is imported as."""
    variable: str
    """The end of the environment variable that names a Python for it."""
    program: str
    """A file beside `programs/serve.py`, run by the Python that has the framework."""
    dtypes: tuple[str, ...] = _BOTH
    """The element types it computes in."""
    no_gradients: Mapping[str, str] = field(default_factory=dict)
    """Element types in which it has no gradients → why."""


RUNTIMES: Final[Mapping[str, Runtime]] = {
    row.name: row
    for row in (
        Runtime("keras", "keras", "KERAS", "keras_cell.py"),
        # The kernel LSTMBlockCell knows 16 and 32 bits.
        Runtime("tensorflow", "tensorflow", "TENSORFLOW", "tensorflow_cell.py", _NARROW),
        Runtime("flax", "flax", "JAX", "jax_cells.py"),
        Runtime("flax-nnx", "flax", "JAX", "jax_cells.py"),
        Runtime("flax-nnx-optimized", "flax", "JAX", "jax_cells.py"),
        Runtime("haiku", "haiku", "JAX", "jax_cells.py"),
        Runtime("equinox", "equinox", "JAX", "jax_cells.py"),
        Runtime("paddle", "paddle", "PADDLE", "paddle_cell.py"),
        Runtime("onnx", "onnxruntime", "ONNX", "onnx_cell.py", _NARROW, _FORWARD),
        Runtime("openvino", "openvino", "OPENVINO", "openvino_cell.py", _NARROW, _FORWARD),
        # Of float64 it computes the activations in float32.
        Runtime("mlx", "mlx", "MLX", "mlx_cell.py", _NARROW),
        Runtime("tinygrad", "tinygrad", "TINYGRAD", "tinygrad_cell.py", _BOTH, _SATURATED),
    )
}
