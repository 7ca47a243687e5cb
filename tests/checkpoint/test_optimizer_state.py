"""Optimizer state in checkpoints: every slot of every optimizer, left behind where it must be."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onecell.checkpoint import CellSite, convert, find_cells, load_checkpoint
from onecell.checkpoint.optimizer_state import names_under, optimizer_state
from onecell.spec import Spec
from onecell.weights import Weights

Tensors = dict[str, np.ndarray]

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def cell(prefix: str, seed: int = 1) -> Tensors:
    return Weights.random(Spec(3, 5), rng=seed).to_dialect("torch", prefix=prefix)


@pytest.fixture(scope="module")
def every_optimizer(mindspore: Any) -> dict[str, Tensors]:
    """Optimizer → the checkpoint of a net with a cell and of the optimizer's own parameters."""
    import mindspore.experimental.optim as experimental
    from mindspore import mint, nn

    class Net(nn.Cell):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTMCell(3, 5)
            self.head = nn.Dense(5, 2)

    wrappers = {"LARS", "OptTFTWrapper", "AdaSumByGradWrapCell", "AdaSumByDeltaWeightWrapCell"}
    found = {}
    for module in (nn.optim, experimental, mint.optim):
        for name, kind in sorted(vars(module).items()):
            if not inspect.isclass(kind) or not issubclass(kind, nn.Cell) or name in wrappers:
                continue
            if "Optimizer" not in name and (made := _make(kind, Net())) is not None:
                found[f"{module.__name__}.{name}"] = made
    return found


CALLS: list[dict[str, float]] = [
    {},
    {"learning_rate": 0.1},
    {"learning_rate": 0.1, "momentum": 0.9},
    {"lr": 0.1},
]


def _make(kind: Any, net: Any) -> Tensors | None:
    for options in CALLS:
        try:
            optimizer = kind(list(net.trainable_params()), **options)
        except (TypeError, ValueError, RuntimeError, SystemError):
            continue  # other arguments; or, of all, one that runs on other devices only
        tensors = {p.name: p.asnumpy() for p in net.get_parameters()}
        own = {p.name: p.asnumpy() for p in optimizer.get_parameters()}
        for value in vars(optimizer).values():  # what it keeps in plain lists is not reported
            if isinstance(value, list):
                own |= {p.name: p.asnumpy() for p in value if hasattr(p, "asnumpy")}
        return tensors | own
    return None


def test_the_state_of_every_optimizer_of_mindspore_is_told_and_left_behind(
    every_optimizer: dict[str, Tensors],
) -> None:
    assert len(every_optimizer) >= 26
    assert {name.rpartition(".")[2] for name in every_optimizer} >= {"ASGD", "AdaFactor", "NAdam"}
    for name, tensors in every_optimizer.items():
        done = convert(tensors, "mindspore", "torch")
        assert done.cells == [CellSite("cell.")], name
        assert done.notes == [], name
        model = {*(f"cell.{p}" for p in PARAMETERS), "head.weight", "head.bias"}
        assert set(done.tensors) == model, name
        assert set(done.left) == tensors.keys() - model, name


def test_the_same_framework_keeps_the_state(every_optimizer: dict[str, Tensors]) -> None:
    for name, tensors in every_optimizer.items():
        done = convert(tensors, "mindspore", "mindspore")
        assert done.cells == [CellSite("cell.")], name
        assert done.notes == [], name
        assert list(done.tensors) == list(tensors), name
        assert done.left == [], name


def test_the_state_of_a_part_of_a_cell_is_told_too() -> None:
    tensors = cell("cell.") | {"moment1.cell.bias_ih": np.ones(20, np.float32)}
    assert find_cells(tensors, "mindspore") == [CellSite("cell.")]
    assert convert(tensors, "mindspore", "torch").left == ["moment1.cell.bias_ih"]


def test_what_is_called_like_state_and_is_none_is_carried_over() -> None:
    tensors = cell("cell.") | {
        "learning_rate": np.array(1.0),
        "moment1.cell.bias_ih": np.ones(7),
        "mu_head.weight": np.array(1.0),
        "mu_cell.bias_ih": np.ones((2, 2, 2)),
    }
    done = convert(tensors, "mindspore", "torch")
    assert done.left == []
    assert set(done.carried) == tensors.keys() - cell("cell.").keys()


def _sgd(p: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(p, momentum=0.9, lr=0.1)


OPTIMIZERS: list[Callable[[Any], torch.optim.Optimizer]] = [
    _sgd,
    torch.optim.Adam,
    torch.optim.Adagrad,
    torch.optim.NAdam,
    torch.optim.ASGD,
    torch.optim.Rprop,
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("nested", [True, False])
def test_the_state_of_a_torch_optimizer_is_left_behind_and_named(
    optimizer: Callable[[Any], torch.optim.Optimizer], nested: bool, tmp_path: Path
) -> None:
    model = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(3, 5), "state": torch.nn.Linear(2, 2)})
    made = optimizer(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    made.step()
    whole = {"model": model.state_dict(), "epoch": 3, "optimizer": made.state_dict()}
    flat = {**model.state_dict(), **made.state_dict()} if not nested else whole
    torch.save(flat, tmp_path / "run.pt")
    read = load_checkpoint(tmp_path / "run.pt")
    done = convert(read.tensors, "torch", "mindspore", None, read.metadata)
    prefix = "model." if nested else ""
    assert set(done.tensors) >= {f"{prefix}{name}" for name in model.state_dict()} - (
        set() if nested else {"state.weight", "state.bias"}
    )
    assert [site.name for site in done.cells] == [f"{prefix}cell"]
    assert done.left
    assert all("state." in name or "param_groups." in name for name in done.left)
    assert "epoch" not in done.left
    assert set(done.left) >= {n for n in read.metadata if "param_groups" in n}
    kept = convert(read.tensors, "torch", "torch", None, read.metadata)
    assert kept.left == []
    assert list(kept.tensors) == list(read.tensors)


def test_state_by_parameter_names_is_left_behind_too() -> None:
    tensors = cell("model.cell.") | {
        "optim.state.cell.weight_ih.exp_avg": np.ones((20, 3)),
        "optim.param_groups.0.lr": np.array(0.1),
    }
    done = convert(tensors, "torch", "mindspore", None, ["optim.param_groups.0.weight_decay"])
    assert set(done.left) == {*list(tensors)[4:], "optim.param_groups.0.weight_decay"}


def test_without_groups_a_module_called_state_is_a_module() -> None:
    tensors = {"state.0.exp_avg": np.ones(3)} | cell("state.1.")
    assert optimizer_state(tensors, [], "torch") == set()


@pytest.mark.parametrize(
    ("prefixes", "want"),
    [
        (["a."], ["a.b", "a.b.c"]),
        (["a.b."], ["a.b.c"]),
        (["a.", "a.b.", "b."], ["a.b", "a.b.c", "b.x"]),
        ([""], ["a", "a.b", "a.b.c", "aa", "b.x"]),
        ([], []),
    ],
)
def test_names_under(prefixes: list[str], want: list[str]) -> None:
    assert names_under(["a", "a.b", "a.b.c", "aa", "b.x"], prefixes) == want


def _nested(depth: int) -> Iterator[str]:
    for length in range(1, depth):
        yield ".".join(["a"] * length) + "."


def test_prefixes_inside_each_other_cost_no_more_than_the_names() -> None:
    names = sorted(prefix + "x" for prefix in _nested(400))
    assert names_under(names, list(_nested(400))) == names
