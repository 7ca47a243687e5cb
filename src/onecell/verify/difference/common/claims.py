"""What is held to be true of each framework's cell: by its row of the dialects, and beside it.

A claim is the answer to a common matter. What the row of a framework says, the probe has to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onecell.dialect import DIALECTS, Dialect
from onecell.verify.difference.claims import Between, Expected

_ALL: Final = ("x", "h", "c", "parameters")
_ROUNDING: Final = Between(1e-8, 1e-6)
"""A few roundings of float32 near 1."""

_FRESH_UNIFORM: Final = "uniform ±0.10"
_FLAX_FRESH: Final = {
    f"{side}{gate}.{name}": value
    for gate in "ifgo"
    for side, name, value in (
        ("i", "kernel", "truncated normal, deviation 0.10"),
        ("h", "kernel", "orthogonal"),
        ("h", "bias", "0"),
    )
}

FRESH: Final[Mapping[str, Mapping[str, str]]] = {
    **{
        name: dict.fromkeys(DIALECTS[name].names.values(), _FRESH_UNIFORM)
        for name in ("torch", "mindspore", "paddle", "equinox", "mlx", "numpy")
    },
    "tinygrad": {
        name: "0" if name.startswith("bias") else _FRESH_UNIFORM
        for name in DIALECTS["tinygrad"].names.values()
    },
    "keras": {"kernel": "uniform ±0.11", "recurrent_kernel": "orthogonal", "bias": "0 and 1"},
    "flax": _FLAX_FRESH,
    "flax-nnx": {("if_.kernel" if n == "if.kernel" else n): v for n, v in _FLAX_FRESH.items()},
    "flax-nnx-optimized": {
        "dense_i.kernel": "truncated normal, deviation 0.10",
        "dense_h.kernel": "orthogonal",
        "dense_h.bias": "0",
    },
    "haiku": {"linear.w": "truncated normal, deviation 0.06", "linear.b": "0"},
}
"""How a fresh cell's parameters are drawn; an operator has none."""

FORGET_FRESH: Final[Mapping[str, float]] = {"keras": 1.0}
"""What stands in the forget gate's bias at first, where it is not 0 on average."""

NO_GRADIENTS: Final[Mapping[str, Expected]] = {
    "onnx": "none",
    "openvino": "none",
    "tensorflow": "raises LookupError",
}

EXACTNESS: Final[Mapping[str, Mapping[str, Expected]]] = {
    # Its tanh on a CPU is off by up to 1e-4 near 5.
    "mindspore": {
        "accuracy": Between(3e-7, 1e-5),
        "accuracy-wide": Between(1e-5, 3e-4),
        "rollout": Between(1e-7, 1e-5),
    },
}

RETURNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("torch", "mindspore", "equinox", "numpy", "mlx", "tinygrad"), "tuple(h', c')"),
    **dict.fromkeys(("flax", "flax-nnx", "flax-nnx-optimized"), "tuple(tuple(c', h'), h')"),
    "keras": "tuple(h', list(h', c'))",
    "paddle": "tuple(h', tuple(h', c'))",
    "haiku": "tuple(h', LSTMState(h', c'))",
    "onnx": "list(h', c')",
    "openvino": "tuple(h', c')",
    "tensorflow": "LSTMBlockCell(other, c', other, other, other, other, h')",
}


def claimed(framework: str) -> dict[str, Expected]:
    """Return what `framework` is held to answer, by matter; about the others nothing is held."""
    row = DIALECTS[framework]
    order = ", ".join(row.state)
    return {
        "state-order": {"in": order, "out": order},
        "state-omitted": "zeros" if row.default_state == "zeros" else "raises TypeError",
        "return-form": RETURNS[framework],
        "layout": layout_of(row),
        "forget-bias-added": row.layout.forget_offset,
        "forget-bias-fresh": FORGET_FRESH.get(framework, 0.0),
        "initial-values": FRESH.get(framework, dict.fromkeys(row.names.values(), "0")),
        "gradients": NO_GRADIENTS.get(framework, _ALL),
        "clip": "clipped to 3" if framework == "tensorflow" else "kept",
        "accuracy": _ROUNDING,
        "accuracy-wide": Between(1e-8, 3e-6),
        "rollout": _ROUNDING,
        **EXACTNESS.get(framework, {}),
    }


def layout_of(row: Dialect) -> dict[str, str]:
    """Return what a row of the dialects says of each parameter, in the words of the probe."""
    layout = row.layout
    # A cell that is a sequence's too has the sequence's directions.
    before = "1, " if layout.directions and row.cell == row.sequence else ""
    told = {}
    for piece, name in row.names.items():
        stem, _, gate = piece.partition(".")
        gates = gate or " ".join(layout.gates)
        wide = "H" if gate else "4H"
        if stem.startswith("bias"):
            shape = "8H" if layout.halves else wide
            told[name] = f"({before}{shape}) bias: {gates}{f' {gates}' if layout.halves else ''}"
            continue
        given = {"weight_ih": ("I", "x"), "weight_hh": ("H", "h")}
        above = "x beside h" if layout.gates_first else "x above h"
        size, of = given.get(stem, ("I+H", above))
        shape = f"{wide}, {size}" if layout.gates_first else f"{size}, {wide}"
        told[name] = f"({before}{shape}) of {of}: {gates}"
    return told
