"""mindspore.nn.LSTMCell and onecell.mindspore.LSTMCell, as sides on the CPU."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from onecell.dialect import MINDSPORE
from onecell.verify.quantities.optimizers import BETAS, EPSILON, Optimizer, spread
from onecell.verify.sides import (
    COPY,
    MINDSPORE_TANH_ERROR,
    SIDES,
    Array,
    Bits,
    Side,
    as_arrays,
    check_unwritten,
    moves,
    without_gradients,
    without_training,
)
from onecell.verify.sides.live import Live, known_side, say_class, sizes_of
from onecell.weights import Weights


def take_process() -> None:
    """Make eager MindSpore fast and less talkative in this process; only for a process of our own.

    By default every operator is handed to threads that spin: a hundred times slower for a small
    cell. The setting is process-wide, so a caller's process never gets it from here.
    """
    ms.runtime.launch_blocking()
    # On NumPy 2 the first operator of a process prints a page about NumPy 1, once.
    with contextlib.redirect_stderr(io.StringIO()):
        _array(_tensor(np.ones(1, np.float32)) + _tensor(np.ones(1, np.float32)))


class MindSporeSide:
    """A cell that is called as MindSpore's is, `cell(x, (h, c)) -> (h', c')`, run eagerly.

    Args:
        cell: the cell, or a function of tensors. It is never changed.
        parameters: canonical name → its parameter, for those that it has.
    """

    epsilon_first = True

    def __init__(self, cell: Any, parameters: Mapping[str, Any]) -> None:  # noqa: ANN401
        self.cell = cell
        self.parameters = {n: p for n, p in parameters.items() if p.requires_grad}
        frozen = [name for name in parameters if name not in self.parameters]
        self.leaves_out = without_gradients(frozen, "the parameter is frozen")
        if isinstance(cell, nn.Cell):
            self._names = {id(parameter): name for name, parameter in cell.parameters_and_names()}

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (h', c') of one step."""
        arrays = {"x": x, "h": h, "c": c}
        given = {name: _tensor(array) for name, array in arrays.items()}
        h_next, c_next = self.cell(given["x"], (given["h"], given["c"]))
        found = _array(h_next), _array(c_next)
        check_unwritten({name: _array(tensor) for name, tensor in given.items()}, arrays)
        return found

    def gradients(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> Mapping[str, Array]:
        """Return what `mindspore.grad` gives for the inputs and the parameters."""
        by_inputs, by_parameters = self._grad(x, h, c, grad_h_all, grad_c_last)
        found = dict(zip(("x", "h", "c"), by_inputs, strict=True))
        found |= dict(zip(self.parameters, by_parameters, strict=True))
        return {name: _array(gradient) for name, gradient in found.items()}

    def rollout(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return h and c after each step."""
        state, states = (_tensor(h), _tensor(c)), []
        for row in x:
            state = self.cell(_tensor(row), state)
            states.append(state)
        h_all, c_all = (np.stack([_array(t) for t in part]) for part in zip(*states, strict=True))
        return h_all, c_all

    def train(
        self, optimizer: Optimizer, given: Array, x: Array, h: Array, c: Array
    ) -> Mapping[str, Array]:
        """Let `mindspore.nn.SGD` or `Adam` step the parameters of a copy of the cell.

        MindSpore 2.10's optimizers know no float64 learning rate: such a step is computed here and
        put into the parameter by `set_data`.
        """
        if not self.parameters:
            return {}
        try:
            copy = deepcopy(self.cell)
            named = dict(copy.parameters_and_names())
            parameters = {name: named[self._names[id(p)]] for name, p in self.parameters.items()}
        except Exception:  # somebody else's cell may hold anything
            self.leaves_out |= without_training(self.parameters, COPY)
            return {}
        before = {name: _array(p) for name, p in parameters.items()}
        if x.dtype == np.float64:
            for name, parameter in parameters.items():
                gradients = np.stack([spread(row, name, before[name].shape) for row in given])
                parameter.set_data(_tensor(before[name] - optimizer.total(gradients)))
        else:
            self._steps(optimizer, parameters, given)
        after = {name: _array(p) for name, p in parameters.items()}
        answer = MindSporeSide(copy, {}).step(x, h, c)
        return {**moves(after, before), **dict(zip(("h", "c"), answer, strict=True))}

    def _steps(self, optimizer: Optimizer, parameters: Mapping[str, Any], given: Array) -> None:
        owned = list(parameters.values())
        if optimizer.name == "sgd":
            steps = nn.SGD(owned, learning_rate=optimizer.rate)
        else:
            steps = nn.Adam(owned, optimizer.rate, *BETAS, EPSILON)
        for row in given:
            steps(tuple(_tensor(spread(row, n, tuple(p.shape))) for n, p in parameters.items()))

    def _grad(
        self, x: Array, h: Array, c: Array, grad_h_all: Array, grad_c_last: Array
    ) -> tuple[tuple[ms.Tensor, ...], tuple[ms.Tensor, ...]]:
        """Return the gradients by x, h and c, and those by the parameters."""
        weighted = [_tensor(grad) for grad in grad_h_all]
        last = _tensor(grad_c_last)

        def loss(x: ms.Tensor, h: ms.Tensor, c: ms.Tensor) -> ms.Tensor:
            terms = []
            for t, grad_h in enumerate(weighted):
                h, c = self.cell(x[t], (h, c))
                terms.append(ops.reduce_sum(h * grad_h))
            return sum(terms, ops.reduce_sum(c * last))

        differentiate = ms.grad(loss, (0, 1, 2), weights=list(self.parameters.values()))
        by_inputs, by_parameters = differentiate(_tensor(x), _tensor(h), _tensor(c))
        return by_inputs, by_parameters


def _tensor(array: Array) -> ms.Tensor:
    return ms.Tensor(np.array(array))


def _array(tensor: ms.Tensor) -> Array:
    # asnumpy() is a view of memory that MindSpore may use again.
    return np.array(tensor.asnumpy())


def read_file(path: Path) -> Iterator[Bits]:
    """Yield every tensor of a file as MindSpore itself reads it."""
    kind = path.suffix.removeprefix(".")
    for name, parameter in ms.load_checkpoint(str(path), format=kind).items():
        if isinstance(parameter, str):
            continue  # a plain value, such as an epoch, kept as text beside the tensors
        # get_bytes(), because asnumpy() knows no bfloat16.
        content = bytes(parameter.get_bytes())
        yield name, str(parameter.dtype).lower(), tuple(parameter.shape), content


def open_theirs(weights: Weights) -> Side:
    """Return `mindspore.nn.LSTMCell` holding `weights`."""
    return _open(MINDSPORE.cell, weights)


def open_ours(weights: Weights) -> Side:
    """Return `onecell.mindspore.LSTMCell` holding `weights`."""
    return _open(MINDSPORE.onecell, weights)


def _open(path: str, weights: Weights) -> Side:
    module, name = path.rsplit(".", 1)
    make = getattr(importlib.import_module(module), name)
    dtype = ms.float64 if weights.dtype_name == "float64" else ms.float32
    cell = make(weights.input_size, weights.hidden_size, has_bias=weights.bias, dtype=dtype)
    parameters = {}
    for parameter, array in as_arrays(weights).items():
        parameters[parameter] = getattr(cell, parameter)
        parameters[parameter].set_data(ms.Tensor(array))
    return MindSporeSide(cell, parameters)


def look_at(cell: nn.Cell) -> Live:
    """Return what a live cell holds; see `sides.live`."""
    named = dict(cell.parameters_and_names())
    side = known_side(cell)
    return Live(
        "mindspore",
        side or say_class(cell),
        trusted=side is not None,
        tensors={name: _array(parameter) for name, parameter in named.items()},
        sizes=sizes_of(cell),
        open=lambda names: MindSporeSide(cell, {n: named[name] for n, name in names.items()}),
        tanh_error=SIDES[side].tanh_error if side else MINDSPORE_TANH_ERROR,
        children=lambda: ((name, child) for name, child in cell.cells_and_names() if name),
    )


def open_function(function: object) -> Side:
    """Return a function of tensors as a side."""
    return MindSporeSide(function, {})
