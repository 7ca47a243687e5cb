"""A subclass's own call runs wherever a call is due, or what would leave it out refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onecell import FrozenCell, LSTMCell, Stream
from onecell.errors import ArgumentError
from problems import problem

P = problem(steps=5)


class Half(LSTMCell):
    """Give half of the output on."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        h, c = super().__call__(*args, **kwargs)
        return h / 2, c


class HalfFrozen(FrozenCell):
    """The same of a frozen cell."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        h, c = super().__call__(*args, **kwargs)
        return h / 2, c


class WithItsGradient(Half):
    """The same with a gradient of its own."""

    def vjp(self, *args: Any, **kwargs: Any) -> Any:
        (h, c), pull = super().vjp(*args, **kwargs)
        return (h / 2, c), lambda grad_h, grad_c: pull(grad_h / 2, grad_c)


HALVES: list[Any] = [Half.from_weights(P.weights), HalfFrozen(P.weights)]


@pytest.mark.parametrize("cell", HALVES)
@pytest.mark.parametrize("given", [True, False])
def test_unrolling_is_a_loop_over_it(cell: Any, given: bool) -> None:
    state, every = P.state if given else None, []
    for row in P.x:
        state = cell(row, state)
        every.append(state[0])
    h_all, (h, c) = cell.unroll(P.x, P.state if given else None)
    assert np.array_equal(h_all, np.stack(every))
    assert state is not None
    assert np.array_equal(h, state[0])
    assert np.array_equal(c, state[1])
    assert not np.array_equal(h_all, P.cell.unroll(P.x, P.state if given else None)[0])


@pytest.mark.parametrize("cell", HALVES)
def test_no_steps_leave_the_state(cell: Any) -> None:
    h_all, (h, _) = cell.unroll(P.x[:0], P.state)
    assert h_all.shape == (0, *P.h.shape)
    assert np.array_equal(h, P.h)


@pytest.mark.parametrize("cell", HALVES)
@pytest.mark.parametrize("what", ["freeze", "stream", "Stream", "vjp", "unroll_vjp"])
def test_what_would_leave_it_out_refuses(cell: Any, what: str) -> None:
    if isinstance(cell, HalfFrozen) and what.endswith("vjp"):
        return  # a frozen cell has none
    given = {"vjp": (P.x[0], P.state), "unroll_vjp": (P.x, P.state)}.get(what, ())
    with pytest.raises(ArgumentError, match=rf"{type(cell).__name__} has its own `__call__`"):
        Stream(cell) if what == "Stream" else getattr(cell, what)(*given)


def test_a_subclass_may_have_its_own_of_those_too() -> None:
    cell = WithItsGradient.from_weights(P.weights)
    (h, _), pull = cell.vjp(P.x[0], P.state)
    assert np.array_equal(h, cell(P.x[0], P.state)[0])
    ones = np.ones_like(h)
    want = P.cell.vjp(P.x[0], P.state)[1](ones / 2, ones).weight_hh
    assert np.array_equal(pull(ones, ones).weight_hh, want)


def test_a_subclass_without_one_computes_as_the_cell() -> None:
    class Named(LSTMCell):
        """A cell with a name."""

    cell = Named.from_weights(P.weights)
    assert np.array_equal(cell.unroll(P.x, P.state)[0], P.cell.unroll(P.x, P.state)[0])
    assert np.array_equal(cell.freeze()(P.x[0])[0], P.cell(P.x[0])[0])
    assert cell.stream(3).step(P.x[0]).shape == (3, 16)
