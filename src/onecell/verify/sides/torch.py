"""torch.nn.LSTMCell and onecell.torch.LSTMCell, as sides on the CPU."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from onecell.dialect import TORCH
from onecell.verify.sides import Array, Bits, Side, as_arrays
from onecell.weights import Weights


class TorchSide:
    """A cell with torch's constructor and call on given weights."""

    def __init__(self, cell: str, weights: Weights) -> None:
        module, name = cell.rsplit(".", 1)
        make = getattr(importlib.import_module(module), name)
        dtype = torch.float64 if weights.dtype_name == "float64" else torch.float32
        # Made without storage, so that no number is drawn from the caller's random generator.
        self.cell: torch.nn.Module = make(
            weights.input_size, weights.hidden_size, weights.bias, device="meta", dtype=dtype
        ).to_empty(device="cpu")
        self.cell.load_state_dict({n: torch.from_numpy(a) for n, a in as_arrays(weights).items()})

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step, without recording a gradient."""
        with torch.no_grad():
            h_next, c_next = self.cell(torch.tensor(x), (torch.tensor(h), torch.tensor(c)))
        return h_next.numpy(), c_next.numpy()

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return what `backward` leaves in every leaf."""
        leaves = {n: torch.tensor(a, requires_grad=True) for n, a in (("x", x), ("h", h), ("c", c))}
        self._backward(leaves, grad_h_all, grad_c_last)
        leaves |= dict(self.cell.named_parameters())
        return {name: _gradient(leaf) for name, leaf in leaves.items()}

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        state, states = (torch.tensor(h), torch.tensor(c)), []
        with torch.no_grad():
            for row in torch.tensor(x):
                state = self.cell(row, state)
                states.append(state)
        h_all, c_all = (torch.stack(part).numpy() for part in zip(*states, strict=True))
        return h_all, c_all

    def sgd(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array, rate: float
    ) -> Mapping[str, Array]:
        """Return the parameters after `torch.optim.SGD.step`."""
        optimizer = torch.optim.SGD(self.cell.parameters(), lr=rate)
        optimizer.zero_grad()
        leaves = {"x": torch.tensor(x), "h": torch.tensor(h), "c": torch.tensor(c)}
        self._backward(leaves, grad_h_all, grad_c_last)
        optimizer.step()
        return {name: p.detach().numpy() for name, p in self.cell.named_parameters()}

    def _backward(
        self, leaves: Mapping[str, torch.Tensor], grad_h_all: Array, grad_c_last: Array
    ) -> None:
        h, c = leaves["h"], leaves["c"]
        loss = torch.zeros((), dtype=h.dtype)
        for row, grad_h in zip(leaves["x"], torch.tensor(grad_h_all), strict=True):
            h, c = self.cell(row, (h, c))
            loss = loss + (h * grad_h).sum()
        loss = loss + (c * torch.tensor(grad_c_last)).sum()
        torch.autograd.backward(loss)


def _gradient(leaf: torch.Tensor) -> Array:
    if leaf.grad is None:
        return torch.zeros_like(leaf).detach().numpy()
    return leaf.grad.numpy()


def read_file(path: Path) -> Iterator[Bits]:
    """Yield every tensor of a file as torch itself reads it, without running code from it."""
    for name, tensor in torch.load(path, map_location="cpu", weights_only=True).items():
        content = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        yield name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), content


def open_theirs(weights: Weights) -> Side:
    """Return `torch.nn.LSTMCell` holding `weights`."""
    return TorchSide(TORCH.cell, weights)


def open_ours(weights: Weights) -> Side:
    """Return `onecell.torch.LSTMCell` holding `weights`."""
    return TorchSide(TORCH.onecell, weights)
