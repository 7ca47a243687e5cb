"""`onecell.LSTMCell` over arrays, as its docstrings promise."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings

from onecell import LSTMCell, Spec, Weights, reference
from onecell.errors import ArgumentError, DtypeError, ShapeError
from problems import Problem, problem, problems, results

# Sums of up to 80 terms of the order of one, through gates of slope at most one.
TOLERANCE = {np.dtype(np.float32): 3e-5, np.dtype(np.float64): 3e-14}


@given(problems())
@settings(deadline=None, max_examples=60)
def test_agrees_with_the_reference(p: Problem) -> None:
    h_all, c_all = reference.unroll(p.weights, p.x, *p.state)
    g = reference.gradients(p.weights, p.x, *p.state, *p.grads)
    want = {"h_all": h_all, "h_last": h_all[-1], "c_last": c_all[-1], "x": g.x, "h": g.h, "c": g.c}
    for name, right in (want | g.parameters()).items():
        scale = max(1.0, float(np.abs(right).max()))
        error = np.abs(results(p)[name] - right).max()
        assert error <= TOLERANCE[p.x.dtype] * scale, name


@pytest.mark.parametrize("bias", [True, False])
def test_fresh_parameters_are_uniform_within_the_bound(bias: bool) -> None:
    cell = LSTMCell(30, 25, bias, rng=3)
    arrays = cell.weights.arrays()
    assert list(arrays) == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"][: 4 if bias else 2]
    for array in arrays.values():
        assert np.abs(array).max() <= 0.2
        assert np.abs(array).max() > 0.18
        assert abs(array.mean()) < 0.03
    assert (cell.bias_ih is None) == (not bias)


def test_the_same_seed_gives_the_same_cell() -> None:
    assert LSTMCell(3, 4, rng=5).weights.same_bits(LSTMCell(3, 4, rng=5).weights)
    assert not LSTMCell(3, 4, rng=5).weights.same_bits(LSTMCell(3, 4, rng=6).weights)


@pytest.mark.parametrize("sizes", [(3, 5), (100, 33), (300, 200)], ids=str)
def test_parameters_and_large_results_begin_a_line_of_memory(sizes: tuple[int, int]) -> None:
    drawn = LSTMCell(*sizes, rng=1)
    copies = [drawn, LSTMCell.from_weights(drawn.weights), copy.deepcopy(drawn)]
    copies.append(pickle.loads(pickle.dumps(drawn)))
    for cell in copies:
        assert [a.ctypes.data % 64 for a in cell.weights.arrays().values()] == [0] * 4
        assert cell.weights.same_bits(drawn.weights)
    h_all, _ = drawn.unroll(np.zeros((9, 20, sizes[0]), np.float32))
    assert h_all.nbytes < 16384 or h_all.ctypes.data % 64 == 0
    assert h_all.flags.c_contiguous
    assert h_all.flags.writeable


def test_one_row_without_a_batch_axis() -> None:
    p = problem(2, 1)
    h, c = p.cell(p.x[0, 0], (p.h[0], p.c[0]))
    want_h, want_c = p.cell(p.x[0], p.state)
    assert h.shape == c.shape == (16,)
    assert np.array_equal(h, want_h[0])
    assert np.array_equal(c, want_c[0])
    h_all, (h_last, _) = p.cell.unroll(p.x[:, 0], (p.h[0], p.c[0]))
    assert np.array_equal(h_all, p.cell.unroll(p.x, p.state)[0][:, 0])
    assert np.array_equal(h_last, h_all[-1])
    _, pullback = p.cell.vjp(p.x[0, 0], (p.h[0], p.c[0]))
    assert pullback(p.grad_h_last[0]).x.shape == (10,)


def test_no_state_is_the_zero_state() -> None:
    p = problem()
    zeros = np.zeros_like(p.h)
    for state in (None, (None, None)):
        assert np.array_equal(p.cell(p.x[0], state)[0], p.cell(p.x[0], (zeros, zeros))[0])


def test_no_state_meets_infinite_weights_as_zeros_do() -> None:
    cell = problem().cell
    cell.weight_hh[3, 2] = np.inf
    assert np.isnan(cell(np.ones((1, 10), np.float32))[0][0, 3])


def test_state_as_pair_list_or_apart() -> None:
    p = problem()
    want = p.cell(p.x[0], p.state)
    for got in (p.cell(p.x[0], [p.h, p.c]), p.cell(p.x[0], p.h, p.c)):
        assert np.array_equal(got[0], want[0])
        assert np.array_equal(got[1], want[1])


def test_outputs_are_new_arrays() -> None:
    p = problem()
    h_all, (h, c) = p.cell.unroll(p.x, p.state)
    h[...] = c[...] = 7
    assert not np.any(h_all == 7)
    assert not np.any(p.c == 7)


@pytest.mark.parametrize("steps", [0, 3])
def test_an_empty_batch_or_no_steps(steps: int) -> None:
    p = problem(steps, 0 if steps else 2)
    (h_all, (h, c)), pullback = p.cell.unroll_vjp(p.x, p.state)
    assert h_all.shape == p.grad_h_all.shape
    assert np.array_equal(h, p.h)
    assert np.array_equal(c, p.c)
    g = pullback(*p.grads)
    assert not g.weight_ih.any()
    assert np.array_equal(g.h, p.grad_h_last)


def test_writing_into_a_parameter_is_seen_by_the_next_call() -> None:
    p = problem()
    cell = p.cell
    view = cell.weight_hh[5:7]
    view *= 2
    twice = dict(p.weights.arrays())
    twice["weight_hh"] = twice["weight_hh"].copy()
    twice["weight_hh"][5:7] *= 2
    want = LSTMCell.from_weights(Weights(**twice))
    assert np.array_equal(cell(p.x[0], p.state)[0], want(p.x[0], p.state)[0])


def test_assigning_a_parameter_copies_it_in() -> None:
    p, other = problem(seed=1), problem(seed=2)
    cell = p.cell
    for name, array in other.weights.arrays().items():
        setattr(cell, name, array)
    assert cell.weights.same_bits(other.weights)
    assert cell.weight_ih is not other.weights.weight_ih
    cell.weights = p.weights
    assert np.array_equal(cell(p.x[0], p.state)[0], p.cell(p.x[0], p.state)[0])


@pytest.mark.parametrize(
    ("name", "value", "error", "says"),
    [
        ("weight_ih", np.zeros((10, 64), np.float32), ShapeError, "transposed"),
        ("weight_hh", np.zeros((64, 16)), DtypeError, "float64"),
        ("bias_ih", None, ArgumentError, "bias"),
        ("bias_hh", np.zeros(63, np.float32), ShapeError, r"\(4H,\)"),
    ],
)
def test_a_bad_parameter_changes_nothing(
    name: str, value: object, error: type[Exception], says: str
) -> None:
    cell = problem().cell
    with pytest.raises(error, match=says):
        setattr(cell, name, value)
    assert cell.weights.same_bits(problem().weights)


def test_biases_cannot_be_added_later() -> None:
    cell = LSTMCell(3, 4, bias=False)
    cell.bias_ih = None
    with pytest.raises(ArgumentError, match="`bias_ih`"):
        cell.bias_ih = np.zeros(16, np.float32)


def test_weights_of_another_cell_are_refused() -> None:
    with pytest.raises(ArgumentError, match="hidden_size=5"):
        LSTMCell(3, 4).weights = Weights.random(Spec(3, 5))


def through_pickle(cell: LSTMCell) -> LSTMCell:
    again = pickle.loads(pickle.dumps(cell))
    assert isinstance(again, LSTMCell)
    return again


COPIES: list[Callable[[LSTMCell], LSTMCell]] = [copy.copy, copy.deepcopy, through_pickle]


@pytest.mark.parametrize("again", COPIES)
def test_copies_are_equal_and_apart(again: Callable[[LSTMCell], LSTMCell]) -> None:
    cell = problem().cell
    other = again(cell)
    assert other.weights.same_bits(cell.weights)
    other.weight_ih[0, 0] = 7
    assert cell.weight_ih[0, 0] != 7


class Named(LSTMCell):
    """A subclass that keeps something of its own."""

    name = "none"


@pytest.mark.parametrize("again", COPIES)
def test_copies_keep_what_a_subclass_keeps(again: Callable[[LSTMCell], LSTMCell]) -> None:
    cell = Named(3, 4, rng=0)
    cell.name = "encoder"
    other = again(cell)
    assert isinstance(other, Named)
    assert other.name == "encoder"
    assert other.weights.same_bits(cell.weights)


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # NumPy 2.5
def test_a_parameter_reshaped_in_place_is_only_the_callers_view() -> None:
    cell, p = problem().cell, problem()
    cell.weight_ih.shape = (10, 64)
    cell.weights.weight_hh.shape = (16, 64)
    with pytest.raises(ValueError, match="own"):
        cell.weight_hh.resize((1, 1), refcheck=False)
    cell.weight_ih.flags.writeable = False
    _, pullback = cell.vjp(p.x[0], p.state)
    assert pullback(p.grad_h_last).weight_ih.shape == (64, 10)
    cell.weights = problem(seed=1).weights
    assert cell.weights.same_bits(problem(seed=1).weights)


def test_repr_could_be_typed_in() -> None:
    for text in ("LSTMCell(3, 4)", "LSTMCell(3, 4, bias=False, dtype=float64)"):
        cell = LSTMCell(3, 4) if "bias" not in text else LSTMCell(3, 4, False, dtype=np.float64)
        assert repr(cell) == text


def test_a_pullback_may_be_used_twice_and_outlives_its_inputs() -> None:
    p = problem()
    x = p.x.copy()
    (h_all, _), pullback = p.cell.unroll_vjp(x, p.state)
    first = pullback(*p.grads)
    x[...] = h_all[...] = 9
    second = pullback(*p.grads)
    assert np.array_equal(first.weight_ih, second.weight_ih)
    assert np.array_equal(first.x, second.x)


def test_a_missing_gradient_is_zero() -> None:
    p = problem()
    _, pullback = p.cell.vjp(p.x[0], p.state)
    zeros = np.zeros_like(p.h)
    assert np.array_equal(pullback(p.grad_h_last).x, pullback(p.grad_h_last, zeros).x)
    assert not pullback().weight_hh.any()


def test_a_gradient_of_another_shape_is_refused() -> None:
    p = problem()
    _, pullback = p.cell.vjp(p.x[0], p.state)
    with pytest.raises(ShapeError, match="`grad_c_last`"):
        pullback(None, p.c[:1])
