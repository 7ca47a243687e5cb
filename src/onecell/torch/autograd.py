"""The cell as a node of torch's gradient graph, and its gradient as a node again.

First gradients come from the kernel, `create_graph` or not, so they have the same bits either way;
gradients of gradients, and batched ones, come from torch's own operators (see `composite`).
"""

# ruff: noqa: ANN401 - torch hands over contexts, and arguments, of any type.
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from onecell.torch import calls, composite
from onecell.torch.plain import are_plain, mode_is_on

INPUTS = 7
"""x, h, c and the four parameters."""


class Cell(Function):
    """(x, h, c, *weights) → (h', c') for x (N, I); → (h_all, last h, last c) for x (T, N, I).

    All tensors are plain and of one dtype; h and c may be None for zeros. In the graph, the token
    of a hold (see `apart`) stands for the weights that are leaves. So the inputs are x, h, c, the
    token, the other weights, then what is computed from and kept, in one, and the hold.
    """

    @staticmethod
    def forward(ctx: Any, *given: Any) -> tuple[Tensor, ...]:
        """Compute by the kernel and keep what the way back needs."""
        inputs, ctx.hold = given[-2:]
        x, h, c, *weights = inputs
        h_all, c_all, gates = calls.forward(x, h, c, tuple(weights), record=True)
        # What is kept is never what the caller gets (but for h_all), so that writing into a
        # result is as free as it is with torch's cell.
        ctx.set_materialize_grads(False)
        if x.dim() == 2:
            ctx.save_for_backward(*inputs, None, c_all, gates)
            return h_all, c_all.clone()
        ctx.save_for_backward(*inputs, h_all, c_all, gates)
        return h_all, h_all[-1].clone(), c_all[-1].clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Pull the gradients of the results back to the inputs."""
        if all(grad is None for grad in grads):
            return (None,) * 10
        saved, hold, direct = ctx.saved_tensors, ctx.hold, ctx.needs_input_grad[4:8]
        inputs, done = saved[:INPUTS], saved[INPUTS:]
        walk = hold.walk(ctx)
        held = hold.needs if walk is None else walk.wanted
        both = (a or b for a, b in zip(held, direct, strict=True))
        needs = (*ctx.needs_input_grad[:3], *both)
        again = torch.is_grad_enabled()
        found: Sequence[Tensor | None]
        # Between the two ways, modules may have moved to another type, and hooks may have given
        # back other tensors than they got: everything is checked anew.
        there = [t for t in (*saved, *grads) if t is not None]
        sound = are_plain(there) and calls.fits_back(inputs[:5], done, _three(grads))
        if again:
            needed = [a or b for a, b in zip(hold.needs, direct, strict=True)]
            inputs = (*inputs[:3], *as_needed(hold.in_graph(inputs[3:]), needed))
        if mode_is_on() or not sound:
            found = composite.gradients(needs, grads, inputs, create_graph=again)
        elif again:
            found = Gradient.apply(needs, len(grads), *grads, *inputs, *done)  # type: ignore[no-untyped-call]
        else:
            found = _by_kernel(needs, grads, saved)
        by_weights = calls.only(found[3:], direct)
        return *found[:3], hold.take(walk, tuple(found[3:])), *by_weights, None, None


class Gradient(Function):
    """The way back through `Cell`: (grads, *inputs) → a gradient by each of the inputs."""

    @staticmethod
    def forward(
        ctx: Any, needs: tuple[bool, ...], count: int, *tensors: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Compute by the kernel; `tensors` are `count` gradients and what `Cell` saved."""
        ctx.needs, ctx.count = needs, count
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors[: count + INPUTS])
        return _by_kernel(needs, tensors[:count], tensors[count:])

    @staticmethod
    def backward(ctx: Any, *grad_grads: Tensor | None) -> Any:
        """Differentiate the gradient, by torch's own operators."""
        saved, count = ctx.saved_tensors, ctx.count
        found = composite.second(
            ctx.needs_input_grad[2 : 2 + count + INPUTS],
            grad_grads,
            ctx.needs,
            saved[:count],
            saved[count:],
            create_graph=torch.is_grad_enabled(),
        )
        return None, None, *found, None, None, None


def as_needed(
    weights: Sequence[Tensor | None], needed: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """Return weights as the step knew them: one that was frozen then has no second gradient."""
    pairs = zip(weights, needed, strict=True)
    return tuple(w if need or w is None else w.detach() for w, need in pairs)


def again(
    needs: tuple[bool, ...],
    grads: tuple[Tensor | None, ...],
    inputs: tuple[Any, ...],
    *,
    create_graph: bool,
) -> tuple[Tensor | None, ...]:
    """Return the gradients by the inputs of a step of which nothing else was kept."""
    x, h, c, *weights = inputs
    _, c_all, gates = calls.forward(x, h, c, tuple(weights), record=True)
    saved = (*inputs, None, c_all, gates)
    if not create_graph:
        return _by_kernel(needs, grads, saved)
    found: tuple[Tensor | None, ...] = Gradient.apply(needs, len(grads), *grads, *saved)  # type: ignore[no-untyped-call]
    return found


def _by_kernel(
    needs: tuple[bool, ...], grads: tuple[Tensor | None, ...], saved: tuple[Any, ...]
) -> tuple[Tensor | None, ...]:
    """Return a gradient, or None, for each input of `Cell`."""
    wanted = (*needs[:5], needs[5] or needs[6])
    found = calls.backward(saved[:5], saved[INPUTS:], _three(grads), wanted)
    bias = found.bias
    # Two parameters must not share one array of gradients: a caller may write into either.
    both = (bias, bias.clone()) if needs[5] and needs[6] and bias is not None else (bias, bias)
    return *found[:5], both[0] if needs[5] else None, both[1] if needs[6] else None


def _three(grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """Return the gradients by h_all, the last h and the last c; a step has only the latter two."""
    return (None, *grads) if len(grads) == 2 else grads
