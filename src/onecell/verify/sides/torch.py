"""torch.nn.LSTMCell, onecell.torch.LSTMCell and any module that is called as they are."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from onecell.dialect import TORCH
from onecell.dtypes import BFLOAT16
from onecell.errors import NotACellError
from onecell.frozen import FrozenCell
from onecell.verify.quantities.optimizers import BETAS, EPSILON, Optimizer, spread
from onecell.verify.sides import (
    COPY,
    Array,
    Bits,
    Side,
    as_arrays,
    check_unwritten,
    moves,
    without_gradients,
    without_training,
)
from onecell.verify.sides.live import (
    FROZEN,
    Live,
    known_side,
    say_class,
    say_frozen,
    sizes_of,
    without_any_gradient,
)
from onecell.weights import Weights


class TorchSide:
    """A module that is called as torch's cell is, `cell(x, (h, c)) -> (h', c')`.

    Args:
        cell: the module, or a function of tensors. It is never changed.
        parameters: canonical name → its parameter, for those that it has.
    """

    epsilon_first = False

    def __init__(self, cell: Any, parameters: Mapping[str, torch.Tensor]) -> None:  # noqa: ANN401
        self.cell = cell
        self.parameters = {n: p for n, p in parameters.items() if p.requires_grad}
        frozen = [name for name in parameters if name not in self.parameters]
        self.leaves_out = without_gradients(frozen, "the parameter is frozen")
        if isinstance(cell, torch.nn.Module):
            self._names = {id(parameter): name for name, parameter in cell.named_parameters()}
        placed = next(iter(parameters.values()), None)
        if placed is None and isinstance(cell, torch.nn.Module):
            placed = next(cell.parameters(), None)
        self.device = torch.device("cpu") if placed is None else placed.device

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step, without recording a gradient."""
        arrays = {"x": x, "h": h, "c": c}
        given = {name: self._tensor(array) for name, array in arrays.items()}
        with torch.no_grad():
            h_next, c_next = self.cell(given["x"], (given["h"], given["c"]))
        check_unwritten({name: _array(tensor) for name, tensor in given.items()}, arrays)
        # Copies: a cell may answer the next call in the same memory.
        return _array(h_next).copy(), _array(c_next).copy()

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return what `torch.autograd.grad` gives for every leaf; no `.grad` is touched."""
        given = (("x", x), ("h", h), ("c", c))
        leaves = {name: self._tensor(array).requires_grad_() for name, array in given}
        loss = self._loss(leaves, grad_h_all, grad_c_last)
        leaves |= self.parameters
        if not loss.requires_grad:  # an answer that carries no gradient has that of a constant
            return {name: np.zeros(tuple(leaf.shape), x.dtype) for name, leaf in leaves.items()}
        found = torch.autograd.grad(loss, tuple(leaves.values()), materialize_grads=True)
        return {name: _array(gradient) for name, gradient in zip(leaves, found, strict=True)}

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        state, states = (self._tensor(h), self._tensor(c)), []
        with torch.no_grad():
            for row in self._tensor(x):
                state = self.cell(row, state)
                states.append(state)
        h_all, c_all = (_array(torch.stack(part)) for part in zip(*states, strict=True))
        return h_all, c_all

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Let `torch.optim.SGD` or `Adam` step the parameters of a copy of the module."""
        if not self.parameters:
            return {}
        try:
            copy = deepcopy(self.cell)
            named = dict(copy.named_parameters())
            parameters = {name: named[self._names[id(p)]] for name, p in self.parameters.items()}
        except Exception:  # somebody else's module: a tensor that is no leaf, a lock, a file
            self.leaves_out |= without_training(self.parameters, COPY)
            return {}
        if optimizer.name == "sgd":
            steps: torch.optim.Optimizer = torch.optim.SGD(parameters.values(), lr=optimizer.rate)
        else:
            steps = torch.optim.Adam(parameters.values(), optimizer.rate, BETAS, EPSILON)
        before = {name: _array(p).copy() for name, p in parameters.items()}
        for row in given.astype(x.dtype):
            for name, parameter in parameters.items():
                parameter.grad = self._tensor(spread(row, name, tuple(parameter.shape)))
            steps.step()
        after = {name: _array(p) for name, p in parameters.items()}
        answer = TorchSide(copy, parameters).step(x, h, c)
        return {**moves(after, before), **dict(zip(("h", "c"), answer, strict=True))}

    def _loss(
        self, leaves: Mapping[str, torch.Tensor], grad_h_all: Array, grad_c_last: Array
    ) -> torch.Tensor:
        h, c = leaves["h"], leaves["c"]
        loss = torch.zeros((), dtype=h.dtype, device=self.device)
        for row, grad_h in zip(leaves["x"], self._tensor(grad_h_all), strict=True):
            h, c = self.cell(row, (h, c))
            loss = loss + (h * grad_h).sum()
        return loss + (c * self._tensor(grad_c_last)).sum()

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.tensor(array, device=self.device)


def _array(tensor: torch.Tensor) -> Array:
    found: Array = tensor.detach().cpu().numpy()
    return found


def read_file(path: Path) -> Iterator[Bits]:
    """Yield every tensor of a file as torch itself reads it, without running code from it."""
    for name, tensor in torch.load(path, map_location="cpu", weights_only=True).items():
        content = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        yield name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), content


def open_theirs(weights: Weights) -> Side:
    """Return `torch.nn.LSTMCell` holding `weights`."""
    return _open(TORCH.cell, weights)


def open_ours(weights: Weights) -> Side:
    """Return `onecell.torch.LSTMCell` holding `weights`."""
    return _open(TORCH.onecell, weights)


def _open(path: str, weights: Weights) -> Side:
    module, name = path.rsplit(".", 1)
    make = getattr(importlib.import_module(module), name)
    dtype = torch.float64 if weights.dtype_name == "float64" else torch.float32
    # Made without storage, so that no number is drawn from the caller's random generator.
    cell: torch.nn.Module = make(
        weights.input_size, weights.hidden_size, weights.bias, device="meta", dtype=dtype
    ).to_empty(device="cpu")
    cell.load_state_dict({n: torch.from_numpy(a) for n, a in as_arrays(weights).items()})
    return TorchSide(cell, dict(cell.named_parameters()))


class FrozenSide(TorchSide):
    """A frozen cell of `onecell.torch`: it only computes forward."""

    def __init__(self, cell: torch.nn.Module) -> None:
        super().__init__(cell, {})
        self.leaves_out = without_any_gradient(FROZEN)

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return nothing: see `leaves_out`."""
        return {}


def look_at(module: torch.nn.Module) -> Live:
    """Return what a live module holds; see `sides.live`."""
    if is_frozen(module):
        held = cast("FrozenCell", module._cell)
        return Live(
            "torch",
            say_frozen(str(module.weight_dtype)),
            trusted=True,
            tensors=held.weights.arrays(),
            sizes=sizes_of(module),
            open=lambda _: FrozenSide(module),
        )
    named = dict(module.named_parameters())
    side = known_side(module)
    if any(p.is_meta or torch.nn.parameter.is_lazy(p) for p in named.values()):
        raise NotACellError(f"the parameters of this {say_class(module)} hold no numbers yet.")
    return Live(
        "torch",
        side or say_class(module),
        trusted=side is not None,
        tensors={name: _stored(parameter) for name, parameter in named.items()},
        sizes=sizes_of(module),
        open=lambda names: TorchSide(module, {n: named[name] for n, name in names.items()}),
        children=lambda: ((name, child) for name, child in module.named_modules() if name),
    )


def is_frozen(module: torch.nn.Module) -> bool:
    """Return whether a module is exactly a frozen cell of `onecell.torch`."""
    front_end = sys.modules.get(TORCH.onecell.rsplit(".", 1)[0])
    return type(module) is getattr(front_end, "FrozenLSTMCell", None)


def open_function(function: object) -> Side:
    """Return a function of tensors as a side."""
    return TorchSide(function, {})


def _stored(parameter: torch.Tensor) -> Array:
    tensor = parameter.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        halves: Array = tensor.contiguous().view(torch.int16).numpy().view(BFLOAT16)
        return halves
    return _array(tensor)
