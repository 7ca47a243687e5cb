"""Who runs: one step of the cell, called as a user calls it, Python included."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from onecell import LSTMCell, Spec, Weights

if TYPE_CHECKING:
    from torch.nn import Module

Array: TypeAlias = np.ndarray
Size: TypeAlias = tuple[int, int, int]
"""B, I, H."""


class Problem:
    """The same weights, input and state for everyone."""

    def __init__(self, size: Size) -> None:
        batch, input_size, hidden_size = size
        rng = np.random.default_rng(0)
        self.weights = Weights.random(Spec(input_size, hidden_size), rng)
        self.x = rng.standard_normal((batch, input_size)).astype(np.float32)
        self.h, self.c = rng.uniform(-1, 1, (2, batch, hidden_size)).astype(np.float32)


Step: TypeAlias = Callable[[], Any]
Read: TypeAlias = Callable[[Any], Array]
Maker: TypeAlias = Callable[[Problem], tuple[Step, Read]]


def with_arrays(p: Problem) -> tuple[Step, Read]:
    cell, x, state = LSTMCell.from_weights(p.weights), p.x, (p.h, p.c)
    return lambda: cell(x, state), lambda result: np.asarray(result[0])


def _in_torch(p: Problem, cell_class: type[Module], *, gradient: bool) -> tuple[Step, Read]:
    import torch  # noqa: PLC0415 - each worker loads its own framework only

    torch.set_grad_enabled(gradient)
    cell = cell_class(p.weights.input_size, p.weights.hidden_size)
    cell.load_state_dict({n: torch.from_numpy(a) for n, a in p.weights.arrays().items()})
    x, state = torch.from_numpy(p.x), (torch.from_numpy(p.h), torch.from_numpy(p.c))

    def step() -> Any:  # noqa: ANN401
        torch.set_grad_enabled(gradient)
        return cell(x, state)

    return step, lambda result: np.asarray(result[0].detach().numpy())


def torch_own(p: Problem) -> tuple[Step, Read]:
    import torch  # noqa: PLC0415

    return _in_torch(p, torch.nn.LSTMCell, gradient=False)


def torch_ours(p: Problem) -> tuple[Step, Read]:
    from onecell.torch import LSTMCell as Cell  # noqa: PLC0415

    return _in_torch(p, Cell, gradient=False)


def torch_own_recording(p: Problem) -> tuple[Step, Read]:
    import torch  # noqa: PLC0415

    return _in_torch(p, torch.nn.LSTMCell, gradient=True)


def torch_ours_recording(p: Problem) -> tuple[Step, Read]:
    from onecell.torch import LSTMCell as Cell  # noqa: PLC0415

    return _in_torch(p, Cell, gradient=True)


def _in_mindspore(p: Problem, *, ours: bool, blocking: bool, jit: bool) -> tuple[Step, Read]:
    os.environ.setdefault("GLOG_v", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mindspore as ms  # noqa: PLC0415

        from onecell.mindspore import LSTMCell as Cell  # noqa: PLC0415
    if blocking:
        ms.runtime.launch_blocking()
    cell = (Cell if ours else ms.nn.LSTMCell)(p.weights.input_size, p.weights.hidden_size)
    parameters = {n: ms.Parameter(ms.Tensor(a), name=n) for n, a in p.weights.arrays().items()}
    ms.load_param_into_net(cell, parameters, strict_load=True)
    x, state = ms.Tensor(p.x), (ms.Tensor(p.h), ms.Tensor(p.c))

    def eager(x: Any, h: Any, c: Any) -> Any:  # noqa: ANN401
        return cell(x, (h, c))

    call = ms.jit(eager) if jit else eager

    def step() -> Any:  # noqa: ANN401
        # What a step gives is wanted before the next: an asynchronous promise of it is not enough.
        result = call(x, *state)
        result[0].asnumpy()
        return result

    try:
        step()
    except SystemError:
        step()  # On NumPy 2 a process's first operator fails in MindSpore 2.10; the next works.
    return step, lambda result: np.asarray(result[0].asnumpy())


def mindspore_default(p: Problem) -> tuple[Step, Read]:
    return _in_mindspore(p, ours=False, blocking=False, jit=False)


def mindspore_blocking(p: Problem) -> tuple[Step, Read]:
    return _in_mindspore(p, ours=False, blocking=True, jit=False)


def mindspore_jit(p: Problem) -> tuple[Step, Read]:
    return _in_mindspore(p, ours=False, blocking=True, jit=True)


def mindspore_ours(p: Problem) -> tuple[Step, Read]:
    return _in_mindspore(p, ours=True, blocking=False, jit=False)


def mindspore_ours_jit(p: Problem) -> tuple[Step, Read]:
    return _in_mindspore(p, ours=True, blocking=True, jit=True)


CONTENDERS: dict[str, tuple[str, Maker]] = {
    "torch.nn": ("torch", torch_own),
    "onecell.torch": ("torch", torch_ours),
    "torch.nn, recording": ("torch", torch_own_recording),
    "onecell.torch, recording": ("torch", torch_ours_recording),
    "onecell, arrays": ("torch", with_arrays),
    "mindspore.nn": ("mindspore", mindspore_default),
    "mindspore.nn, launch_blocking": ("mindspore, blocking", mindspore_blocking),
    "mindspore.nn, jit": ("mindspore, blocking", mindspore_jit),
    "onecell.mindspore": ("mindspore, ours", mindspore_ours),
    "onecell.mindspore, jit": ("mindspore, blocking", mindspore_ours_jit),
}
"""Name → the process it runs in, and how it is made. Settings of a framework are process-wide."""
