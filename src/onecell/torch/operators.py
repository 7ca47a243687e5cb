"""The kernel as registered operators, which is how compiled graphs call it.

`onecell::unroll` and `onecell::unroll_backward` carry what torch.compile asks of an operator: a
schema, shapes without data (fake), a gradient and a batching rule. A step that is recorded is an
unroll of one; one that is not has an operator of its own, `onecell::step`, which costs little more
than the step itself.
"""

# ruff: noqa: ANN401 - torch hands over contexts, and arguments, of any type.
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from onecell.spec import PARAMETERS
from onecell.torch import calls, reading
from onecell.torch.errors import CellShapeError
from onecell.torch.plain import are_plain

STEP: Final = "onecell::step"
UNROLL: Final = "onecell::unroll"
BACKWARD: Final = "onecell::unroll_backward"

_FEW_STEPS: Final = 3
_MANY_PRODUCTS: Final = 1 << 22
"""Of weights and inputs, in one step."""

_INPUTS: Final = (
    "Tensor x, Tensor? h, Tensor? c, "
    "Tensor weight_ih, Tensor weight_hh, Tensor? bias_ih, Tensor? bias_hh"
)
torch.library.define(
    STEP, f"({_INPUTS.replace('? h', ' h').replace('? c', ' c')}) -> (Tensor h, Tensor c)"
)
# record=True also returns every c and the activated gates, for the backward operator; else the two
# are empty. The last h and the last c are results of their own so that each has its own gradient.
torch.library.define(
    UNROLL,
    f"({_INPUTS}, bool record)"
    " -> (Tensor h_all, Tensor h_last, Tensor c_last, Tensor c_all, Tensor gates)",
)
torch.library.define(
    BACKWARD,
    "(Tensor x, Tensor? h, Tensor? c, Tensor weight_ih, Tensor weight_hh, "
    "Tensor h_all, Tensor c_all, Tensor gates, "
    "Tensor? grad_h_all, Tensor? grad_h_last, Tensor? grad_c_last, bool[] wanted) -> "
    "(Tensor x, Tensor h, Tensor c, Tensor weight_ih, Tensor weight_hh, Tensor bias)",
)


def _check(name: str, tensors: list[Tensor], *, fits: bool) -> None:
    """Raise unless the kernel may compute; graphs that onecell built always pass."""
    if not (fits and are_plain(tensors)):
        came = ", ".join(f"{tuple(t.shape)} {t.dtype}" for t in tensors)
        raise CellShapeError(f"{name} got tensors that are not of one cell: {came}.")


@torch.library.impl(STEP, "CPU")
def _step(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
) -> tuple[Tensor, Tensor]:
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    there = [t for t in (x, h, c, *weights) if t is not None]
    if torch.is_grad_enabled() and any(t.requires_grad for t in there):
        raise RuntimeError(f"{STEP} cannot be differentiated: call {UNROLL} with record=True.")
    if reading.step_reader is not None and x.dim() == 2:
        named = dict(zip(PARAMETERS, weights, strict=True))
        done: Any = reading.step_reader.step(named, weight_hh.shape[-1], x, (h, c))
        if done:
            return done[0], done[1]
    _check(STEP, there, fits=x.dim() == 2 and calls.fits(x, h, c, weights))
    return calls.forward(x, h, c, weights, record=False)[:2]


@torch.library.register_fake(STEP)  # type: ignore[untyped-decorator]
def _step_shapes(x: Tensor, h: Tensor, c: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return x.new_empty(h.shape), x.new_empty(c.shape)


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
    _check(UNROLL, there, fits=x.dim() == 3 and calls.fits(x, h, c, weights))
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
    _check(BACKWARD, there, fits=fits)
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
    kept = [t if want else None for t, want in zip(found, wanted, strict=True)]
    bias = kept[5]
    twin = bias.clone() if bias is not None and needs[5] and needs[6] else bias
    return *kept[:5], bias if needs[5] else None, twin if needs[6] else None, None


torch.library.register_autograd(UNROLL, _pull, setup_context=_keep)


def _refuse(ctx: Any, *grads: Tensor | None) -> None:
    raise NotImplementedError(
        f"{BACKWARD} has no gradient: take second gradients of the cell itself, not compiled."
    )


torch.library.register_autograd(BACKWARD, _refuse)


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
torch.library.register_vmap(UNROLL, _one_by_one(torch.ops.onecell.unroll))
torch.library.register_vmap(BACKWARD, _one_by_one(torch.ops.onecell.unroll_backward))


def run(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: calls.Weights
) -> tuple[Tensor, ...] | None:
    """Return a step (h', c') or an unroll (h_all, h, c) as one node of the graph being built.

    None where torch's own operators are faster.
    """
    record = torch.is_grad_enabled() and any(
        t is not None and t.requires_grad for t in (x, h, c, *weights)
    )
    if record and not _pays(x, weights[1]):
        return None
    if x.dim() == 3:
        return _unrolled(x, h, c, weights, record)
    if record:
        return _unrolled(x.unsqueeze(0), h, c, weights, record)[1:]
    zeros = x.new_zeros((x.shape[0], weights[1].shape[1])) if h is None or c is None else None
    found: tuple[Tensor, Tensor] = torch.ops.onecell.step(
        x, zeros if h is None else h, zeros if c is None else c, *weights
    )
    return found


def _pays(x: Tensor, weight_hh: Tensor) -> bool:
    """Whether to call the kernel and its way back costs less than torch's operators, compiled.

    Theirs are fused with what is around them, and add the weights' gradients of all steps as they
    are made; a call of an operator and back takes 50 to 100 µs, as long as three small steps.
    """
    steps = x.shape[0] if x.dim() == 3 else 1
    if steps > _FEW_STEPS:
        return True
    hidden_size, width = weight_hh.shape[1], x.shape[-1]
    return bool(x.shape[-2] * 4 * hidden_size * (width + hidden_size) >= _MANY_PRODUCTS)


def _unrolled(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: calls.Weights, record: bool
) -> tuple[Tensor, Tensor, Tensor]:
    h_all, h_last, c_last, _, _ = torch.ops.onecell.unroll(x, h, c, *weights, record)
    return h_all, h_last, c_last
