"""Frozen cells: the bits they promise, what they store, and what they refuse."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import onecell
from onecell import FrozenCell, LSTMCell, Weights, reference
from onecell.dtypes import narrow, widen
from onecell.errors import ArgumentError, DtypeError, FrozenError, ShapeError
from onecell.frozen import WEIGHT_DTYPES, WeightDtype
from problems import Array, Problem, problem

HALVES: tuple[WeightDtype, ...] = ("bfloat16", "float16")
ERRORS = {"float32": 1e-6, "bfloat16": 2e-2, "float16": 3e-3, "int8": 3e-2, "int8_int8": 6e-2}
ERRORS["bfloat16_bfloat16"] = 3e-2
"""Of h over a few steps with fresh weights; docs/en/guides/frozen.md has measured ones."""
INTEGERS = {"int8": 8128, "int8_int8": 127}
"""What a row of x or h is rounded to at most, where weights are integers."""


@pytest.fixture
def any_isa() -> Iterator[None]:
    """Put the instruction set back that a test changes."""
    before = onecell.isa()
    yield
    onecell.set_isa(before)


def problems() -> st.SearchStrategy[Problem]:
    """Draw float32 problems: blocks of units full and not, one row to more than fit registers."""
    return st.builds(
        problem,
        steps=st.integers(1, 4),
        batch=st.integers(1, 14),
        input_size=st.integers(1, 40),
        hidden_size=st.integers(1, 40),
        bias=st.booleans(),
        seed=st.integers(0, 2**32 - 1),
        scale=st.sampled_from([0.1, 1.0, 8.0]),
    )


weight_dtypes = st.sampled_from(WEIGHT_DTYPES)


def rounded(weights: Weights, name: str) -> Weights:
    """Return the weights with matrices rounded to `name` and widened, biases as they are."""
    arrays = weights.arrays()
    for matrix in ("weight_ih", "weight_hh"):
        arrays[matrix] = widen(Weights.astype(weights, name).arrays()[matrix])
    return Weights(**arrays)


def outputs(cell: LSTMCell | FrozenCell, p: Problem) -> bytes:
    h_all, (h, c) = cell.unroll(p.x, p.state)
    return h_all.tobytes() + h.tobytes() + c.tobytes()


@given(problems())
@settings(deadline=None, max_examples=60)
def test_float32_gives_the_bits_of_the_live_cell(p: Problem) -> None:
    assert outputs(p.cell.freeze(), p) == outputs(p.cell, p)


@given(problems(), st.sampled_from(HALVES))
@settings(deadline=None, max_examples=80)
def test_halves_give_the_bits_of_a_live_cell_with_rounded_weights(
    p: Problem, name: WeightDtype
) -> None:
    live = LSTMCell.from_weights(rounded(p.weights, name))
    assert outputs(p.cell.freeze(name), p) == outputs(live, p)


@given(problems())
@settings(deadline=None, max_examples=80)
def test_both_sides_in_bfloat16_are_near_a_live_cell_that_is_given_them(p: Problem) -> None:
    frozen = p.cell.freeze("bfloat16_bfloat16")
    live = LSTMCell.from_weights(frozen.weights)
    x, h = (in_bfloat16(a) for a in (p.x[0], p.h))
    # Products are the same; each sum of at most 80 of them is rounded in another order.
    most = sum(
        np.abs(row).max() * np.abs(weight).sum(axis=1).max()
        for row, weight in ((x, frozen.weights.weight_ih), (h, frozen.weights.weight_hh))
    )
    near = 80 * 2**-24 * most * (1.5 + np.abs(p.c).max()) + 1e-6
    for got, want in zip(frozen(x, (h, p.c)), live(x, (h, p.c)), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=near)


def test_x_and_h_are_rounded_to_bfloat16_and_c_is_not() -> None:
    p = problem()
    frozen = p.cell.freeze("bfloat16_bfloat16")
    want = frozen(p.x[0], p.state)
    for x, h in ((in_bfloat16(p.x[0]), p.h), (p.x[0], in_bfloat16(p.h))):
        assert [a.tobytes() for a in frozen(x, (h, p.c))] == [a.tobytes() for a in want]
    assert frozen(p.x[0], (p.h, in_bfloat16(p.c)))[1].tobytes() != want[1].tobytes()


def in_bfloat16(array: Array) -> Array:
    return widen(narrow(array, "bfloat16"))


def test_numbers_below_two_to_the_minus_56_are_zero() -> None:
    p, least = problem(), np.float32(2.0**-56)
    below = np.nextafter(least, np.float32(0))
    weights = p.weights.arrays()
    weights["weight_ih"] *= np.float32(2.0**56)
    weights["weight_ih"][:, 3] = [least, below] * 32
    frozen = FrozenCell(Weights(**weights), "bfloat16_bfloat16")
    assert frozen.weights.weight_ih[:, 3].tolist() == [least, 0] * 32
    x = np.zeros_like(p.x[0])
    nothing = frozen(x, p.state)[0].tobytes()
    for size, same in ((below, True), (np.float32(1e-40), True), (least, False)):
        x[:, 1] = size
        assert (frozen(x, p.state)[0].tobytes() == nothing) is same


@given(problems(), st.sampled_from(sorted(INTEGERS)))
@settings(deadline=None, max_examples=60)
def test_integers_are_near_a_live_cell_with_the_stored_weights(p: Problem, name: str) -> None:
    frozen = p.cell.freeze(name)  # type: ignore[arg-type]
    live = LSTMCell.from_weights(frozen.weights)
    x, (h, c) = p.x[0], p.state
    # Half a step of x or h, times the weights of a gate, moves z by so much at most.
    moved = sum(
        np.abs(weight).sum(axis=1).max() * np.abs(row).max(axis=1) / (2 * INTEGERS[name])
        for weight, row in ((frozen.weights.weight_ih, x), (frozen.weights.weight_hh, h))
    )
    near = (moved * (1.5 + np.abs(c).max(axis=1)) + 1e-5)[:, None]
    for got, want in zip(frozen(x, (h, c)), live(x, (h, c)), strict=True):
        assert np.all(np.abs(got - want) <= near)


def test_integers_lose_a_row_that_is_not_finite_and_no_other() -> None:
    p = problem()
    for name in INTEGERS:
        frozen = p.cell.freeze(name)  # type: ignore[arg-type]
        for bad in (np.nan, np.inf, -np.inf):
            x = p.x[0].copy()
            x[1, 2] = bad
            for got, want in zip(frozen(x, p.state), frozen(p.x[0], p.state), strict=True):
                assert np.isnan(got[1]).all()
                assert np.delete(got, 1, 0).tobytes() == np.delete(want, 1, 0).tobytes()


@given(problems())
@settings(deadline=None, max_examples=40)
def test_an_int8_weight_is_within_half_a_step_of_its_row(p: Problem) -> None:
    held = p.cell.freeze("int8").weights
    assert held.same_bits(p.cell.freeze("int8_int8").weights)
    for name in ("weight_ih", "weight_hh"):
        given_, got = p.weights.arrays()[name], held.arrays()[name]
        step = np.abs(given_).max(axis=1, keepdims=True).astype(np.float64) / 127
        assert np.all(np.abs(got.astype(np.float64) - given_) <= step * (0.5 + 2**-8))


@pytest.mark.usefixtures("any_isa")
@given(problems(), weight_dtypes)
@settings(deadline=None, max_examples=40)
def test_instruction_sets_agree(p: Problem, name: WeightDtype) -> None:
    onecell.set_isa("portable")
    frozen = p.cell.freeze(name)
    want = outputs(frozen, p)
    for isa in onecell.available_isas():
        onecell.set_isa(isa)
        assert outputs(frozen, p) == want


@given(problems(), weight_dtypes, st.data())
@settings(deadline=None, max_examples=40)
def test_a_row_does_not_depend_on_the_batch(
    p: Problem, name: WeightDtype, data: st.DataObject
) -> None:
    frozen = p.cell.freeze(name)
    h_all, (_, c) = frozen.unroll(p.x, p.state)
    order = data.draw(st.permutations(range(len(p.h))))
    for chosen in (np.array(order), *np.arange(len(p.h))[:, None]):
        part, (_, c_part) = frozen.unroll(p.x[:, chosen], (p.h[chosen], p.c[chosen]))
        assert part.tobytes() == h_all[:, chosen].tobytes()
        assert c_part.tobytes() == c[chosen].tobytes()


@given(problems(), weight_dtypes)
@settings(deadline=None, max_examples=40)
def test_unrolling_is_stepping(p: Problem, name: WeightDtype) -> None:
    frozen = p.cell.freeze(name)
    h_all, (_, c_last) = frozen.unroll(p.x, p.state)
    h, c = p.state
    for x, want in zip(p.x, h_all, strict=True):
        h, c = frozen(x, (h, c))
        assert h.tobytes() == want.tobytes()
    assert c.tobytes() == c_last.tobytes()


@given(problems(), st.integers(0, 15), st.sampled_from(["dense", "strided", "reversed", "fortran"]))
@settings(deadline=None, max_examples=40)
def test_memory_layout_does_not_matter(p: Problem, offset: int, form: str) -> None:
    frozen = p.cell.freeze("bfloat16")
    want = frozen(p.x[0], p.state)
    x, h, c = (elsewhere(a, offset, form) for a in (p.x[0], p.h, p.c))
    got = frozen(x, (h, c))
    assert [a.tobytes() for a in got] == [a.tobytes() for a in want]


def elsewhere(array: Array, offset: int, form: str) -> Array:
    """Return equal values elsewhere in memory, read-only."""
    if form == "strided":
        store = np.empty((*array.shape[:-1], 3 * array.shape[-1] + offset), array.dtype)
        store = store[..., : 3 * array.shape[-1] : 3]
    elif form == "reversed":
        store = np.empty(array.shape, array.dtype)[..., ::-1, ::-1]
    elif form == "fortran":
        store = np.empty(array.shape, array.dtype, order="F")
    else:
        store = np.empty(array.size + offset, array.dtype)[offset:].reshape(array.shape)
    store[...] = array
    store.flags.writeable = False
    return store


@pytest.mark.parametrize("name", WEIGHT_DTYPES)
def test_outputs_are_near_the_reference(name: WeightDtype) -> None:
    p = problem(6, 5, 33, 47)
    h_all, c_all = reference.unroll(p.weights, p.x, *p.state)
    got, (_, c) = p.cell.freeze(name).unroll(p.x, p.state)
    np.testing.assert_allclose(got, h_all, rtol=0, atol=ERRORS[name])
    np.testing.assert_allclose(c, c_all[-1], rtol=0, atol=4 * ERRORS[name])


@pytest.mark.parametrize("name", WEIGHT_DTYPES)
def test_writing_into_the_live_cell_does_not_reach_it(name: WeightDtype) -> None:
    p = problem()
    cell = p.cell
    frozen = cell.freeze(name)
    before = outputs(frozen, p)
    for array in cell.weights.arrays().values():
        array[...] = 7
    assert outputs(frozen, p) == before
    assert outputs(cell.freeze(name), p) != before


def test_writing_into_what_it_tells_does_not_reach_it() -> None:
    p = problem()
    frozen = p.cell.freeze()
    before = outputs(frozen, p)
    for array in frozen.weights.arrays().values():
        array[...] = 7
    assert outputs(frozen, p) == before


@pytest.mark.parametrize("name", WEIGHT_DTYPES)
@pytest.mark.parametrize("again", [copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_copies_and_pickles_keep_the_bits(name: WeightDtype, again: object) -> None:
    assert callable(again)
    p = problem()
    frozen = p.cell.freeze(name)
    twin = again(frozen)
    assert twin.weight_dtype == name
    assert outputs(twin, p) == outputs(frozen, p)


@given(problems(), weight_dtypes)
@settings(deadline=None, max_examples=30)
def test_freezing_again_changes_nothing(p: Problem, name: WeightDtype) -> None:
    frozen = p.cell.freeze(name)
    assert frozen.freeze(name).weights.same_bits(frozen.weights)


def test_weights_of_halves_are_those_that_checkpoints_round_to() -> None:
    p = problem(scale=1e-6)  # subnormal as float16
    for name in HALVES:
        assert p.cell.freeze(name).weights.same_bits(rounded(p.weights, name))


def test_memory_follows_the_storage() -> None:
    sizes = {name: LSTMCell(64, 256).freeze(name).nbytes for name in WEIGHT_DTYPES}
    elements, rows = 4 * 256 * (64 + 256), 4 * 256
    assert sizes["float32"] == 4 * elements + 8 * rows
    halves = [sizes[name] for name in ("bfloat16", "float16", "bfloat16_bfloat16")]
    assert halves == [2 * elements + 8 * rows] * 3
    assert sizes["int8"] == sizes["int8_int8"] == elements + 16 * rows


def test_repr_tells_what_it_is() -> None:
    assert repr(LSTMCell(3, 5).freeze()) == "FrozenCell(3, 5, weight_dtype='float32')"
    frozen = LSTMCell(3, 5, bias=False).freeze("int8")
    assert repr(frozen) == "FrozenCell(3, 5, bias=False, weight_dtype='int8')"
    assert (frozen.input_size, frozen.hidden_size, frozen.bias) == (3, 5, False)
    assert frozen.dtype == np.float32
    assert frozen.weights.bias_ih is None


def test_a_row_without_a_batch_axis_and_a_state_left_out() -> None:
    p = problem()
    frozen = p.cell.freeze()
    for got, want in zip(frozen(p.x[0, 0]), p.cell(p.x[0, 0]), strict=True):
        assert got.shape == (16,)
        assert got.tobytes() == want.tobytes()
    got_all, _ = frozen.unroll(p.x[:, 0])
    assert got_all.tobytes() == p.cell.unroll(p.x[:, 0])[0].tobytes()


def test_no_steps_and_no_rows() -> None:
    p = problem()
    frozen = p.cell.freeze("int8")
    h_all, (h, c) = frozen.unroll(p.x[:0], p.state)
    assert h_all.shape == (0, 3, 16)
    assert (h.tobytes(), c.tobytes()) == (p.h.tobytes(), p.c.tobytes())
    empty, _ = frozen(p.x[0, :0], (p.h[:0], p.c[:0]))
    assert empty.shape == (0, 16)


@pytest.mark.parametrize("ask", ["vjp", "unroll_vjp"])
def test_gradients_are_refused(ask: str) -> None:
    p = problem()
    with pytest.raises(FrozenError, match="no gradient"):
        getattr(p.cell.freeze(), ask)(p.x[0], p.state)


def test_a_float64_cell_is_refused() -> None:
    with pytest.raises(DtypeError, match=r"computes in float32, and this cell is float64.*astype"):
        LSTMCell(3, 4, dtype=np.float64).freeze()
    with pytest.raises(DtypeError, match="float64"):
        FrozenCell(LSTMCell(3, 4, dtype=np.float64).weights)


@pytest.mark.parametrize("bad", ["float64", "int4", "", None, 8, np.float16])
def test_an_unknown_weight_dtype_is_refused(bad: object) -> None:
    with pytest.raises(ArgumentError, match="`weight_dtype` must be one of float32, bfloat16"):
        LSTMCell(3, 4).freeze(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("float16", 65520),
        ("float16", -1e20),
        ("bfloat16", 3.4e38),
        ("bfloat16_bfloat16", 3.4e38),
        ("int8", np.nan),
        ("int8", -np.inf),
        ("int8", 3e38),
        ("int8_int8", np.nan),
    ],
)
def test_a_weight_that_has_no_such_form_is_refused(name: WeightDtype, value: float) -> None:
    cell = LSTMCell(3, 4)
    cell.weight_hh[5, 2] = value
    with pytest.raises(ArgumentError, match=rf"`weight_hh` must be below .* frozen to {name}"):
        cell.freeze(name)


@pytest.mark.parametrize(
    ("name", "value"), [("float16", 65519), ("bfloat16", 3.38e38), ("int8", 1.6e38)]
)
def test_the_largest_weights_are_held(name: WeightDtype, value: float) -> None:
    cell = LSTMCell(3, 4)
    cell.weight_hh[5, 2] = value
    assert np.isfinite(cell.freeze(name).weights.weight_hh[5, 2])


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16", "bfloat16_bfloat16"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_stay_so(name: WeightDtype, value: float) -> None:
    cell = LSTMCell(3, 4)
    cell.weight_hh[5, 2] = value
    np.testing.assert_equal(cell.freeze(name).weights.weight_hh[5, 2], np.float32(value))


def test_bad_calls_are_those_of_the_live_cell() -> None:
    p = problem()
    frozen = p.cell.freeze()
    with pytest.raises(DtypeError, match="`x` must have dtype float32"):
        frozen(p.x[0].astype(np.float64), p.state)
    with pytest.raises(ShapeError, match=r"`x` must have shape .* I = 10"):
        frozen(p.x[0, :, :-1], p.state)
    with pytest.raises(ShapeError, match="`h_0`"):
        frozen(p.x[0], (p.h[:-1], p.c))
    with pytest.raises(ArgumentError, match="`c_0` is not"):
        frozen(p.x[0], p.h)


def test_inputs_are_never_written() -> None:
    p = problem()
    before = [a.tobytes() for a in (p.x, *p.state)]
    for name in WEIGHT_DTYPES:
        p.cell.freeze(name)(p.x[0], p.state)
        p.cell.freeze(name).unroll(p.x, p.state)
    assert [a.tobytes() for a in (p.x, *p.state)] == before
