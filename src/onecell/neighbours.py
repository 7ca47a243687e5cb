"""How the frameworks call and shape the parameters of the layers that a cell lives among.

The cell itself is in `onecell.dialect`. A layer that is not here has the same parameters in both
(`Linear` and `Dense`, GRU, Conv2d, MultiheadAttention), or is not translated. Source migration and
checkpoint conversion read this; tests/project make each layer in both frameworks and compare.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from onecell.dialect import FRONT_ENDS
from onecell.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One kind of layer, and what each framework calls its parameters."""

    layer: str
    classes: Mapping[str, str]
    """Framework → import path of the layer's class."""
    parameters: Mapping[str, tuple[str, ...]]
    """Framework → its parameter names, in the same order for every framework."""
    extra_axis: Mapping[str, int] = field(default_factory=dict)
    """torch's name of a parameter → where MindSpore's has one more axis, of size 1."""


def _row(layer: str, torch: str, mindspore: str, **names: str) -> Neighbour:
    """Return a row from torch's names to MindSpore's; `__` stands for the dot of a layer inside."""
    return Neighbour(
        layer,
        {"torch": f"torch.nn.{torch}", "mindspore": f"mindspore.nn.{mindspore}"},
        {
            "torch": tuple(name.replace("__", ".") for name in names),
            "mindspore": tuple(names.values()),
        },
    )


def _convolution(layer: str, torch: str, mindspore: str) -> Neighbour:
    """Return a row of one axis of length: MindSpore's is a picture of height 1, (C, K, 1, L)."""
    row = _row(layer, torch, mindspore, weight="weight", bias="bias")
    return Neighbour(row.layer, row.classes, row.parameters, {"weight": 2})


_NORM: Final = {"weight": "gamma", "bias": "beta"}
_RUNNING: Final = {"running_mean": "moving_mean", "running_var": "moving_variance"}
_ATTENTION: Final = {
    name: name.replace("__", ".")
    for name in (
        *("in_proj_weight", "in_proj_bias", "out_proj__weight", "out_proj__bias"),
        *("q_proj_weight", "k_proj_weight", "v_proj_weight", "bias_k", "bias_v"),
    )
}
_TRANSFORMER: Final = {
    **{
        f"{inner}__{old}": f"{inner}.{new}"
        for inner in ("self_attn", "multihead_attn")
        for old, new in _ATTENTION.items()
    },
    "linear1__weight": "dense1.weight",
    "linear1__bias": "dense1.bias",
    "linear2__weight": "dense2.weight",
    "linear2__bias": "dense2.bias",
    **{f"norm{n}__{old}": f"norm{n}.{new}" for n in (1, 2, 3) for old, new in _NORM.items()},
}

LINEAR: Final = _row("linear", "Linear", "Dense", weight="weight", bias="bias")
EMBEDDING: Final = _row("embedding", "Embedding", "Embedding", weight="embedding_table")
LAYER_NORM: Final = _row("layer_norm", "LayerNorm", "LayerNorm", **_NORM)

NEIGHBOURS: Final = (
    LINEAR,
    EMBEDDING,
    LAYER_NORM,
    _row("group_norm", "GroupNorm", "GroupNorm", **_NORM),
    *(
        _row(f"batch_norm_{n}d", f"BatchNorm{n}d", f"BatchNorm{n}d", **_NORM, **_RUNNING)
        for n in (1, 2)
    ),
    _row(
        "batch_norm_3d",
        "BatchNorm3d",
        "BatchNorm3d",
        **{old: f"bn2d.{new}" for old, new in (_NORM | _RUNNING).items()},
    ),
    _row("sync_batch_norm", "SyncBatchNorm", "SyncBatchNorm", **_NORM, **_RUNNING),
    *(
        _row(f"instance_norm_{n}d", f"InstanceNorm{n}d", f"InstanceNorm{n}d", **_NORM, **_RUNNING)
        for n in (1, 2, 3)
    ),
    _row("prelu", "PReLU", "PReLU", weight="w"),
    _convolution("conv_1d", "Conv1d", "Conv1d"),
    _convolution("conv_transpose_1d", "ConvTranspose1d", "Conv1dTranspose"),
    _row("attention", "MultiheadAttention", "MultiheadAttention", **_ATTENTION),
    *(
        _row(f"transformer_{name.lower()}", name, name, **_TRANSFORMER)
        for name in ("TransformerEncoderLayer", "TransformerDecoderLayer")
    ),
)


def find_neighbour(framework: str, path: str) -> Neighbour | None:
    """Return the row whose class in `framework` has the import path `path`, or None."""
    for row in NEIGHBOURS:
        if row.classes.get(framework) == path:
            return row
    return None


def rename_parameters(layer: Neighbour, source: str, to: str) -> dict[str, str]:
    """Return what `to` calls each parameter of `layer`, by the name that `source` gives it.

    Raises:
        ArgumentError: `source` or `to` is no framework of the table.
    """
    for name, framework in (("source", source), ("to", to)):
        if framework not in layer.parameters:
            choices = ", ".join(FRONT_ENDS)
            raise ArgumentError(f"`{name}` must be one of {choices}, got {framework!r}.")
    return dict(zip(layer.parameters[source], layer.parameters[to], strict=True))


def shape_parameter(
    layer: Neighbour, parameter: str, shape: tuple[int, ...], source: str, to: str
) -> tuple[int, ...]:
    """Return the shape that `to` gives a parameter that has `shape` in `source`.

    A shape that is none of this layer's is returned as it is.

    Args:
        layer: whose.
        parameter: its name in `source`.
        shape: as it is there.
        source: a framework.
        to: another one.
    """
    torch = dict(zip(layer.parameters[source], layer.parameters["torch"], strict=True))
    axis = layer.extra_axis.get(torch.get(parameter, ""))
    if axis is None or source == to:
        return shape
    if to == "mindspore":
        return (*shape[:axis], 1, *shape[axis:]) if len(shape) == axis + 1 else shape
    fits = len(shape) == axis + 2 and shape[axis] == 1
    return (*shape[:axis], *shape[axis + 1 :]) if fits else shape


def may_have_other_shape(shape: tuple[int, ...], source: str) -> bool:
    """Return whether a weight of this shape may be one that another framework shapes otherwise."""
    axes = {axis for row in NEIGHBOURS for axis in row.extra_axis.values()}
    if source == "torch":
        return any(len(shape) == axis + 1 for axis in axes)
    return any(len(shape) == axis + 2 and shape[axis] == 1 for axis in axes)


def may_be_otherwise(name: str, shapes: Mapping[str, tuple[int, ...]], source: str) -> bool:
    """Return whether another framework may call or shape a tensor of an unknown layer otherwise.

    Args:
        name: its name in `shapes`.
        shapes: the dotted names of its checkpoint, and the shape of each tensor.
        source: their framework.
    """
    owner, _, last = name.rpartition(".")
    shape = shapes[name]
    if source != "torch":
        if last == "weight" and may_have_other_shape(shape, source):
            return True
        return any(
            f".{name}".endswith(f".{new}")
            for row in NEIGHBOURS
            for new, old in rename_parameters(row, source, "torch").items()
            if new != old
        )
    above, _, inner = owner.rpartition(".")
    if inner in ("linear1", "linear2"):  # of a transformer's layer; else a Linear
        return f"{above}.self_attn.in_proj_weight".lstrip(".") in shapes
    dot = "." if owner else ""
    weight, bias = (shapes.get(f"{owner}{dot}{each}") for each in ("weight", "bias"))
    if last in _RUNNING or (last in _NORM and weight == bias):
        return True
    # Left are weights of another shape than their bias: with one, of 2 axes, it is a Linear's.
    return last == "weight" and (len(shape) in (1, 3) or (len(shape) == 2 and bias is None))


def uncounted(names: Collection[str], source: str, to: str) -> list[str]:
    """Return the counters of torch's norms among `names`: MindSpore's norms count no batches."""
    if (source, to) != ("torch", "mindspore"):
        return []
    last = "num_batches_tracked"
    return [
        name
        for name in names
        if f".{name}".endswith(f".{last}") and f"{name.removesuffix(last)}running_mean" in names
    ]
