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

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import compress
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

import torch
from torch import Tensor
from torch.autograd import Function, Variable

from onecell.spec import PARAMETERS
from onecell.torch import autograd, calls, composite, reading
from onecell.torch.plain import are_plain, mode_is_on
from onecell.torch.walks import NONE, Grad, Walk, Walks, forget_walk, going, sums_of, totals_of

_NOTHING: Final = (False, False, False, False)
_FIRST: Final = 2**64 - 1
"""torch's number for the place of a parameter's gradient, which it fills as soon as it can."""
_AFTER: Final = ("anchor", "bias_ih", "x", "weight_ih", "bias_hh", "h", "weight_hh")
"""The order in which torch's own cell is done with gradients, once all steps are walked."""
_walk_now: Final = torch._C._current_graph_task_id
_will_run: Final[Callable[[Any], bool]] = torch._C._will_engine_execute_node


@lru_cache(maxsize=256)
def _shapes(*shapes: torch.Size | None) -> tuple[tuple[torch.Size | None, ...], int]:
    """Return the shapes, and how many elements they have together."""
    return shapes, sum(shape.numel() for shape in shapes if shape is not None)


class Anchor(Function):
    """(*weights) → a token, which has a place in the graph: after all steps that hang on it.

    Its numbers mean nothing. It is as long as the weights that need a gradient together, so that a
    step which cannot leave its part in a walk can send it along the graph, as the gradient by the
    token. Nothing is saved, so it serves as often as it is reached.
    """

    @staticmethod
    def forward(ctx: Any, walks: Walks, owners: list[ref[Any]], *weights: Grad) -> Tensor:
        """Return the token, one number repeated without memory for it."""
        ctx.walks, ctx.owners = walks, owners
        ctx.set_materialize_grads(False)
        first: Any = next(w for w in weights if w is not None)
        ctx.shapes, count = _shapes(*(None if w is None else w.shape for w in weights))
        return torch.empty_strided((count,), (0,), dtype=first.dtype, device="cpu")

    @staticmethod
    def backward(ctx: Any, *grads: Grad) -> Any:
        """Return what the steps have left, or sent."""
        # torch takes a node that has run for a used one, and compiled autograd asks.
        while ctx.owners:
            cell = ctx.owners.pop()()
            if cell is not None:
                _last.pop(cell, None)
        walk = going(ctx.walks, _walk_now()) or Walk(_NOTHING)
        if grads[0] is not None:
            walk.add(_apart(grads[0], ctx.shapes))
        return None, None, *walk.totals()


def _apart(together: Tensor, shapes: tuple[torch.Size | None, ...]) -> tuple[Grad, ...]:
    """Return the gradients by the four parameters, which were sent in one; None for no shape."""
    parts = iter(together.split([shape.numel() for shape in shapes if shape is not None]))
    return tuple(None if shape is None else next(parts).reshape(shape) for shape in shapes)


def _turn(node: Any, name: str) -> None:
    """Let a node run in its turn among those that wait for all steps."""
    node._set_sequence_nr(_FIRST - 1 - _AFTER.index(name))


def _is_learned(tensor: Grad) -> bool:
    """Whether a tensor gets a gradient of its own."""
    return tensor is not None and tensor.requires_grad and tensor.is_leaf


def _inputs(x: Tensor, h: Grad, c: Grad) -> tuple[Tensor, Grad, Grad]:
    """Return what a step hangs on, so that leaves get their gradients in their turn."""
    if x.dim() == 1:
        # torch's cell gives such rows an axis first, and takes it off after all that it does else.
        rows: list[Any] = [
            t.view_as(t) if t is not None and _is_learned(t) else t for t in (x, h, c)
        ]
        return rows[0], rows[1], rows[2]
    if _is_learned(x):
        # Of many steps, a loop would have taken its rows before the first one.
        x = _placed(x, "x") if x.dim() == 2 else x.view_as(x)
    if h is not None and _is_learned(h):
        h = _placed(h, "h")
    return x, h, c


def _placed(tensor: Tensor, name: str) -> Tensor:
    """Return an alias of a leaf that gets its gradient in the turn of `name`."""
    if tensor.is_inference():
        return tensor
    alias = tensor.view_as(tensor)
    _turn(alias.grad_fn, name)
    return alias


class Hold:
    """What the steps of the living graphs of some parameters share; they keep it alive.

    So does a cell, until a backward pass runs: to make one costs as much as a small step.

    Of the weights it knows those that are leaves of the graph. Others, computed from something,
    are each step's own.
    """

    __slots__ = ("__weakref__", "_walks", "computed", "kept", "needs", "owners", "token")

    def __init__(self, weights: calls.Weights) -> None:
        leaves = [w if w is None or w.is_leaf else None for w in weights]
        self.computed = any(w is not leaf for w, leaf in zip(weights, leaves, strict=True))
        """Whether there are such others."""
        self.needs = tuple(w is not None and w.requires_grad for w in leaves)
        self._walks: Walks = {}
        self.owners: list[ref[Any]] = []
        """The cell that keeps it, if one does."""
        self.kept = tuple(None if w is None else w.detach() for w in leaves)
        """The leaves as the steps read them, whatever is assigned to their `data` later."""
        self.token: Grad = None
        if any(self.needs):
            both = zip(leaves, self.needs, strict=True)
            self.token = _apply_anchor(
                self._walks, self.owners, *(w if need else None for w, need in both)
            )
            # Where the weights' gradients go: torch fills such places at once, several in no order.
            names = compress(PARAMETERS, self.needs)
            for (place, _), name in zip(self._places(), names, strict=True):
                _turn(place, name)
            _turn(self.token.grad_fn, "anchor")

    def _places(self) -> tuple[tuple[Any, int], ...]:
        anchor: Any = None if self.token is None else self.token.grad_fn
        return () if anchor is None else anchor.next_functions

    def in_graph(self, weights: Sequence[Grad]) -> tuple[Grad, ...]:
        """Return what a step kept of its weights so that gradients lead to the parameters again."""
        places = iter(self._places())
        return tuple(
            Standing.apply(next(places)[0].variable, w) if need else w  # type: ignore[no-untyped-call]
            for w, need in zip(weights, self.needs, strict=True)
        )

    def walk(self, ctx: Any) -> Walk | None:
        """Return the pass that is going on in this thread, if torch's engine makes one.

        Compiled autograd runs nodes with a context `ctx` of its own, and not when their turn comes.
        """
        if self.token is None or type(ctx) not in _BY_ENGINE:
            return None
        number = _walk_now()
        found = going(self._walks, number)
        if found is None and number >= 0:
            asked = _will_run(self.token.grad_fn)
            found = Walk(self.needs if asked else _NOTHING)
            gone = partial(forget_walk, self._walks, number)
            self._walks[number] = ref(found, gone)
            Variable._execution_engine.queue_callback(found)
        return found

    def apart(self, weights: calls.Weights) -> tuple[tuple[Grad, ...], tuple[Grad, ...]]:
        """Return what a step keeps of its weights, and those that its node itself hangs on."""
        if not self.computed:
            return self.kept, NONE
        pairs = list(zip(self.kept, weights, strict=True))
        kept = tuple(w if k is None else k for k, w in pairs)
        return kept, tuple(w if k is None else None for k, w in pairs)

    def take(self, walk: Walk | None, grads: tuple[Grad, ...]) -> Grad:
        """Leave gradients by the weights in a pass, or return what to send along the graph."""
        ours = calls.only(grads, self.needs)
        if walk is not None:
            walk.add(ours)
        elif self.token is not None:
            return torch.cat([grad.reshape(-1) for grad in ours if grad is not None])
        return None


_holds: Final[WeakValueDictionary[tuple[object, ...], Hold]] = WeakValueDictionary()


_last: Final[WeakKeyDictionary[object, Hold]] = WeakKeyDictionary()
"""On what each cell's steps hung last. No hold leads to a cell, so none keeps itself alive."""


def _hold(x: Tensor, weights: calls.Weights, cell: object = None) -> Hold:
    """Return what the next step of these weights, and of this cell, hangs on.

    A graph keeps alive the parameters that it leads to, so while there is a hold their ids are
    theirs. To give a parameter other sizes or another type ends torch's own place for its gradient;
    see `forget` too.
    """
    key = (*map(_mark, weights), x.dtype, weights[0].shape)
    hold = _holds.get(key)
    if hold is None:
        _holds[key] = hold = Hold(weights)
        if cell is not None:
            _last[cell] = hold
            hold.owners.append(ref(cell))
    return hold


def _mark(weight: Grad) -> tuple[object, ...] | None:
    """Return what a leaf is known by: after `p.data = t` its memory is another."""
    if weight is None or not weight.is_leaf:
        return None
    dense = weight.is_contiguous() or weight.stride()
    return id(weight), weight.requires_grad, weight.data_ptr(), dense


def forget() -> None:
    """Let later steps hang on fresh anchors: parameters may have new places for their gradients.

    Even one that is back to the type that it had has another, and so has one whose tensor was
    swapped, though its id is the same.
    """
    _holds.clear()
    _last.clear()


class Standing(Function):
    """(a parameter, what its numbers were) → these, whose gradient is the parameter's."""

    @staticmethod
    def forward(ctx: Any, parameter: Tensor, numbers: Tensor) -> Tensor:
        """Return an alias of the numbers."""
        return numbers.view_as(numbers)

    @staticmethod
    def backward(ctx: Any, *grads: Grad) -> Any:
        """Hand the gradient on."""
        return grads[0], None


class Step(Function):
    """A step that is computed already, as a node.

    It leads from x, h, c, an anchor's token and weights that are no leaves to (h', c').
    """

    @staticmethod
    def forward(ctx: Any, *given: Any) -> tuple[Tensor, Tensor]:
        """Keep what the way back needs; of the results it needs none, so they may be written."""
        saved, ctx.hold, made = given[-3:]
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*saved)
        h_next, c_next = made
        return h_next, c_next

    @staticmethod
    def backward(ctx: Any, *grads: Grad) -> Any:
        """Return the gradients by x, h, c and computed weights; leave others in the walk."""
        if grads[0] is None and grads[1] is None:
            return (None,) * 11
        saved, hold = ctx.saved_tensors, ctx.hold
        by_x, by_h, by_c, _, *direct = ctx.needs_input_grad[:8]
        walk = hold.walk(ctx)
        reader = reading.step_reader
        found: Any = None
        if reader is not None and (walk is not None or hold.token is None):
            sums = walk.sums if walk is not None and any(walk.wanted) else None
            own = sums_of(direct, once=True) if True in direct else None
            found = reader.back(by_x, by_h, by_c, saved, grads[0], grads[1], sums, own)
            if found is not None:
                by_weights = NONE if own is None else totals_of(own, direct)
                return *found, None, *by_weights, None, None, None
        wanted = hold.needs if walk is None else walk.wanted
        both = [a or b for a, b in zip(wanted, direct, strict=True)]
        needed = [a or b for a, b in zip(hold.needs, direct, strict=True)]
        if torch.is_grad_enabled():
            weights = autograd.as_needed(hold.in_graph(saved[3:7]), needed)
            saved = (*saved[:3], *weights, saved[7])
        found = _longer_way((by_x, by_h, by_c, *both), grads, saved)
        own_grads = calls.only(found[3:], direct)
        return *found[:3], hold.take(walk, found[3:]), *own_grads, None, None, None


def _longer_way(
    needs: tuple[bool, ...],
    grads: tuple[Grad, ...],
    saved: tuple[Any, ...],
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
    h_next: Tensor,
    c_next: Tensor,
    gates: Tensor,
    inputs: tuple[Any, ...],
    cell: object = None,
) -> tuple[Tensor, Tensor]:
    """Return (h', c') as results of a node; all is as `_kernel.StepReader.step` has made it."""
    x, h, c, *given = inputs
    weights: calls.Weights = (given[0], given[1], given[2], given[3])
    try:
        hold = _hold(x, weights, cell)
        kept, direct = hold.apart(weights)
        saved = (x, h, c, *kept, gates)
        x, h, c = _inputs(x, h, c)
        found: tuple[Tensor, Tensor] = _apply_step(
            x, h, c, hold.token, *direct, saved, hold, (h_next, c_next)
        )
    except RuntimeError:
        # Of what was made in inference mode torch's operators take all that they need not keep.
        if not any(t is not None and t.is_inference() for t in inputs):
            raise
        return composite.any_step(x, h, c, *weights)
    return found


def record(x: Tensor, h: Grad, c: Grad, weights: calls.Weights) -> tuple[Tensor, ...]:
    """Return what `autograd.Cell` computes, as a node of the graph."""
    hold = _hold(x, weights)
    kept, direct = hold.apart(weights)
    saved = (x, h, c, *kept)
    x, h, c = _inputs(x, h, c)
    found: tuple[Tensor, ...] = _apply_cell(x, h, c, hold.token, *direct, saved, hold)
    return found


# What profilers show, and `grad_fn`.
for _function, _name in (
    (Anchor, "onecell::lstm_cell_weights"),
    (Step, "onecell::lstm_cell_step"),
    (autograd.Cell, "onecell::lstm_cell_steps"),
):
    _function.__name__, _function._backward_cls.__name__ = _name, f"{_name}_backward"

_BY_ENGINE: Final[tuple[Any, ...]] = (Step._backward_cls, autograd.Cell._backward_cls)

# `Function.apply` looks for wrappers of torch.func first, which no tensor here is.
_apply_anchor: Final[Any] = super(Function, Anchor).apply
_apply_step: Final[Any] = super(Function, Step).apply
_apply_cell: Final[Any] = super(Function, autograd.Cell).apply
