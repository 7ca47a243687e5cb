"""Cells whose weights torch shards: their gradients, unrolling and freezing, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import (
    FullyShardedDataParallel,
    fully_shard,
    register_fsdp_forward_method,
)
from torch.nn.parallel import DistributedDataParallel

from onecell.errors import FrozenError
from onecell.torch import LSTMCell
from problems import problem
from torch_cells import by_loop, of_torch, ours

P = problem()
X = torch.from_numpy(P.x)
STATE = (torch.from_numpy(P.h), torch.from_numpy(P.c))

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*FSDP.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch.distributed"),
]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceMesh]:
    place: Path = tmp_path_factory.mktemp("group") / "rendezvous"
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{place}", rank=0, world_size=1
    )
    yield init_device_mesh("cpu", (1,))
    torch.distributed.destroy_process_group()


def whole(tensor: Any) -> Tensor:
    found: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return found.detach().clone()


def gradients(cell: Any, model: Any, below: Any, passes: int = 4) -> list[Tensor]:
    """Return the gradients of the cell after each pass, the losses of all passes kept."""
    found, kept = [], []
    for _ in range(passes):
        state = STATE
        for row in X[:2]:
            state = model(below(row), state)
        loss = state[0].square().sum() + state[1].sum()
        kept.append(loss)
        loss.backward()
        found += [whole(p.grad) for p in cell.parameters()]
        model.zero_grad()
    return found


@pytest.mark.parametrize("reshard", [True, False])
def test_fully_sharded_cells_get_the_gradients_of_torch_s(mesh: DeviceMesh, reshard: bool) -> None:
    def run(cell: Any) -> list[Tensor]:
        torch.manual_seed(0)
        fully_shard(cell, mesh=mesh, reshard_after_forward=reshard)
        return gradients(cell, cell, torch.nn.Linear(10, 10))

    torch.testing.assert_close(run(ours(P)), run(of_torch(P)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("original", [True, False])
def test_cells_in_the_older_sharding_get_the_gradients_of_torch_s(
    mesh: DeviceMesh, original: bool
) -> None:
    def run(cell: Any) -> list[Tensor]:
        torch.manual_seed(0)
        model = FullyShardedDataParallel(
            cell, device_id=torch.device("cpu"), use_orig_params=original
        )
        return gradients(model, model, torch.nn.Linear(10, 10))

    torch.testing.assert_close(run(ours(P)), run(of_torch(P)), rtol=1e-5, atol=1e-6)


def test_replicated_cells_get_the_gradients_of_torch_s(mesh: DeviceMesh) -> None:
    def run(cell: Any) -> list[Tensor]:
        torch.manual_seed(0)
        model = DistributedDataParallel(cell)
        found, kept = [], []
        for _ in range(3):
            h, c = model(torch.nn.Linear(10, 10)(X[0]), STATE)
            kept.append(h.square().sum() + c.sum())
            kept[-1].backward()
            found += [whole(p.grad) for p in cell.parameters()]
        return found

    torch.testing.assert_close(run(ours(P)), run(of_torch(P)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("registered", [True, False])
def test_a_sharded_cell_unrolls_and_trains(mesh: DeviceMesh, registered: bool) -> None:
    def run(cell: Any, unroll: Any) -> list[Tensor]:
        fully_shard(cell, mesh=mesh)
        if registered and isinstance(cell, LSTMCell):
            register_fsdp_forward_method(cell, "unroll")
        descent, found = torch.optim.SGD(cell.parameters(), lr=0.5), []
        for _ in range(3):
            h_all, (_, c) = unroll(cell, X.clone().requires_grad_(), STATE)
            (h_all.square().sum() + c.sum()).backward()
            found += [h_all.detach(), *(whole(p.grad) for p in cell.parameters())]
            descent.step()
            descent.zero_grad()
        return found

    got = run(ours(P), lambda cell, *given: cell.unroll(*given))
    torch.testing.assert_close(got, run(of_torch(P), by_loop), rtol=1e-4, atol=1e-5)


def test_a_registered_unroll_gathers_once(
    mesh: DeviceMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[Any] = []
    forward = LSTMCell._forward

    def seen(self: Any, *given: Any) -> Any:
        steps.append(self)
        return forward(self, *given)

    monkeypatch.setattr(LSTMCell, "_forward", seen)
    cell = ours(P)
    fully_shard(cell, mesh=mesh)
    cell.unroll(X, STATE)
    assert len(steps) == len(X)
    register_fsdp_forward_method(cell, "unroll")
    cell.unroll(X, STATE)
    assert len(steps) == len(X)
    cell.register_forward_hook(lambda *_: None)  # of somebody else's, not left out
    cell.unroll(X, STATE)
    assert len(steps) == 2 * len(X)


def test_a_sharded_cell_is_frozen_once_it_is_whole(mesh: DeviceMesh) -> None:
    cell = ours(P)
    want = cell.freeze().unroll(X, STATE)[0]
    sharded: Any = fully_shard(cell, mesh=mesh)
    with pytest.raises(FrozenError, match=r"`weight_ih` must be whole.*cell\.unshard\(\)"):
        cell.freeze()
    sharded.unshard()
    assert torch.equal(cell.freeze().unroll(X, STATE)[0], want)
    sharded.reshard()
    cell(X[0], STATE)[0].sum().backward()  # which frees and fills the storages again
    assert cell.weight_ih.grad is not None


@pytest.mark.parametrize("original", [True, False])
def test_a_cell_in_the_older_sharding_is_frozen_once_it_is_whole(
    mesh: DeviceMesh, original: bool
) -> None:
    cell = ours(P)
    want = cell.freeze().unroll(X, STATE)[0]
    model = FullyShardedDataParallel(cell, device_id=torch.device("cpu"), use_orig_params=original)
    for _ in range(2):
        with FullyShardedDataParallel.summon_full_params(model):
            assert torch.equal(cell.freeze().unroll(X, STATE)[0], want)
        model(X[0], STATE)[0].sum().backward()


def test_a_flat_piece_of_a_weight_is_named() -> None:
    """What the older sharding leaves a process of several, where the cell is wrapped alone."""
    cell = ours(P)
    cell.weight_ih = torch.nn.Parameter(cell.weight_ih.detach().flatten()[::2])
    with pytest.raises(RuntimeError, match=r"`weight_ih` must have 2 dim.* wrap the module"):
        cell.unroll(X, STATE)
    with pytest.raises(FrozenError, match=r"`weight_ih` must be whole.*summon_full_params"):
        cell.freeze()
