"""Problems (see `problems`) as torch cells and tensors, and what a cell makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

import onecell.torch
from problems import Array, Problem

State: TypeAlias = tuple[Tensor, Tensor]
Run: TypeAlias = Callable[[Any, Tensor, State], tuple[Tensor, State]]


def of_torch(p: Problem) -> torch.nn.LSTMCell:
    """Return torch's own cell with the weights of `p`."""
    spec = p.weights.spec
    dtype = torch.float32 if spec.dtype.itemsize == 4 else torch.float64
    cell = torch.nn.LSTMCell(spec.input_size, spec.hidden_size, spec.bias, dtype=dtype)
    cell.load_state_dict({n: torch.from_numpy(a.copy()) for n, a in p.weights.arrays().items()})
    return cell


def ours(p: Problem) -> onecell.torch.LSTMCell:
    """Return our cell with the weights of `p`."""
    return onecell.torch.LSTMCell.from_torch(of_torch(p))


def step_inputs(p: Problem) -> tuple[Tensor, State]:
    """Return x (N, I) of the first step, and the state."""
    x, h, c = (torch.from_numpy(a.copy()) for a in (p.x[0], p.h, p.c))
    return x, (h, c)


def by_unroll(cell: Any, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run all steps in one call."""
    found: tuple[Tensor, State] = cell.unroll(x, state)
    return found


def by_loop(cell: Any, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run step by step, in Python."""
    every = []
    for row in x.unbind(0):
        state = cell(row, state)
        every.append(state[0])
    return torch.stack(every), state


def results(p: Problem, cell: Any, run: Run) -> dict[str, Array]:
    """Return all that `cell` makes of a problem, named as `problems.results` does."""
    x, h, c = (torch.from_numpy(a.copy()).requires_grad_() for a in (p.x, p.h, p.c))
    h_all, (h_last, c_last) = run(cell, x, (h, c))
    named = dict(cell.named_parameters())
    grads = torch.autograd.grad(
        (h_all, h_last, c_last),
        (x, h, c, *named.values()),
        tuple(torch.from_numpy(a.copy()) for a in p.grads),
    )
    found = {"h_all": h_all, "h_last": h_last, "c_last": c_last}
    found |= dict(zip(("x", "h", "c", *named), grads, strict=True))
    return {name: tensor.detach().numpy() for name, tensor in found.items()}


def race(cell: Any, seed: int, shape: tuple[int, ...]) -> None:
    """Train a cell towards h = 0.5 while other processes train it too."""
    rows = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(cell.parameters(), lr=0.5)
    for _ in range(40):
        optimizer.zero_grad()
        h_all, _ = cell.unroll(torch.randn(shape, generator=rows))
        (h_all - 0.5).square().mean().backward()
        optimizer.step()
