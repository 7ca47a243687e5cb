"""What the tests of loops and their gradients share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from problems import problem
from torch_cells import by_loop, of_torch, ours

P = problem(steps=4, dtype="float64")


def inputs(p: Any = P) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    x, h, c = (torch.from_numpy(a.copy()) for a in (p.x, p.h, p.c))
    return x, (h, c)


def loss_of(cell: Any, sign: float = 1.0, p: Any = P) -> Tensor:
    x, state = inputs(p)
    h_all, (_, c) = by_loop(cell, sign * x, state)
    loss: Tensor = h_all.square().sum() + c.sin().sum()
    return loss


def grads(loss: Tensor, cell: Any, **how: Any) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss, list(cell.parameters()), **how)


def assert_equal(got: Any, want: Any) -> None:
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


def assert_close(got: Any, want: Any) -> None:
    torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-11)


def as_in_torch(run: Any, p: Any = P) -> None:
    """Hold what `run` returns for a cell of ours against what it does for torch's."""
    assert_close(run(ours(p)), run(of_torch(p)))
