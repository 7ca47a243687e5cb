"""torch, as `execution` asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from migrate.execution import Array, names_in, questions, torchs


class InTorch:
    """Modules of torch; their parameters have torch's names."""

    def shapes(self, model: Any) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter."""
        return {name: tuple(parameter.shape) for name, parameter in _named(model)}

    def load(self, model: Any, weights: Mapping[str, Array]) -> None:
        """Give every parameter its value."""
        with torch.no_grad():
            for name, parameter in _named(model):
                parameter.copy_(torch.from_numpy(weights[name]))

    def read(self, model: Any) -> dict[str, Array]:
        """Return every parameter."""
        return {name: _array(parameter) for name, parameter in _named(model)}

    def tensor(self, array: Array) -> torch.Tensor:
        """Return a tensor that shares no memory with `array`."""
        return torch.from_numpy(np.array(array))

    def arrays(self, found: Any) -> list[Array]:
        """Return every tensor and number in a nested result."""
        return [_array(each) for each in _leaves(found)]

    def gradients(
        self, model: Any, run: Callable[..., Any], inputs: Mapping[str, Array]
    ) -> dict[str, Array]:
        """Return the gradients by the parameters and the float inputs."""
        given = {name: self.tensor(array) for name, array in inputs.items()}
        by = {f"input {n}": t.requires_grad_() for n, t in given.items() if t.is_floating_point()}
        by |= dict(_named(model))
        # An in-place change of a leaf that asks for a gradient is an error: give `run` a twin.
        found = run(model, *(t.view_as(t) for t in given.values()))
        floats = [
            each
            for each in _leaves(found)
            if isinstance(each, torch.Tensor) and each.is_floating_point()
        ]
        if not by or not any(each.requires_grad for each in floats):
            return {}
        asked = questions(tuple(each.shape) for each in floats)
        terms = [
            (e * torch.from_numpy(q).to(e.dtype)).sum() for e, q in zip(floats, asked, strict=True)
        ]
        loss = torch.stack([term.to(torch.float32) for term in terms]).sum()
        grads = torch.autograd.grad(loss, list(by.values()), allow_unused=True)
        return {
            name: np.zeros(tuple(by[name].shape), np.float32) if grad is None else _array(grad)
            for name, grad in zip(by, grads, strict=True)
        }


def _named(model: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
    if not isinstance(model, torch.nn.Module):
        return
    for prefix, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        for name, called in names_in("torch", type(module).__mro__, own).items():
            whole = f"{prefix}.{called}" if prefix else called
            yield torchs(whole), own[name]


def _leaves(found: Any) -> Iterator[Any]:
    if isinstance(found, (tuple, list)):
        for each in found:
            yield from _leaves(each)
    elif isinstance(found, (torch.Tensor, float, int, bool)):
        yield found
    else:
        raise TypeError(f"`run` returned {type(found).__name__}, which is no tensor of torch")


def _array(found: Any) -> Array:
    if isinstance(found, torch.Tensor):
        return np.array(found.detach().numpy())
    return np.asarray(found)
