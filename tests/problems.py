"""Cells with inputs, states and gradients to try them on: asymmetric sizes, states never zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from onecell import LSTMCell, Spec, Weights

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """One cell, T steps of input, a state, and gradients of a loss by the results."""

    weights: Weights
    x: Array
    h: Array
    c: Array
    grad_h_all: Array
    grad_h_last: Array
    grad_c_last: Array

    @property
    def cell(self) -> LSTMCell:
        return LSTMCell.from_weights(self.weights)

    @property
    def state(self) -> tuple[Array, Array]:
        return self.h, self.c

    @property
    def grads(self) -> tuple[Array, Array, Array]:
        return self.grad_h_all, self.grad_h_last, self.grad_c_last


def problem(
    steps: int = 4,
    batch: int = 3,
    input_size: int = 10,
    hidden_size: int = 16,
    *,
    bias: bool = True,
    dtype: npt.DTypeLike = np.float32,
    seed: int = 0,
    scale: float = 1.0,
) -> Problem:
    """Return a random problem; `scale` stretches the weights, so that gates saturate."""
    rng = np.random.default_rng(seed)
    spec = Spec(input_size, hidden_size, bias, np.dtype(dtype))
    fresh = Weights.random(spec, rng).arrays()
    weights = Weights(**{name: (array * scale).astype(dtype) for name, array in fresh.items()})

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(dtype)

    state = (batch, hidden_size)
    h = rng.uniform(-0.9, 0.9, state).astype(dtype)
    after = normal(steps, *state), normal(*state), normal(*state)
    return Problem(weights, normal(steps, batch, input_size), h, normal(*state), *after)


def problems(max_batch: int = 6, min_batch: int = 1) -> st.SearchStrategy[Problem]:
    """Draw problems whose sizes fill no vector, one, or several."""
    size = st.integers(1, 40)
    return st.builds(
        problem,
        steps=st.integers(1, 5),
        batch=st.integers(min_batch, max_batch),
        input_size=size,
        hidden_size=size,
        bias=st.booleans(),
        dtype=st.sampled_from([np.float32, np.float64]),
        seed=st.integers(0, 2**32 - 1),
        scale=st.sampled_from([0.1, 1.0, 8.0]),
    )


def results(p: Problem) -> dict[str, Array]:
    """Return all that the compiled cell makes of a problem: outputs and every gradient."""
    (h_all, (h_last, c_last)), pullback = p.cell.unroll_vjp(p.x, p.state)
    g = pullback(*p.grads)
    outputs = {"h_all": h_all, "h_last": h_last, "c_last": c_last}
    return outputs | {"x": g.x, "h": g.h, "c": g.c} | g.parameters()


def assert_same_bits(got: dict[str, Array], want: dict[str, Array]) -> None:
    """Fail naming the first array whose type, shape or bits differ."""
    assert got.keys() == want.keys()
    for name, array in got.items():
        assert array.dtype == want[name].dtype, name
        assert array.shape == want[name].shape, name
        assert array.tobytes() == want[name].tobytes(), name
