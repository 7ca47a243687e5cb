"""Which frameworks can be asked, and which distributions answer.

To add a framework, add a file `NAME_cell.py` here, which defines what `asking` leaves open, and a
line below. The files are programs for another process: nothing here imports them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ADAPTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "torch": ("torch",),
    "mindspore": ("mindspore",),
    "keras": ("keras", "tensorflow", "jax", "torch"),
    "tensorflow": ("tensorflow",),
    "flax": ("flax", "jax"),
    "flax-nnx": ("flax", "jax"),
    "flax-nnx-optimized": ("flax", "jax"),
    "haiku": ("dm-haiku", "jax"),
    "equinox": ("equinox", "jax"),
    "paddle": ("paddlepaddle",),
    "onnx": ("onnx", "onnxruntime"),
    "openvino": ("openvino",),
    "mlx": ("mlx",),
    "tinygrad": ("tinygrad",),
    "numpy": ("onecell",),
}
"""Dialect → its distribution, and those below it whose versions count where they are loaded."""

TITLES: Final[Mapping[str, str]] = {
    "torch": "PyTorch",
    "mindspore": "MindSpore",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "flax": "Flax linen",
    "flax-nnx": "Flax nnx",
    "flax-nnx-optimized": "Flax nnx, optimized",
    "haiku": "Haiku",
    "equinox": "Equinox",
    "paddle": "Paddle",
    "onnx": "ONNX",
    "openvino": "OpenVINO",
    "mlx": "MLX",
    "tinygrad": "tinygrad",
    "numpy": "onecell (NumPy)",
}
"""Dialect → what a person calls it."""
