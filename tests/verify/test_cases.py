"""The parity case: fixed by the weights, never zero, never alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecell.spec import Spec
from onecell.verify import Case, make_case
from onecell.weights import Weights


def _weights(inputs: int = 5, hidden: int = 4, *, gain: float = 1.0, bias: bool = True) -> Weights:
    drawn = Weights.random(Spec(inputs, hidden, bias), 0)
    return Weights(**{n: (a * gain).astype(np.float32) for n, a in drawn.arrays().items()})


def test_same_weights_give_the_same_case() -> None:
    first, second = make_case(_weights()), make_case(_weights())
    for name in Case.__slots__:
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def test_no_state_is_zero() -> None:
    case = make_case(_weights())
    assert np.all(case.h != 0)
    assert np.all(case.c != 0)


def test_a_denormal_is_among_the_states() -> None:
    smallest = np.abs(make_case(_weights()).c).min()
    assert 0 < smallest < np.finfo(np.float32).tiny


@given(inputs=st.integers(1, 9), hidden=st.integers(1, 9))
def test_the_batch_is_neither_size(inputs: int, hidden: int) -> None:
    case = make_case(_weights(inputs, hidden), rollout_steps=2)
    assert case.h.shape[0] not in {inputs, hidden}


@pytest.mark.parametrize("gain", [1e-4, 1.0, 1e4])
def test_inputs_are_scaled_to_where_gates_respond(gain: float) -> None:
    weights = _weights(40, 30, gain=gain, bias=False)
    z = make_case(weights).x[0, 0] @ weights.weight_ih.T
    assert 0.3 < z.std() < 3


@pytest.mark.parametrize("gain", [300.0, 1e4])
def test_in_some_rows_large_biases_are_taken_back(gain: float) -> None:
    weights = _weights(40, 30, gain=gain)
    case = make_case(weights)
    z = case.x[0] @ weights.weight_ih.T + case.h @ weights.weight_hh.T
    z += sum(array for name, array in weights.arrays().items() if "bias" in name)
    units = np.sum(np.all(np.abs(z.reshape(-1, 4, 30)) < 8, axis=1), axis=1)
    assert list(units[[0, 4]]) == [8, 8]
    assert np.all(np.abs(case.x[0, [0, 4]]) < 100)


def test_ordinary_biases_change_no_input() -> None:
    weights = _weights(40, 30)
    without = Weights(weights.weight_ih, weights.weight_hh)
    assert np.array_equal(make_case(weights).x, make_case(without).x)


def test_a_side_cannot_write_into_the_case() -> None:
    case = make_case(_weights())
    with pytest.raises(ValueError, match="read-only"):
        case.h[0, 0] = 1


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_weights_without_a_scale_still_get_a_case(value: float) -> None:
    arrays = {n: np.full_like(a, value) for n, a in _weights().arrays().items()}
    assert np.all(np.isfinite(make_case(Weights(**arrays)).x))
