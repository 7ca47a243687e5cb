"""Layers beside the cell: their parameters get the other framework's names and shapes, and load."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
import torch
from mindspore import nn as M  # noqa: N812 - the two libraries side by side
from torch import nn as T  # noqa: N812 - the two libraries side by side

from onecell.checkpoint import load_checkpoint
from onecell.errors import ArgumentError
from onecell.mindspore.first_operator import get_over_first_operator
from onecell.neighbours import (
    NEIGHBOURS,
    find_neighbour,
    may_be_otherwise,
    rename_parameters,
    shape_parameter,
    uncounted,
)
from onecell.project import carry_out_project, plan_project

LAYERS: dict[str, tuple[str, Callable[[], M.Cell]]] = {
    "Linear": ("(3, 4)", lambda: M.Dense(3, 4)),
    "Embedding": ("(7, 3)", lambda: M.Embedding(7, 3)),
    "LayerNorm": ("(3)", lambda: M.LayerNorm((3,))),
    "GroupNorm": ("(2, 4)", lambda: M.GroupNorm(2, 4)),
    "BatchNorm1d": ("(4)", lambda: M.BatchNorm1d(4)),
    "BatchNorm2d": ("(4)", lambda: M.BatchNorm2d(4)),
    "BatchNorm3d": ("(4)", lambda: M.BatchNorm3d(4)),
    "SyncBatchNorm": ("(4)", lambda: M.SyncBatchNorm(4)),
    **{
        f"InstanceNorm{n}d": (
            "(4, affine=True, track_running_stats=True)",
            partial(getattr(M, f"InstanceNorm{n}d"), 4),
        )
        for n in (1, 2, 3)
    },
    "PReLU": ("(4)", lambda: M.PReLU(4)),
    "Conv1d": ("(4, 6, 3, groups=2)", lambda: M.Conv1d(4, 6, 3, group=2, has_bias=True)),
    "Conv2d": ("(4, 6, (3, 2))", lambda: M.Conv2d(4, 6, (3, 2), has_bias=True)),
    "Conv3d": ("(4, 6, (3, 2, 1))", lambda: M.Conv3d(4, 6, (3, 2, 1), has_bias=True)),
    "ConvTranspose1d": ("(4, 6, 3)", lambda: M.Conv1dTranspose(4, 6, 3, has_bias=True)),
    "ConvTranspose2d": (
        "(4, 6, (3, 2))",
        lambda: M.Conv2dTranspose(4, 6, (3, 2), has_bias=True),
    ),
    "GRU": ("(3, 4, 2)", lambda: M.GRU(3, 4, 2)),
    "RNNCell": ("(3, 4)", lambda: M.RNNCell(3, 4)),
    "Bilinear": ("(3, 4, 5)", lambda: M.BiDense(3, 4, 5)),
    "MultiheadAttention": ("(4, 2)", lambda: M.MultiheadAttention(4, 2)),
    "TransformerEncoderLayer": ("(4, 2, 8)", lambda: M.TransformerEncoderLayer(4, 2, 8)),
    "TransformerDecoderLayer": ("(4, 2, 8)", lambda: M.TransformerDecoderLayer(4, 2, 8)),
}
"""Layer of torch.nn → its arguments, and MindSpore's of the same sizes."""
EXTRA = {"num_batches_tracked"}
"""What MindSpore's norms do not count."""


def source(layer: str, module: str = "torch", base: str = "nn.Module") -> str:
    return (
        f"from {module} import nn\n\n\nclass Model({base}):\n    def __init__(self):\n"
        f"        super().__init__()\n        self.layer = nn.{layer}\n"
    )


class Outer(M.Cell):  # type: ignore[misc]  # MindSpore has no types
    """A model: what a lone norm calls its statistics is not what it calls them in one."""

    def __init__(self, layer: M.Cell) -> None:
        super().__init__()
        self.layer = layer


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_torch_loads_into_mindspores_and_comes_back(name: str, tmp_path: Path) -> None:
    arguments, make = LAYERS[name]
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "model.py").write_text(source(f"{name}{arguments}"))
    torch.manual_seed(1)
    module = T.ModuleDict({"layer": eval(f"T.{name}{arguments}", {"T": T})})  # noqa: S307
    state = {n: t for n, t in module.state_dict().items() if n.rpartition(".")[2] not in EXTRA}
    torch.save(state, folder / "model.pt")
    plan = plan_project([folder], "mindspore", tmp_path / "out", sides=["arrays"])
    carry_out_project(plan)
    layer = Outer(make())
    new = load_checkpoint(tmp_path / "out" / "model.ckpt").tensors
    assert {n: a.shape for n, a in new.items()} == {
        n: p.shape for n, p in layer.parameters_and_names()
    }
    read = ms.load_checkpoint(str(tmp_path / "out" / "model.ckpt"))
    assert ms.load_param_into_net(layer, read, strict_load=True) == ([], [])

    back = tmp_path / "back"
    back.mkdir()
    row = find_neighbour("torch", f"torch.nn.{name}")
    theirs = row.classes["mindspore"].rpartition(".")[2] if row else type(layer.layer).__name__
    (back / "model.py").write_text(source(f"{theirs}()", "mindspore", "nn.Cell"))
    (back / "model.ckpt").write_bytes((tmp_path / "out" / "model.ckpt").read_bytes())
    plan = plan_project([back], "torch", tmp_path / "again", sides=["arrays"])
    carry_out_project(plan)
    again = torch.load(tmp_path / "again" / "model.pt", weights_only=True)
    assert again.keys() == state.keys()
    assert all(torch.equal(tensor, state[n]) for n, tensor in again.items())
    module.load_state_dict(again)


def test_what_the_other_layer_does_not_count_is_left_behind_and_named(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(source("BatchNorm1d(4)"))
    torch.save(T.ModuleDict({"layer": T.BatchNorm1d(4)}).state_dict(), tmp_path / "model.pt")
    plan = plan_project([tmp_path], "mindspore", tmp_path / "out", sides=["arrays"])
    (checkpoint,) = carry_out_project(plan).checkpoints
    assert checkpoint.naming is not None
    assert checkpoint.naming.left == ("layer.num_batches_tracked",)
    assert not checkpoint.naming.by_hand
    assert checkpoint.proof is not None
    assert checkpoint.proof.counters == ("layer.num_batches_tracked",)
    read = ms.load_checkpoint(str(tmp_path / "out" / "model.ckpt"))
    net = Outer(M.BatchNorm1d(4))
    assert ms.load_param_into_net(net, read, strict_load=True) == ([], [])
    assert read.keys() == {n for n, _ in net.parameters_and_names()}


def test_counters_stay_where_no_norm_stands_beside_or_the_framework_keeps_them() -> None:
    names = ["a.num_batches_tracked", "a.running_mean", "b.num_batches_tracked"]
    assert uncounted(names, "torch", "mindspore") == ["a.num_batches_tracked"]
    assert uncounted(names, "torch", "torch") == []
    assert uncounted(["num_batches_tracked", "running_mean"], "torch", "mindspore") == [
        "num_batches_tracked"
    ]


@pytest.mark.parametrize("name", LAYERS)
def test_what_the_names_of_an_unknown_layer_hide_is_told(name: str) -> None:
    arguments, make = LAYERS[name]
    module = T.ModuleDict({"layer": eval(f"T.{name}{arguments}", {"T": T})})  # noqa: S307
    old = {n: tuple(t.shape) for n, t in module.state_dict().items()}
    new = {n: tuple(p.shape) for n, p in Outer(make()).parameters_and_names()}
    for shapes, others, framework in ((old, new, "torch"), (new, old, "mindspore")):
        for parameter, shape in shapes.items():
            if parameter.rpartition(".")[2] not in EXTRA and others.get(parameter) != shape:
                assert may_be_otherwise(parameter, shapes, framework), (framework, parameter)


def test_a_linear_with_bias_is_called_the_same() -> None:
    shapes = {"a.weight": (3, 4), "a.bias": (3,), "b.weight": (5, 2, 3, 3), "b.bias": (5,)}
    assert not any(may_be_otherwise(name, shapes, "torch") for name in shapes)


def test_shapes_are_the_same_both_ways_and_odd_ones_stay() -> None:
    row = find_neighbour("torch", "torch.nn.Conv1d")
    assert row is not None
    new = shape_parameter(row, "weight", (6, 4, 3), "torch", "mindspore")
    assert new == (6, 4, 1, 3)
    assert shape_parameter(row, "weight", new, "mindspore", "torch") == (6, 4, 3)
    assert shape_parameter(row, "bias", (6,), "torch", "mindspore") == (6,)
    for odd in ((), (3,), (6, 4, 2, 3), (6, 4, 1, 1, 3)):
        assert shape_parameter(row, "weight", odd, "mindspore", "torch") == odd
        assert shape_parameter(row, "weight", odd, "torch", "mindspore") == odd


def test_every_row_names_classes_that_are_there() -> None:
    for row in NEIGHBOURS:
        for framework, module in (("torch", T), ("mindspore", M)):
            assert hasattr(module, row.classes[framework].rpartition(".")[2]), row.layer
        assert len(set(row.parameters["mindspore"])) == len(row.parameters["torch"])


def test_an_unknown_framework_is_refused() -> None:
    with pytest.raises(ArgumentError, match="must be one of torch, mindspore"):
        rename_parameters(NEIGHBOURS[0], "jax", "torch")


def test_a_convolution_over_one_axis_computes_the_same_with_the_extra_axis() -> None:
    get_over_first_operator()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 9)).astype(np.float32)
    theirs = T.Conv1d(4, 6, 3)
    ours = M.Conv1d(4, 6, 3, has_bias=True, pad_mode="valid")
    row = find_neighbour("torch", "torch.nn.Conv1d")
    assert row is not None
    weight = theirs.weight.detach().numpy()
    shape = shape_parameter(row, "weight", weight.shape, "torch", "mindspore")
    ours.weight.set_data(ms.Tensor(weight.reshape(shape)))
    ours.bias.set_data(ms.Tensor(theirs.bias.detach().numpy()))  # type: ignore[union-attr]
    want = theirs(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(ours(ms.Tensor(x)).asnumpy(), want, atol=1e-5)
