"""torch: our cell and its own, step by step, as a layer, compiled, and quantised."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.contenders import Missing, Prepared
from bench.contenders.ours import thread_settings
from bench.problem import Outputs, Problem, Work

Unroll = Callable[[Tensor, tuple[Tensor, Tensor]], tuple[Tensor, Tensor]]
"""x (T, N, I) and the state → h after every step, and the last c."""


def _fill(cell: Any, p: Problem, suffix: str = "") -> Any:  # noqa: ANN401
    arrays = p.weights.arrays().items()
    cell.load_state_dict({name + suffix: torch.from_numpy(a) for name, a in arrays})
    return cell


def _loop(cell: Any, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:  # noqa: ANN401
    """Go step by step, as the page does that this project began with."""
    output = []
    for t in range(len(x)):
        state = cell(x[t], state)
        output.append(state[0])
    return torch.stack(output), state[1]


def _prepared(
    p: Problem, work: Work, threads: int, module: Any, unroll: Unroll, settings: str,  # noqa: ANN401
    dtype: torch.dtype = torch.float32,
) -> Prepared:  # fmt: skip
    torch.set_num_threads(threads)
    settings = f"torch.set_num_threads({threads}), {settings}"
    x, h, c = (torch.from_numpy(a).to(dtype) for a in (p.x, p.h, p.c))
    if work in {"train", "loop"}:
        return _training(p, x, (h, c), module, unroll, settings)
    if work == "step" and not isinstance(module, torch.nn.LSTM):
        call: Callable[[], Any] = partial(module, x[0], (h, c))

        def results() -> tuple[Tensor, Tensor]:
            h_next, c_next = call()
            return h_next[None], c_next

    else:
        call = results = partial(unroll, x, (h, c))

    def read() -> Outputs:
        with torch.inference_mode():
            h_all, c_last = results()
        return {"h": h_all.float().numpy().copy(), "c": c_last.float().numpy().copy()}

    return Prepared(call, read, f"{settings}, inference_mode", torch.inference_mode)


def _training(
    p: Problem,
    x: Tensor,
    state: tuple[Tensor, Tensor],
    module: Any,  # noqa: ANN401 - an optimised module is no Module to mypy
    unroll: Unroll,
    settings: str,
) -> Prepared:
    """Make forward and backward ready: gradients by every parameter and by x, afresh each time."""
    x.requires_grad_()
    grad = torch.from_numpy(p.grad_h_all)

    def train() -> Tensor:
        module.zero_grad()
        x.grad = None
        h_all, _ = unroll(x, state)
        h_all.backward(grad)
        return h_all

    def read() -> Outputs:
        h_all = train()
        found = {"h": h_all.detach(), "x": x.grad}
        for name, parameter in module.named_parameters():
            if name.startswith("weight"):
                found[name.removesuffix("_l0")] = parameter.grad
        return {name: tensor.numpy().copy() for name, tensor in found.items() if tensor is not None}

    return Prepared(train, read, f"{settings}, gradients by parameters and x")


def ours(p: Problem, work: Work, threads: int, *, explicit: bool = False) -> Prepared:
    """`onecell.torch.LSTMCell`: T steps in one call, but where the work is the loop."""
    from onecell.torch import LSTMCell  # noqa: PLC0415 - only where it runs

    settings = thread_settings(threads, explicit=explicit)
    cell = _fill(LSTMCell(p.size.input, p.size.hidden), p)

    def unroll(x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h_all, (_, c) = cell.unroll(x, state)
        return h_all, c

    return _prepared(
        p, work, threads, cell, partial(_loop, cell) if work == "loop" else unroll, settings
    )


def cell(p: Problem, work: Work, threads: int, *, dtype: str = "float32") -> Prepared:
    """`torch.nn.LSTMCell` in a loop."""
    kind: torch.dtype = getattr(torch, dtype)
    own = _fill(torch.nn.LSTMCell(p.size.input, p.size.hidden, dtype=kind), p)
    return _prepared(p, work, threads, own, partial(_loop, own), "Python loop", kind)


def layer(p: Problem, work: Work, threads: int) -> Prepared:
    """`torch.nn.LSTM`, one layer."""
    own = _fill(torch.nn.LSTM(p.size.input, p.size.hidden), p, "_l0")

    def unroll(x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h_all, (_, c) = own(x, (state[0][None], state[1][None]))
        return h_all, c[0]

    return _prepared(p, work, threads, own, unroll, "one call")


def compiled(p: Problem, work: Work, threads: int) -> Prepared:
    """`torch.compile` of torch's cell, in a loop.

    The step is what is compiled: a loop would be unrolled into T copies, which takes minutes.
    """
    own = _fill(torch.nn.LSTMCell(p.size.input, p.size.hidden), p)
    # What one size compiled is no use to the next, and many sizes would make it give up.
    torch.compiler.reset()
    fast: Any = torch.compile(own)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = torch.from_numpy(p.h), torch.from_numpy(p.c)
            fast(torch.from_numpy(p.x[0]), state)
    except Exception as problem:
        raise Missing(f"torch.compile does not work here: {str(problem)[:200]}") from problem
    return _prepared(p, work, threads, fast, partial(_loop, fast), "inductor, the step compiled")


def quantised(p: Problem, work: Work, threads: int) -> Prepared:
    """`torch.ao.nn.quantized.dynamic.LSTMCell`: int8 weights, inputs quantised at each call."""
    torch_ao: Any = torch.ao  # what it is made of has no types
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own: Any = _fill(torch.nn.LSTMCell(p.size.input, p.size.hidden), p)

        own.qconfig = torch_ao.quantization.default_dynamic_qconfig
        kind = torch_ao.nn.quantized.dynamic.LSTMCell
        quick = kind.from_float(own)
    engine = torch.backends.quantized.engine
    return _prepared(p, work, threads, quick, partial(_loop, quick), f"qint8, {engine}")
