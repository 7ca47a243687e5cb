"""The kernel as registered operators, which is how compiled graphs call it.

They carry what torch.compile asks of an operator: a schema, shapes without data (fake), a gradient
and a batching rule. A step has operators of its own, recorded or not, and a way back; Inductor
gathers the steps of a graph into few calls (see `gathering`).
"""

# ruff: noqa: ANN401 - torch hands over contexts, and arguments, of any type.
from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

import torch
from torch import Tensor

from onecell.torch import calls, programs
from onecell.torch.programs import refuse

STEP: Final = "onecell::step"
RECORDED: Final = "onecell::recorded_step"
STEP_BACKWARD: Final = "onecell::step_backward"
UNROLL: Final = "onecell::unroll"
BACKWARD: Final = "onecell::unroll_backward"

_WEIGHTS: Final = "Tensor weight_ih, Tensor weight_hh, Tensor? bias_ih, Tensor? bias_hh"
torch.library.define(STEP, f"(Tensor x, Tensor h, Tensor c, {_WEIGHTS}) -> (Tensor h, Tensor c)")
torch.library.define(
    RECORDED, f"(Tensor x, Tensor h, Tensor c, {_WEIGHTS}) -> (Tensor h, Tensor c, Tensor gates)"
)
torch.library.define(
    STEP_BACKWARD,
    "(Tensor x, Tensor h, Tensor c, Tensor weight_ih, Tensor weight_hh, Tensor gates, "
    "Tensor? grad_h, Tensor? grad_c, bool[] wanted) -> "
    "(Tensor x, Tensor h, Tensor c, Tensor weight_ih, Tensor weight_hh, "
    "Tensor bias_ih, Tensor bias_hh)",
)
# record=True also returns every c and the activated gates, for the backward operator; else the two
# are empty. The last h and the last c are results of their own so that each has its own gradient.
torch.library.define(
    UNROLL,
    f"(Tensor x, Tensor? h, Tensor? c, {_WEIGHTS}, bool record)"
    " -> (Tensor h_all, Tensor h_last, Tensor c_last, Tensor c_all, Tensor gates)",
)
torch.library.define(
    BACKWARD,
    "(Tensor x, Tensor? h, Tensor? c, Tensor weight_ih, Tensor weight_hh, "
    "Tensor h_all, Tensor c_all, Tensor gates, "
    "Tensor? grad_h_all, Tensor? grad_h_last, Tensor? grad_c_last, bool[] wanted) -> "
    "(Tensor x, Tensor h, Tensor c, Tensor weight_ih, Tensor weight_hh, Tensor bias)",
)


@torch.library.impl(STEP, "CPU")
def _step(*inputs: Tensor | None) -> tuple[Tensor, ...]:
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in inputs):
        raise RuntimeError(f"{STEP} cannot be differentiated: call {RECORDED}.")
    return _forward(STEP, "step", *inputs)


@torch.library.impl(RECORDED, "CPU")
def _recorded_step(*inputs: Tensor | None) -> tuple[Tensor, ...]:
    return _forward(RECORDED, "record", *inputs)


def _forward(name: str, word: str, *inputs: Any) -> tuple[Tensor, ...]:
    """Return what a step of x, h, c and the parameters makes, by the instruction `word`."""
    x, h, c, *given = inputs
    weights: calls.Weights = (given[0], given[1], given[2], given[3])
    there = [t for t in inputs if t is not None]
    found = programs.run(there, _forward_program(word, *(b is not None for b in given[2:])))
    if found is not None:
        return tuple(found)
    refuse(name, there, fits=x.dim() == 2 and calls.fits(x, h, c, weights))
    made = calls.forward(x, h, c, weights, record=word == "record")
    return tuple(t for t in made if t is not None)


@cache
def _forward_program(word: str, *biases: bool) -> str:
    """Return the program of one step of x, h, c and the parameters that are there."""
    at = 5
    where = []
    for there in biases:
        where.append(at if there else -1)
        at += there
    given = range(at, at + programs.RESULTS[word])
    return " ".join(map(str, (word, 0, 1, 2, 3, 4, *where, "give", *given)))


def _step_shapes(x: Tensor, h: Tensor, c: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    gather_in_inductor()
    return x.new_empty(h.shape), x.new_empty(c.shape)


def _recorded_shapes(x: Tensor, h: Tensor, c: Tensor, *weights: Any) -> tuple[Tensor, ...]:
    gates = x.new_empty((x.shape[0], weights[0].shape[0]))
    return *_step_shapes(x, h, c), gates


torch.library.register_fake(STEP, _step_shapes)
torch.library.register_fake(RECORDED, _recorded_shapes)


def gather_in_inductor() -> None:
    """Have Inductor, if it is there, gather the steps of the graphs that it compiles from now on.

    Called while a graph is traced: to import Inductor takes longer than all of torch, and only who
    compiles by it has done so.
    """
    if "torch._inductor.config" in sys.modules:
        import_module("onecell.torch.gathering").take_part()


@torch.library.impl(STEP_BACKWARD, "CPU")
def _step_backward(*arguments: Any) -> tuple[Tensor, ...]:
    inputs, gates, grads, wanted = arguments[:5], arguments[5], arguments[6:8], arguments[8]
    there = [t for t in arguments[:8] if t is not None]
    whole = len(wanted) == 7
    program = _backward_program(*(g is not None for g in grads), *wanted) if whole else ""
    found = programs.run(there, program) if whole else None
    if found is None:
        fits = inputs[0].dim() == 2 and whole
        done, three = (None, None, gates), (None, *grads)
        refuse(STEP_BACKWARD, there, fits=fits and calls.fits_back(inputs, done, three))
        by = calls.backward(inputs, done, three, (*wanted[:5], wanted[5] or wanted[6]))
        twin = by.bias.clone() if by.bias is not None and wanted[5] and wanted[6] else by.bias
        pairs = zip((*by, twin), wanted, strict=True)
        found = [t for t, want in pairs if want and t is not None]
    given = iter(found)
    return tuple(next(given) if want else gates.new_empty(0) for want in wanted)


@cache
def _backward_program(grad_h: bool, grad_c: bool, *wanted: bool) -> str:
    """Return the program of one way back of x, h, c, the matrices, the gates and the gradients."""
    by_h, by_c = 6 if grad_h else -1, 6 + grad_h if grad_c else -1
    first = 6 + grad_h + grad_c  # of what is made: by x, h and c, by z, by the parameters
    back, sums = programs.masks(wanted)
    words: list[object] = ["back", back, 2, 3, 4, 5, by_h, by_c]
    if sums:
        words += ["sums", sums, first + 3, 0, 1]
    places = (*range(first, first + 3), *range(first + 4, first + 8))
    words += ["give", *(at for at, want in zip(places, wanted, strict=True) if want)]
    return " ".join(map(str, words))


@torch.library.register_fake(STEP_BACKWARD)  # type: ignore[untyped-decorator]
def _step_backward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    x, _, c, weight_ih, weight_hh = arguments[:5]
    rows = weight_ih.shape[:1]
    shapes = (x.shape, c.shape, c.shape, weight_ih.shape, weight_hh.shape, rows, rows)
    return tuple(x.new_empty(s if w else (0,)) for s, w in zip(shapes, arguments[8], strict=True))


def _keep_step(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs[:5], output[2])


def _pull_step(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
    needs = ctx.needs_input_grad
    if grads[0] is None and grads[1] is None:
        return (None,) * len(needs)
    found = torch.ops.onecell.step_backward(*ctx.saved_tensors, *grads[:2], list(needs))
    return calls.only(found, needs)


torch.library.register_autograd(RECORDED, _pull_step, setup_context=_keep_step)


@torch.library.impl(UNROLL, "CPU")
def _unroll(
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    record: bool,
) -> tuple[Tensor, ...]:
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    there = [t for t in (x, h, c, *weights) if t is not None]
    refuse(UNROLL, there, fits=x.dim() == 3 and calls.fits(x, h, c, weights))
    h_all, c_all, gates = calls.forward(x, h, c, weights, record=record)
    if gates is None:
        return h_all, h_all[-1].clone(), c_all, x.new_empty(0), x.new_empty(0)
    return h_all, h_all[-1].clone(), c_all[-1].clone(), c_all, gates


@torch.library.register_fake(UNROLL)  # type: ignore[untyped-decorator]
def _unroll_shapes(
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    record: bool,
) -> tuple[Tensor, ...]:
    steps, batch, _ = x.shape
    state = (batch, weight_hh.shape[1])
    c_all = x.new_empty((steps, *state) if record else (0,))
    gates = x.new_empty((steps, batch, weight_ih.shape[0]) if record else (0,))
    return x.new_empty((steps, *state)), x.new_empty(state), x.new_empty(state), c_all, gates


@torch.library.impl(BACKWARD, "CPU")
def _backward(*arguments: Any) -> tuple[Tensor, ...]:
    inputs, done, grads, wanted = arguments[:5], arguments[5:8], arguments[8:11], arguments[11]
    there = [t for t in (*inputs, *done, *grads) if t is not None]
    fits = inputs[0].dim() == 3 and len(wanted) == 6 and calls.fits_back(inputs, done, grads)
    refuse(BACKWARD, there, fits=fits)
    found = calls.backward(inputs, done, grads, wanted)
    return tuple(inputs[0].new_empty(0) if t is None else t for t in found)


@torch.library.register_fake(BACKWARD)  # type: ignore[untyped-decorator]
def _backward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    x, _, _, weight_ih, weight_hh = arguments[:5]
    state = (x.shape[1], weight_hh.shape[1])
    shapes = (x.shape, state, state, weight_ih.shape, weight_hh.shape, weight_ih.shape[:1])
    return tuple(x.new_empty(s if w else (0,)) for s, w in zip(shapes, arguments[11], strict=True))


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    h_all, _, _, c_all, gates = output
    if not inputs[7]:
        raise RuntimeError(f"{UNROLL} was called with record=False and cannot be differentiated.")
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs[:5], h_all, c_all, gates)


def _pull(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
    needs = ctx.needs_input_grad
    wanted = [*needs[:5], needs[5] or needs[6]]
    found = torch.ops.onecell.unroll_backward(*ctx.saved_tensors, *grads[:3], wanted)
    kept = calls.only(found, wanted)
    bias = kept[5]
    twin = bias.clone() if bias is not None and needs[5] and needs[6] else bias
    return *kept[:5], bias if needs[5] else None, twin if needs[6] else None, None


torch.library.register_autograd(UNROLL, _pull, setup_context=_keep)


def _refuse(ctx: Any, *grads: Tensor | None) -> None:
    raise NotImplementedError(
        "the way back has no gradient: take second gradients of the cell itself, not compiled."
    )


torch.library.register_autograd(BACKWARD, _refuse)
torch.library.register_autograd(STEP_BACKWARD, _refuse)


def _one_by_one(operator: Callable[..., Sequence[Tensor]]) -> Callable[..., Any]:
    """Return a batching rule that calls `operator` for each sample, so with each sample's bits."""

    def rule(info: Any, dims: tuple[int | None, ...], *arguments: Any) -> Any:
        samples = [
            operator(
                *(a if d is None else a.select(d, i) for a, d in zip(arguments, dims, strict=True))
            )
            for i in range(info.batch_size)
        ]
        stacked = tuple(torch.stack(each) for each in zip(*samples, strict=True))
        return stacked, (0,) * len(stacked)

    return rule


torch.library.register_vmap(STEP, _one_by_one(torch.ops.onecell.step))
torch.library.register_vmap(RECORDED, _one_by_one(torch.ops.onecell.recorded_step))
torch.library.register_vmap(STEP_BACKWARD, _one_by_one(torch.ops.onecell.step_backward))
torch.library.register_vmap(UNROLL, _one_by_one(torch.ops.onecell.unroll))
torch.library.register_vmap(BACKWARD, _one_by_one(torch.ops.onecell.unroll_backward))


def run(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: calls.Weights
) -> tuple[Tensor, ...]:
    """Return a step (h', c') or an unroll (h_all, h, c) as one node of the graph being built."""
    record = torch.is_grad_enabled() and any(
        t is not None and t.requires_grad for t in (x, h, c, *weights)
    )
    found: tuple[Tensor, ...]
    if x.dim() == 3:
        found = torch.ops.onecell.unroll(x, h, c, *weights, record)
        return found[:3]
    # Of a weight, not of x: they must not seem to wait for the step that x comes from.
    zeros = weights[1].new_zeros((len(x), weights[1].shape[1])) if h is None or c is None else None
    step = torch.ops.onecell.recorded_step if record else torch.ops.onecell.step
    found = step(x, zeros if h is None else h, zeros if c is None else c, *weights)
    return found[:2]
