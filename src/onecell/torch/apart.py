"""A step as a node of torch's gradient graph that leaves the weights' gradients for later.

A loop over a cell would make gradients as large as the weights at every step, for torch to add up.
So the steps do not hang on the parameters but on one `Anchor`, which hangs on them. A step's way
back leaves what it knows in the `Walk` of the pass that is going on; torch runs the anchor after
all steps, and there the sums are made, in the order in which torch would have made them.
"""

# ruff: noqa: ANN401 - torch hands over contexts, and arguments, of any type.
from __future__ import annotations

from typing import Any, Final, TypeAlias
from weakref import WeakValueDictionary

import torch
from torch import Tensor
from torch.autograd import Function, Variable

from onecell import _kernel
from onecell.torch import autograd, calls, composite, reading
from onecell.torch.plain import are_plain, mode_is_on

Grad: TypeAlias = Tensor | None

_NONE: Final = (None, None, None, None)
_walk_now: Final = torch._C._current_graph_task_id  # type: ignore[attr-defined]
_will_run: Final = torch._C._will_engine_execute_node  # type: ignore[attr-defined]


class Walk:
    """The gradients of the weights in one pass of torch's engine, as far as it has come.

    The engine holds it for as long as the pass goes on, so that nothing of one that failed stays.
    """

    def __init__(self, wanted: tuple[bool, ...]) -> None:
        self.wanted = wanted
        """By which of the four parameters; none where nobody asked for any in this pass."""
        self.sums = _kernel.StepSums(wanted[0], wanted[1], wanted[2] or wanted[3])
        self._found: list[Grad] = [*_NONE]

    def __call__(self) -> None:
        """Do nothing: what the engine holds, it calls in the end."""

    def add(self, grads: tuple[Grad, ...]) -> None:
        """Add gradients of a step that were made in another way."""
        pairs = zip(self._found, grads, strict=True)
        self._found = [b if a is None else a if b is None else a + b for a, b in pairs]

    def totals(self) -> tuple[Grad, ...]:
        """Return the gradients by the four parameters."""
        reader = reading.step_reader
        assert reader is not None  # or there would be no step
        weight_ih, weight_hh, bias = reader.totals(self.sums)
        # Two parameters must not share one array of gradients: a caller may write into either.
        twin = bias.clone() if bias is not None and self.wanted[2] and self.wanted[3] else bias
        made = (weight_ih, weight_hh, bias, twin)
        self.add(tuple(g if want else None for g, want in zip(made, self.wanted, strict=True)))
        return tuple(self._found)


class Anchor(Function):
    """(*weights) → nothing, but with a place in the graph: after all steps that hang on it.

    Nothing is saved, so it serves as often as it is reached.
    """

    @staticmethod
    def forward(ctx: Any, walks: WeakValueDictionary[int, Walk], *weights: Grad) -> Tensor:
        """Return an empty tensor."""
        ctx.walks = walks
        ctx.set_materialize_grads(False)
        return next(w for w in weights if w is not None).new_empty(0)

    @staticmethod
    def backward(ctx: Any, *_: Grad) -> Any:
        """Return what the steps have left."""
        walk = ctx.walks.get(_walk_now())
        return None, *(_NONE if walk is None else walk.totals())


class Hold:
    """What the steps of the living graphs of some parameters share; they alone keep it alive."""

    __slots__ = ("__weakref__", "_needs", "_walks", "token")

    def __init__(self, weights: calls.Weights) -> None:
        self._needs = tuple(w is not None and w.requires_grad for w in weights)
        self._walks: WeakValueDictionary[int, Walk] = WeakValueDictionary()
        self.token: Tensor = Anchor.apply(self._walks, *weights)  # type: ignore[no-untyped-call]

    def walk(self) -> Walk | None:
        """Return the pass that is going on in this thread; None where a node is called by hand."""
        number = _walk_now()
        found = self._walks.get(number)
        if found is None and number >= 0:
            asked = _will_run(self.token.grad_fn)
            found = Walk(self._needs if asked else (False,) * 4)
            self._walks[number] = found
            Variable._execution_engine.queue_callback(found)  # type: ignore[no-untyped-call]
        return found


_holds: Final[WeakValueDictionary[tuple[object, ...], Hold]] = WeakValueDictionary()


def _hold(x: Tensor, weights: calls.Weights) -> Hold | None:
    """Return what the next step of these weights, all leaves, hangs on; None if none needs that.

    A graph keeps alive the parameters that it leads to, so while there is a hold their ids are
    theirs. To give a parameter other sizes or another type ends torch's own place for its gradient.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    key = (
        weight_ih.requires_grad and id(weight_ih),
        weight_hh.requires_grad and id(weight_hh),
        bias_ih is not None and bias_ih.requires_grad and id(bias_ih),
        bias_hh is not None and bias_hh.requires_grad and id(bias_hh),
        x.dtype,
        weight_ih.shape,
    )
    if not any(key[:4]):
        return None
    hold = _holds.get(key)
    if hold is None:
        _holds[key] = hold = Hold(weights)
    return hold


class Step(Function):
    """A step that is computed already, as a node: x, h, c and an anchor's token → (h', c')."""

    @staticmethod
    def forward(
        ctx: Any,
        token: Grad,
        x: Tensor,
        h: Tensor,
        c: Tensor,
        weights: calls.Weights,
        hold: Hold | None,
        made: tuple[Tensor, Tensor, Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Keep what the way back needs; of the results it needs none, so they may be written."""
        h_next, c_next, gates = made
        ctx.hold = hold
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, h, c, *weights, gates)
        return h_next, c_next

    @staticmethod
    def backward(ctx: Any, *grads: Grad) -> Any:
        """Return the gradients by x, h and c, and leave those of the weights in the walk."""
        saved, hold = ctx.saved_tensors, ctx.hold
        by = ctx.needs_input_grad[1:4]
        if grads[0] is None and grads[1] is None:
            return (None,) * 7
        walk = None if hold is None else hold.walk()
        sums = walk.sums if walk is not None and any(walk.wanted) else None
        reader = reading.step_reader
        found = None if reader is None else reader.back(*by, saved, *grads, sums)
        if found is None:
            wanted = (False,) * 4 if walk is None else walk.wanted
            found = _longer_way((*by, *wanted), grads, saved)
            if walk is not None:
                walk.add(found[3:])
        return None, *found[:3], None, None, None


def _longer_way(
    needs: tuple[bool, ...], grads: tuple[Grad, ...], saved: tuple[Any, ...]
) -> tuple[Grad, ...]:
    """Return a step's gradient by each of its seven inputs, wherever that can be computed."""
    inputs, gates = saved[:7], saved[7]
    again = torch.is_grad_enabled()
    there = [t for t in (*saved, *grads) if t is not None]
    fits = calls.fits_back(inputs[:5], (None, None, gates), (None, *grads))
    if mode_is_on() or not (fits and are_plain(there)):
        return tuple(composite.gradients(needs, grads, inputs, create_graph=again))
    return autograd.again(needs, grads, inputs, create_graph=again)


def record_step(
    parameters: dict[str, Any], x: Tensor, hx: Any, made: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Return (h', c') of a step that `_kernel.StepReader` has `made` as results of a node."""
    weights = (
        parameters["weight_ih"],
        parameters["weight_hh"],
        parameters["bias_ih"],
        parameters["bias_hh"],
    )
    hold = _hold(x, weights)
    token = None if hold is None else hold.token
    found: tuple[Tensor, Tensor] = _apply_step(token, x, hx[0], hx[1], weights, hold, made)
    return found


# `Function.apply` looks for wrappers of torch.func first, which no tensor here is.
_apply_step: Final[Any] = super(Function, Step).apply
