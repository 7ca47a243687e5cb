"""What people put around a cell in one program: it trains there as torch's own does.

Two processes of torchrun are in `test_ranks`, compiled loops in `test_gathering`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import joblib
import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend
from torch.func import functional_call, stack_module_state, vmap
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset

from problems import problem
from torch_cells import by_loop, by_unroll, of_torch, ours, race

P = problem()
X = torch.from_numpy(P.x)
STATE = (torch.from_numpy(P.h), torch.from_numpy(P.c))
RUNS = pytest.mark.parametrize("run", [by_loop, by_unroll])


def loss_of(cell: Any, run: Any, x: Tensor = X) -> Tensor:
    h_all, (_, c) = run(cell, x, STATE)
    loss: Tensor = h_all.square().mean() + c.sin().mean()
    return loss


def trained(cell: Any, step: Callable[[], object], rounds: int = 3) -> list[Tensor]:
    """Return the parameters of a cell after some steps."""
    before = [p.detach().clone() for p in cell.parameters()]
    for _ in range(rounds):
        step()
    after = [p.detach() for p in cell.parameters()]
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(after, before, strict=True))
    return after


def close(got: Any, want: Any) -> None:
    torch.testing.assert_close(got, want, rtol=0, atol=1e-6)


@RUNS
def test_activations_are_computed_again(run: Any) -> None:
    def train(cell: Any, run: Any) -> list[Tensor]:
        optimizer = torch.optim.SGD(cell.parameters(), lr=0.5)

        def step() -> None:
            optimizer.zero_grad()
            x = X.clone().requires_grad_()
            found: Any = checkpoint(loss_of, cell, run, x, use_reentrant=False)
            found.backward()
            optimizer.step()

        return trained(cell, step)

    close(train(ours(P), run), train(of_torch(P), by_loop))


@RUNS
def test_optimizers_step_within_backward(run: Any) -> None:
    def train(cell: Any, run: Any) -> list[Tensor]:
        optimizers = {p: torch.optim.SGD([p], lr=0.5) for p in cell.parameters()}

        def update(p: Tensor) -> None:
            optimizers[p].step()
            p.grad = None

        for p in cell.parameters():
            p.register_post_accumulate_grad_hook(update)
        return trained(cell, lambda: loss_of(cell, run).backward())

    close(train(ours(P), run), train(of_torch(P), by_loop))


@RUNS
def test_an_ensemble_is_one_call(run: Any) -> None:
    """Torch's own cell has no rule for it (2.13): it is a loop over the members here."""
    members = [ours(problem(seed=seed)) for seed in range(3)]
    stacked, _ = stack_module_state(members)
    empty = copy.deepcopy(members[0]).to("meta")

    class Run(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = empty

        def forward(self, x: Tensor) -> Tensor:
            return loss_of(self.cell, run, x)

    def one(parameters: dict[str, Tensor]) -> Any:
        return functional_call(Run(), {f"cell.{n}": p for n, p in parameters.items()}, (X,))

    losses = vmap(one)(stacked)
    losses.sum().backward()
    for place in range(3):
        theirs = of_torch(problem(seed=place))
        want = loss_of(theirs, by_loop)
        want.backward()
        close(losses[place], want)
        for name, parameter in theirs.named_parameters():
            close(stacked[name].grad[place], parameter.grad)


def test_a_compiled_step_of_training_is_compiled_once() -> None:
    def train(cell: Any) -> tuple[list[Tensor], CompileCounterWithBackend]:
        torch.compiler.reset()
        counter = CompileCounterWithBackend("aot_eager")
        run = torch.compile(loss_of, backend=counter, fullgraph=True)
        optimizer = torch.optim.SGD(cell.parameters(), lr=0.5)

        def step() -> None:
            optimizer.zero_grad()
            run(cell, by_loop).backward()
            optimizer.step()

        return trained(cell, step, 5), counter

    (mine, counter), (theirs, _) = train(ours(P)), train(of_torch(P))
    close(mine, theirs)
    assert counter.frame_count == 1


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_processes_train_one_cell_in_shared_memory() -> None:
    def far(cell: Any) -> float:
        with torch.no_grad():
            return float((cell.unroll(X)[0] - 0.5).square().mean())

    cell = ours(P)
    begun = far(cell)
    cell.share_memory()
    workers: list[Any] = [
        torch.multiprocessing.get_context(way).Process(  # type: ignore[attr-defined]
            target=race, args=(cell, seed, X.shape)
        )
        for seed, way in enumerate(["spawn", "fork"])
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(200)
        assert worker.exitcode == 0
    assert all(p.is_shared() for p in cell.parameters())
    assert far(cell) < 0.8 * begun


class Coded(Dataset[Tensor]):
    """Rows that the workers of a loader put through a cell."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> Tensor:
        with torch.no_grad():
            h: Tensor = self.cell(X[index], STATE)[0]
        return h


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_of_a_loader_that_were_forked_compute() -> None:
    cell = ours(P)
    cell.unroll(X)[0].sum().backward()  # so that threads are there before the fork
    found = [*DataLoader(Coded(cell), batch_size=2, num_workers=1, multiprocessing_context="fork")]
    want = torch.stack([cell(x, STATE)[0] for x in X])
    assert torch.equal(torch.cat(found), want)


def threads() -> tuple[int, int]:
    import onecell.torch

    return torch.get_num_threads(), onecell.get_num_threads()


def test_workers_of_joblib_have_torchs_threads() -> None:
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        # One job would stay in this process.
        ((theirs, mine),) = joblib.Parallel(n_jobs=2)([joblib.delayed(threads)()])
    assert mine == theirs == 1
