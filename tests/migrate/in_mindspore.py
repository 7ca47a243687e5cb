"""MindSpore, as `execution` asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from migrate.execution import Array, names_in, questions, torchs


class InMindSpore:
    """Cells of MindSpore; their parameters go by the names that torch would give them."""

    def shapes(self, model: Any) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter."""
        return {name: tuple(parameter.shape) for name, parameter in _named(model)}

    def load(self, model: Any, weights: Mapping[str, Array]) -> None:
        """Give every parameter its value."""
        for name, parameter in _named(model):
            parameter.set_data(ms.Tensor(np.array(weights[name]), parameter.dtype))

    def read(self, model: Any) -> dict[str, Array]:
        """Return every parameter."""
        return {name: _array(parameter) for name, parameter in _named(model)}

    def tensor(self, array: Array) -> ms.Tensor:
        """Return a tensor that shares no memory with `array`."""
        return ms.Tensor(np.array(array))

    def arrays(self, found: Any) -> list[Array]:
        """Return every tensor and number in a nested result."""
        return [_array(each) for each in _leaves(found)]

    def gradients(
        self, model: Any, run: Callable[..., Any], inputs: Mapping[str, Array]
    ) -> dict[str, Array] | None:
        """Return the gradients by the parameters and the float inputs; None if there are none."""
        parameters = dict(_named(model))
        floats = [name for name, array in inputs.items() if array.dtype.kind == "f"]
        if not parameters and not floats:
            return {}
        given = {name: self.tensor(array) for name, array in inputs.items()}

        def loss(*by: ms.Tensor) -> ms.Tensor:
            found = run(model, *(given | dict(zip(floats, by, strict=True))).values())
            terms = [
                e for e in _leaves(found) if isinstance(e, ms.Tensor) and e.is_floating_point()
            ]
            asked = questions(tuple(each.shape) for each in terms)
            total = ms.Tensor(np.zeros((), np.float32))
            for each, question in zip(terms, asked, strict=True):
                weighted = each * ms.Tensor(question, each.dtype)
                total = total + ops.cast(ops.reduce_sum(weighted), ms.float32)
            return total

        positions = tuple(range(len(floats))) or None
        weights = list(parameters.values()) or None
        try:
            grads = ms.grad(loss, positions, weights)(*(given[name] for name in floats))
        except RuntimeError as error:
            # An operator without a derivative; torch leaves such a one out of the graph.
            if "bprop not defined" not in str(error):
                raise
            return None
        if positions and weights:
            by_inputs, by_parameters = grads
        else:
            by_inputs, by_parameters = (grads, ()) if positions else ((), grads)
        if positions and not isinstance(by_inputs, (tuple, list)):
            by_inputs = (by_inputs,)
        named = dict(zip((f"input {name}" for name in floats), by_inputs, strict=True))
        named |= dict(zip(parameters, by_parameters, strict=True))
        return {name: _array(grad) for name, grad in named.items()}


def _named(model: Any) -> Iterator[tuple[str, ms.Parameter]]:
    if not isinstance(model, nn.Cell):
        return
    for prefix, cell in model.cells_and_names():
        own = dict(cell.parameters_and_names(expand=False))
        own = {name.rpartition(".")[2]: parameter for name, parameter in own.items()}
        for name, called in names_in("mindspore", type(cell).__mro__, own).items():
            if called.startswith("running_"):
                continue  # no parameter in torch
            whole = f"{prefix}.{called}" if prefix else called
            yield torchs(whole), own[name]


def _leaves(found: Any) -> Iterator[Any]:
    if isinstance(found, (tuple, list)):
        for each in found:
            yield from _leaves(each)
    elif isinstance(found, (ms.Tensor, float, int, bool)):
        yield found
    else:
        raise TypeError(f"`run` returned {type(found).__name__}, which is no tensor of MindSpore")


def _array(found: Any) -> Array:
    if isinstance(found, ms.Tensor):
        # asnumpy() is a view of memory that MindSpore may use again.
        return np.array(found.asnumpy())
    return np.asarray(found)
