"""The cell made of torch's own operators, and its derivatives of any order.

Where the kernel cannot go, this goes: gradients of gradients, batched gradients, modes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from onecell.spec import GATES
from onecell.torch.plain import transforms_are_on

lstm_cell: Final[Any] = torch._VF.lstm_cell
"""torch's one operator of a step: its own cell's."""


def step(
    x: Tensor,
    state: tuple[Tensor, Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Compute one step by torch's operators; x (N, I), the state (N, H) twice."""
    if transforms_are_on():
        # torch.vmap has no rule for the one operator, only for those that it is made of.
        h, c = state
        by_x = torch.nn.functional.linear(x, weight_ih, bias_ih)
        z = by_x + torch.nn.functional.linear(h, weight_hh, bias_hh)
        i, f, g, o = z.chunk(len(GATES), 1)
        c_next = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c_next.tanh(), c_next
    h_next, c_next = lstm_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh)
    return h_next, c_next


def any_step(
    x: Tensor, h: Tensor | None, c: Tensor | None, *weights: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Compute one step by torch's operators; without a state, of one row without a batch axis."""
    if x.dim() == 2:
        h_next, c_next = outputs(x, h, c, *weights)  # type: ignore[arg-type]
        return h_next, c_next
    rows = (None if t is None else t.unsqueeze(0) for t in (x, h, c))
    h_next, c_next = outputs(*rows, *weights)  # type: ignore[arg-type]
    return h_next.squeeze(0), c_next.squeeze(0)


def outputs(
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
) -> tuple[Tensor, ...]:
    """Return (h', c') for x (N, I), and (h_all, the last h, the last c) for x (T, N, I)."""
    shape = (x.shape[-2], weight_hh.shape[1])
    state = (x.new_zeros(shape) if h is None else h, x.new_zeros(shape) if c is None else c)
    if x.dim() == 2:
        return step(x, state, weight_ih, weight_hh, bias_ih, bias_hh)
    every = []
    for row in x.unbind(0):
        state = step(row, state, weight_ih, weight_hh, bias_ih, bias_hh)
        every.append(state[0])
    if not every:
        return x.new_empty((0, *shape)), *(t.clone() for t in state)
    return torch.stack(every), *state


def gradients(
    needs: Sequence[bool],
    grads: Sequence[Tensor | None],
    inputs: Sequence[Any],
    *,
    create_graph: bool,
) -> list[Tensor | None]:
    """Return the gradients of `outputs(*inputs)`, weighted by `grads`, by the inputs that need it.

    With `create_graph`, they are themselves functions of `grads` and `inputs`.
    """
    with torch.enable_grad(), torch.autocast("cpu", enabled=False):
        aliases = _aliases(inputs, needs)
        made = outputs(*aliases)
        return pull(needs, grads, made, aliases, create_graph=create_graph)


def second(
    needs: Sequence[bool],
    grad_grads: Sequence[Tensor | None],
    first_needs: Sequence[bool],
    grads: Sequence[Tensor | None],
    inputs: Sequence[Tensor | None],
    *,
    create_graph: bool,
) -> list[Tensor | None]:
    """Return the gradients of `gradients(first_needs, grads, inputs)`, weighted by `grad_grads`.

    They are by `grads` and then by `inputs`, where `needs` asks for them.
    """
    with torch.enable_grad():
        aliases = _aliases((*grads, *inputs), needs)
        count = len(grads)
        made = gradients(first_needs, aliases[:count], aliases[count:], create_graph=True)
        return pull(needs, grad_grads, made, aliases, create_graph=create_graph)


def _aliases(tensors: Sequence[Tensor | None], needs: Sequence[bool]) -> list[Any]:
    """Return aliases: one tensor may be an ancestor of another, and only direct paths count."""
    aliases = [None if t is None else t.view_as(t) for t in tensors]
    for alias, need in zip(aliases, needs, strict=True):
        # A parameter that was frozen after the step still gets its gradient, as in torch.
        if need and alias is not None and not alias.requires_grad:
            alias.requires_grad_()
    return aliases


def pull(
    needs: Sequence[bool],
    grads: Sequence[Tensor | None],
    made: Sequence[Tensor | None],
    sources: Sequence[Tensor | None],
    *,
    create_graph: bool,
) -> list[Tensor | None]:
    """Pull `grads` back from what was `made` to those of the `sources` that need it."""
    pairs = [
        (out, grad)
        for out, grad in zip(made, grads, strict=True)
        if out is not None and grad is not None and out.requires_grad
    ]
    wanted = [t for t, need in zip(sources, needs, strict=True) if need and t is not None]
    if not pairs or not wanted:
        return [None] * len(sources)
    found = iter(
        torch.autograd.grad(
            [out for out, _ in pairs],
            wanted,
            [grad for _, grad in pairs],
            create_graph=create_graph,
            allow_unused=True,
        )
    )
    both = zip(sources, needs, strict=True)
    return [next(found) if need and t is not None else None for t, need in both]
