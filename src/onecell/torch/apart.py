"""A step as a node of torch's gradient graph that leaves the weights' gradients for later.

A loop over a cell would make gradients as large as the weights at every step, for torch to add up.
So the steps do not hang on the parameters but on one `Anchor`, which hangs on them. A step's way
back leaves what it knows in the `Walk` of the pass that is going on; torch runs the anchor after
all steps, and there the sums are made, in the order in which torch would have made them.

Who looks on while gradients come (hooks, sharded training, optimizers inside the pass) must see
them when torch's own cell would show them, whichever graph made the anchor: torch takes among the
nodes that are ready the one with the highest number, so the numbers here are given, not drawn.
"""

# ruff: noqa: ANN401 - torch hands over contexts, and arguments, of any type.
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias
from weakref import WeakValueDictionary

import torch
from torch import Tensor
from torch.autograd import Function, Variable

from onecell import _kernel
from onecell.spec import PARAMETERS
from onecell.torch import autograd, calls, composite, reading
from onecell.torch.plain import are_plain, mode_is_on

Grad: TypeAlias = Tensor | None

_NONE: Final = (None, None, None, None)
_NOTHING: Final = (False, False, False, False)
_FIRST: Final = 2**64 - 1
"""torch's number for the place of a parameter's gradient, which it fills as soon as it can."""
_AFTER: Final = ("anchor", "bias_ih", "x", "weight_ih", "bias_hh", "h", "weight_hh")
"""The order in which torch's own cell is done with gradients, once all steps are walked."""
_walk_now: Final = torch._C._current_graph_task_id
_will_run: Final[Callable[[Any], bool]] = torch._C._will_engine_execute_node


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
        weight_ih, weight_hh, bias = _NONE[:3] if reader is None else reader.totals(self.sums)
        # Two parameters must not share one array of gradients: a caller may write into either.
        twin = bias.clone() if bias is not None and self.wanted[2] and self.wanted[3] else bias
        made = (weight_ih, weight_hh, bias, twin)
        self.add(tuple(g if want else None for g, want in zip(made, self.wanted, strict=True)))
        return tuple(self._found)


class Anchor(Function):
    """(*weights) → a token, which has a place in the graph: after all steps that hang on it.

    Its numbers mean nothing. It is as long as the weights that need a gradient together, so that a
    step which cannot leave its part in a walk can send it along the graph, as the gradient by the
    token. Nothing is saved, so it serves as often as it is reached.
    """

    @staticmethod
    def forward(ctx: Any, walks: WeakValueDictionary[int, Walk], *weights: Grad) -> Tensor:
        """Return the token, one number repeated without memory for it."""
        ctx.walks = walks
        ctx.set_materialize_grads(False)
        ctx.shapes = [None if w is None else w.shape for w in weights]
        needed = [w for w in weights if w is not None]
        return needed[0].new_empty(1).expand(sum(w.numel() for w in needed))

    @staticmethod
    def backward(ctx: Any, *grads: Grad) -> Any:
        """Return what the steps have left, or sent."""
        walk = ctx.walks.get(_walk_now()) or Walk(_NOTHING)
        if grads[0] is not None:
            walk.add(_apart(grads[0], ctx.shapes))
        return None, *walk.totals()


def _apart(together: Tensor, shapes: list[torch.Size | None]) -> tuple[Grad, ...]:
    """Return the gradients by the four parameters, which were sent in one; None for no shape."""
    parts = iter(together.split([shape.numel() for shape in shapes if shape is not None]))
    return tuple(None if shape is None else next(parts).reshape(shape) for shape in shapes)


def _place(tensor: Tensor, name: str) -> None:
    """Let the node that `tensor` comes of run in its turn among those that wait for all steps."""
    node: Any = tensor.grad_fn
    node._set_sequence_nr(_FIRST - 1 - _AFTER.index(name))


def _placed(tensor: Tensor, name: str) -> Tensor:
    """Return an alias of a leaf that gets its gradient in the turn of `name`."""
    if tensor.is_inference():
        return tensor
    alias = tensor.view_as(tensor)
    _place(alias, name)
    return alias


class Hold:
    """What the steps of the living graphs of some parameters share; they alone keep it alive."""

    __slots__ = ("__weakref__", "_walks", "needs", "token")

    def __init__(self, weights: calls.Weights) -> None:
        self.needs = tuple(w is not None and w.requires_grad for w in weights)
        self._walks: WeakValueDictionary[int, Walk] = WeakValueDictionary()
        named = zip(PARAMETERS, weights, self.needs, strict=True)
        placed = [_placed(w, name) if w is not None and need else None for name, w, need in named]
        self.token: Tensor = _apply_anchor(self._walks, *placed)
        _place(self.token, "anchor")

    def walk(self, ctx: Any) -> Walk | None:
        """Return the pass that is going on in this thread, if torch's engine makes one.

        Compiled autograd runs nodes with a context `ctx` of its own, and not when their turn comes.
        """
        if type(ctx) not in _BY_ENGINE:
            return None
        number = _walk_now()
        found = self._walks.get(number)
        if found is None and number >= 0:
            asked = _will_run(self.token.grad_fn)
            found = Walk(self.needs if asked else _NOTHING)
            self._walks[number] = found
            Variable._execution_engine.queue_callback(found)
        return found

    @staticmethod
    def take(walk: Walk | None, grads: tuple[Grad, ...]) -> Grad:
        """Leave gradients by the weights in a pass, or return what to send along the graph."""
        if walk is None:
            return torch.cat([grad.reshape(-1) for grad in grads if grad is not None])
        walk.add(grads)
        return None


_holds: Final[WeakValueDictionary[tuple[object, ...], Hold]] = WeakValueDictionary()


def _hold(x: Tensor, weights: calls.Weights) -> Hold | None:
    """Return what the next step of these weights, all leaves, hangs on; None if none needs that.

    A graph keeps alive the parameters that it leads to, so while there is a hold their ids are
    theirs. To give a parameter other sizes or another type ends torch's own place for its gradient;
    see `forget` too.
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


def forget() -> None:
    """Let later steps hang on fresh anchors: parameters may have new places for their gradients.

    Even one that is back to the type that it had has another, and so has one whose tensor was
    swapped, though its id is the same.
    """
    _holds.clear()


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
        by_x, by_h, by_c = ctx.needs_input_grad[1:4]
        if grads[0] is None and grads[1] is None:
            return (None,) * 7
        walk = None if hold is None else hold.walk(ctx)
        sends = hold is not None and walk is None
        reader = reading.step_reader
        found: Any = None
        if reader is not None and not sends:
            sums = walk.sums if walk is not None and any(walk.wanted) else None
            found = reader.back(by_x, by_h, by_c, saved, grads[0], grads[1], sums)
        if found is not None:
            return None, *found, None, None, None
        wanted = walk.wanted if walk is not None else hold.needs if hold is not None else _NOTHING
        needed = _NOTHING if hold is None else hold.needs
        found = _longer_way((by_x, by_h, by_c, *wanted), grads, saved, needed)
        sent = None if hold is None else hold.take(walk, found[3:])
        return sent, *found[:3], None, None, None


def _longer_way(
    needs: tuple[bool, ...],
    grads: tuple[Grad, ...],
    saved: tuple[Any, ...],
    needed: tuple[bool, ...],
) -> tuple[Grad, ...]:
    """Return a step's gradient by each of its seven inputs, wherever that can be computed.

    `needed` says which of the weights required a gradient when the step was computed.
    """
    inputs, gates = saved[:7], saved[7]
    again = torch.is_grad_enabled()
    if again:
        inputs = (*inputs[:3], *autograd.as_needed(inputs[3:], needed))
    there = [t for t in (*saved, *grads) if t is not None]
    fits = calls.fits_back(inputs[:5], (None, None, gates), (None, *grads))
    if mode_is_on() or not (fits and are_plain(there)):
        return tuple(composite.gradients(needs, grads, inputs, create_graph=again))
    return autograd.again(needs, grads, inputs, create_graph=again)


def record_step(
    h_next: Tensor, c_next: Tensor, gates: Tensor, inputs: tuple[Any, ...]
) -> tuple[Tensor, Tensor]:
    """Return (h', c') as results of a node; all is as `_kernel.StepReader.step` has made it."""
    x, h, c, *given = inputs
    weights: calls.Weights = (given[0], given[1], given[2], given[3])
    made = h_next, c_next, gates
    try:
        hold = _hold(x, weights)
        token = None if hold is None else hold.token
        if x.requires_grad and x.is_leaf:
            x = _placed(x, "x")
        if h.requires_grad and h.is_leaf:
            h = _placed(h, "h")
        found: tuple[Tensor, Tensor] = _apply_step(token, x, h, c, weights, hold, made)
    except RuntimeError:
        # Of what was made in inference mode torch's operators take all that they need not keep.
        if not any(t is not None and t.is_inference() for t in inputs):
            raise
        found = composite.step(x, (h, c), *weights)
    return found


def record(x: Tensor, h: Grad, c: Grad, weights: calls.Weights) -> tuple[Tensor, ...]:
    """Return what `autograd.Cell` computes, as a node of the graph."""
    apart = all(w is None or w.is_leaf for w in weights)
    hold = _hold(x, weights) if apart else None
    if x.requires_grad and x.is_leaf:
        # Of many steps, a loop would have taken its rows before the first one.
        x = _placed(x, "x") if x.dim() == 2 else x.view_as(x)
    if h is not None and h.requires_grad and h.is_leaf:
        h = _placed(h, "h")
    hangs_on = (None, *weights) if hold is None else (hold.token, *_NONE)
    found: tuple[Tensor, ...] = _apply_cell(x, h, c, *hangs_on, weights, hold)
    return found


_BY_ENGINE: Final[tuple[Any, ...]] = (Step._backward_cls, autograd.Cell._backward_cls)

# `Function.apply` looks for wrappers of torch.func first, which no tensor here is.
_apply_anchor: Final[Any] = super(Function, Anchor).apply
_apply_step: Final[Any] = super(Function, Step).apply
_apply_cell: Final[Any] = super(Function, autograd.Cell).apply
