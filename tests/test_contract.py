"""The numeric contract: the same bits, whatever stands around a row."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import onecell
from onecell import reference
from problems import Array, Problem, assert_same_bits, problem, problems, results


@pytest.fixture
def any_isa() -> Iterator[None]:
    """Put the instruction set back that a test changes."""
    before = onecell.isa()
    yield
    onecell.set_isa(before)


def rows(p: Problem, chosen: Array) -> Problem:
    """Return the problem with these rows of the batch only."""
    return replace(
        p,
        x=p.x[:, chosen],
        h=p.h[chosen],
        c=p.c[chosen],
        grad_h_all=p.grad_h_all[:, chosen],
        grad_h_last=p.grad_h_last[chosen],
        grad_c_last=p.grad_c_last[chosen],
    )


@given(problems(max_batch=9), st.data())
@settings(deadline=None, max_examples=60)
def test_a_row_does_not_depend_on_the_batch(p: Problem, data: st.DataObject) -> None:
    batch = p.x.shape[1]
    whole = results(p)
    order = data.draw(st.permutations(range(batch)))
    for chosen in (np.array(order), *np.arange(batch)[:, None]):
        part = results(rows(p, chosen))
        for name in ("h_all", "x"):
            assert part[name].tobytes() == whole[name][:, chosen].tobytes(), name
        for name in ("h_last", "c_last", "h", "c"):
            assert part[name].tobytes() == whole[name][chosen].tobytes(), name


@given(problems(min_batch=0))
@settings(deadline=None, max_examples=60)
def test_unrolling_is_stepping(p: Problem) -> None:
    cell = p.cell
    h_all, (h_last, c_last) = cell.unroll(p.x, p.state)
    h, c = p.state
    for t, x in enumerate(p.x):
        h, c = cell(x, (h, c))
        assert h.tobytes() == h_all[t].tobytes()
    assert h.tobytes() == h_last.tobytes()
    assert c.tobytes() == c_last.tobytes()


@given(problems(max_batch=70))
@settings(deadline=None, max_examples=40)
def test_gradients_through_time_are_those_of_the_steps(p: Problem) -> None:
    want = results(p)
    cell, states, pullbacks = p.cell, [p.state], []
    for x in p.x:
        state, pullback = cell.vjp(x, states[-1])
        states.append(state)
        pullbacks.append(pullback)
    grad_h, grad_c = p.grad_h_last, p.grad_c_last
    grad_x, total = np.empty_like(p.x), dict[str, Array]()
    for t in reversed(range(len(p.x))):
        g = pullbacks[t](grad_h + p.grad_h_all[t], grad_c)
        grad_x[t], grad_h, grad_c = g.x, g.h, g.c
        step = g.parameters()
        total = {name: total[name] + step[name] for name in total} or step
    got = {"x": grad_x, "h": grad_h, "c": grad_c, **total}
    assert_same_bits(got, {name: want[name] for name in got})


@pytest.mark.usefixtures("any_isa")
@given(problems(min_batch=0))
@settings(deadline=None, max_examples=40)
def test_instruction_sets_agree(p: Problem) -> None:
    onecell.set_isa("portable")
    want = results(p)
    for name in onecell.available_isas():
        onecell.set_isa(name)
        assert_same_bits(results(p), want)


@given(problems(), st.integers(0, 15), st.sampled_from(["dense", "strided", "reversed", "fortran"]))
@settings(deadline=None, max_examples=60)
def test_memory_layout_does_not_matter(p: Problem, offset: int, form: str) -> None:
    x, h, c = (moved_to(array, offset, form) for array in (p.x, p.h, p.c))
    moved = replace(p, x=x, h=h, c=c)
    assert_same_bits(results(moved), results(p))


def moved_to(array: Array, offset: int, form: str) -> Array:
    """Return equal values elsewhere in memory, read-only."""
    if form == "dense":
        store = np.empty(array.size + offset, array.dtype)[offset:].reshape(array.shape)
    elif form == "strided":
        store = np.empty((*array.shape[:-1], 3 * array.shape[-1] + offset), array.dtype)
        store = store[..., : 3 * array.shape[-1] : 3]
    elif form == "reversed":
        store = np.empty(array.shape, array.dtype)[..., ::-1, ::-1]
    else:
        store = np.empty(array.shape, array.dtype, order="F")
    store[...] = array
    store.flags.writeable = False
    return store


def test_threads_in_python_share_nothing() -> None:
    p = problem(20, 5, 33, 47)
    want = results(p)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: results(p), range(24)):
            assert_same_bits(got, want)


@given(problems())
@settings(deadline=None, max_examples=30)
def test_inputs_are_never_written(p: Problem) -> None:
    before = [a.tobytes() for a in (p.x, *p.state, *p.grads)]
    results(p)
    p.cell(p.x[0], p.state)
    assert [a.tobytes() for a in (p.x, *p.state, *p.grads)] == before


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e-42, -0.0, 3e38])
@pytest.mark.parametrize("where", ["x", "h", "c"])
def test_special_values_go_through_as_in_float64(where: str, value: float) -> None:
    p = problem(1, 3, 4, 5)
    getattr(p, where)[..., 1, 2] = value
    h_next, c_next = p.cell(p.x[0], p.state)
    with np.errstate(all="ignore"):
        want = reference.step(p.weights, p.x[0], *p.state)
    for got, right in zip((h_next, c_next), want, strict=True):
        np.testing.assert_allclose(got, right.astype(np.float32), rtol=1e-5, atol=1e-6)


def test_unknown_instruction_set_is_refused() -> None:
    with pytest.raises(ValueError, match=r"portable.*abacus"):
        onecell.set_isa("abacus")
