"""Problems (see `problems`) as MindSpore cells and tensors, and what a cell makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

import onecell.mindspore
from problems import Array, Problem

State: TypeAlias = tuple[Tensor, Tensor]
Run: TypeAlias = Callable[[Any, Tensor, State], tuple[Tensor, State]]


def of_mindspore(p: Problem) -> nn.LSTMCell:
    """Return MindSpore's own cell with the weights of `p`."""
    return _fill(nn.LSTMCell, p)


def ours(p: Problem) -> onecell.mindspore.LSTMCell:
    """Return our cell with the weights of `p`."""
    cell: onecell.mindspore.LSTMCell = _fill(onecell.mindspore.LSTMCell, p)
    return cell


def _fill(kind: Any, p: Problem) -> Any:
    spec = p.weights.spec
    dtype = ms.float32 if spec.dtype.itemsize == 4 else ms.float64
    cell = kind(spec.input_size, spec.hidden_size, spec.bias, dtype=dtype)
    for name, array in p.weights.arrays().items():
        getattr(cell, name).set_data(tensor(array))
    return cell


def tensor(array: Array) -> Tensor:
    """Return a tensor that shares no memory with `array`."""
    return Tensor(np.array(array))


def step_inputs(p: Problem) -> tuple[Tensor, State]:
    """Return x (N, I) of the first step, and the state."""
    return tensor(p.x[0]), (tensor(p.h), tensor(p.c))


def by_unroll(cell: Any, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run all steps in one call."""
    found: tuple[Tensor, State] = cell.unroll(x, state)
    return found


def by_loop(cell: Any, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run step by step, in Python."""
    every = []
    for t in range(x.shape[0]):
        state = cell(x[t], state)
        every.append(state[0])
    return ops.stack(every), state


def forward(p: Problem, cell: Any, run: Run) -> dict[str, Array]:
    """Return the outputs that `cell` makes of a problem, no gradient recorded."""
    h_all, (h_last, c_last) = run(cell, tensor(p.x), (tensor(p.h), tensor(p.c)))
    found = {"h_all": h_all, "h_last": h_last, "c_last": c_last}
    return {name: array.asnumpy() for name, array in found.items()}


def loss(p: Problem, cell: Any, run: Run) -> Callable[[Tensor, Tensor, Tensor], Any]:
    """Return the loss whose gradients by the results are those of `p`, and the results."""
    by_all, by_h, by_c = (tensor(a) for a in p.grads)

    def value(x: Tensor, h: Tensor, c: Tensor) -> Any:
        h_all, state = run(cell, x, (h, c))
        h_last, c_last = state
        total = (h_all * by_all).sum() + (h_last * by_h).sum() + (c_last * by_c).sum()
        return total, h_all, h_last, c_last

    return value


def results(p: Problem, cell: Any, run: Run, wrap: Any = None, outside: Any = None) -> Any:
    """Return all that `cell` makes of a problem, named as `problems.results` does.

    `wrap` is put around the loss, `outside` around the function that returns its gradients.
    """
    names = [name for name, _ in cell.parameters_and_names()]
    value = loss(p, cell, run)
    if wrap is not None:
        value = wrap(value)
    pull = ms.value_and_grad(value, (0, 1, 2), cell.trainable_params(), has_aux=True)

    def both(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return pull(x, h, c)

    made, (by_inputs, by_parameters) = (outside(both) if outside else both)(
        tensor(p.x), tensor(p.h), tensor(p.c)
    )
    found = dict(zip(("h_all", "h_last", "c_last"), made[1:], strict=True))
    found |= dict(zip(("x", "h", "c", *names), (*by_inputs, *by_parameters), strict=True))
    return {name: array.asnumpy() for name, array in found.items()}
