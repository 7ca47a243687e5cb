"""Loops that go to torch's operators and to the kernel by turns, so that threads are lent."""

from __future__ import annotations

import copy
import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import onecell
import onecell.torch
from onecell import _kernel
from onecell.torch import threads

LARGE = torch.ones(1 << 18)
"""torch's operators take several threads to it."""
CELL = onecell.torch.LSTMCell(32, 64)
X = torch.randn(12, 32, 32)


def train(rounds: int = 4) -> list[torch.Tensor]:
    """Return weights after some steps of training, between operators of torch's."""
    cell = copy.deepcopy(CELL)
    optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
    for _ in range(rounds):
        LARGE.add(1)
        h_all, _ = cell.unroll(X)
        (h_all.square().mean() + LARGE.sum() * 0).backward()
        optimizer.step()
        optimizer.zero_grad()
    return [p.detach() for p in cell.parameters()]


@pytest.fixture
def alone() -> Iterator[list[torch.Tensor]]:
    """What one thread makes of it."""
    before = onecell.get_num_threads()
    onecell.set_num_threads(1)
    weights = train()
    onecell.set_num_threads(max(before, 3))
    yield weights
    onecell.set_num_threads(before)


def same(found: list[torch.Tensor], wanted: list[torch.Tensor]) -> bool:
    return all(map(torch.equal, found, wanted))


def test_the_bits_are_those_of_one_thread(alone: Any) -> None:
    threads.lend()
    for _ in range(5):
        assert same(train(), alone)


def test_so_are_those_of_a_thread_that_borrows_nothing(alone: Any) -> None:
    threads.lend()
    found: list[bool] = []
    workers = [threading.Thread(target=lambda: found.append(same(train(), alone))) for _ in "ab"]
    for worker in workers:
        worker.start()
    assert same(train(), alone)
    for worker in workers:
        worker.join()
    assert found == [True, True]


def unroll() -> bytes:
    with torch.no_grad():
        h_all, _ = CELL.unroll(X)
    found: bytes = h_all.numpy().tobytes()
    return found


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_child_of_a_fork_does_without(alone: Any) -> None:
    assert same(train(), alone)
    threads.lend()
    wanted = unroll()
    fork = multiprocessing.get_context("fork")
    with fork.Pool(1) as pool:
        assert pool.apply_async(unroll).get(timeout=300) == wanted


@pytest.mark.parametrize("problem", ["no such library", "no OpenMP"])
def test_another_build_of_torch_lends_nothing(
    problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def lend(_: int) -> None:
        pytest.fail("lent")

    monkeypatch.setattr(_kernel, "lend_threads", lend)
    if problem == "no OpenMP":
        monkeypatch.setattr(torch.backends.openmp, "is_available", lambda: False)
    else:
        monkeypatch.setattr(torch, "__file__", str(tmp_path / "torch" / "__init__.py"))
    threads.lend()


def test_this_build_lends_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    lent: list[int] = []
    monkeypatch.setattr(_kernel, "lend_threads", lent.append)
    threads.lend()
    assert len(lent) == 1
    assert lent[0] > 0
