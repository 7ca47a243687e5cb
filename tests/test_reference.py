"""The oracle itself: against its definition, finite differences, and numbers from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onecell import Weights, reference
from problems import Problem, problem

GOLDEN = json.loads((Path(__file__).parent / "golden" / "lstm.json").read_text())
NAMES = {"weight_ih": "w_ih", "weight_hh": "w_hh", "bias_ih": "b_ih", "bias_hh": "b_hh"}


def golden_weights(case: dict[str, Any]) -> Weights:
    given = {name: case.get(short) for name, short in NAMES.items()}
    return Weights(**{n: np.array(a, np.float64) for n, a in given.items() if a is not None})


def loss(p: Problem, **changed: Any) -> float:
    """Return the scalar whose gradients by h_all, the last h and the last c are p's."""
    weights = Weights(**{**p.weights.arrays(), **{k: changed[k] for k in changed if "_" in k}})
    x, h, c = (changed.get(name, getattr(p, name)) for name in ("x", "h", "c"))
    h_all, c_all = reference.unroll(weights, x, h, c)
    by_h = np.sum(h_all * p.grad_h_all) + np.sum(h_all[-1] * p.grad_h_last)
    return float(by_h + np.sum(c_all[-1] * p.grad_c_last))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["x", "h", "c", *NAMES])
def test_gradients_agree_with_finite_differences(name: str, bias: bool) -> None:
    p = problem(3, 2, 3, 4, bias=bias, dtype=np.float64, scale=2.0)
    if name.startswith("bias") and not bias:
        assert getattr(reference.gradients(p.weights, p.x, p.h, p.c), name) is None
        return
    value = getattr(p, name) if len(name) == 1 else getattr(p.weights, name)
    got = getattr(reference.gradients(p.weights, p.x, p.h, p.c, *p.grads), name)
    step = 1e-6
    for index in np.ndindex(value.shape):
        up, down = value.copy(), value.copy()
        up[index] += step
        down[index] -= step
        slope = (loss(p, **{name: up}) - loss(p, **{name: down})) / (2 * step)
        assert got[index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_step_is_the_definition() -> None:
    p = problem(1, 1, 2, 1, dtype=np.float64)
    w = p.weights
    assert w.bias_ih is not None
    assert w.bias_hh is not None
    z = w.weight_ih @ p.x[0, 0] + w.bias_ih + w.weight_hh @ p.h[0] + w.bias_hh
    i, f, o = (1 / (1 + np.exp(-z[k])) for k in (0, 1, 3))
    c = f * p.c[0, 0] + i * np.tanh(z[2])
    h_next, c_next = reference.step(w, p.x[0], p.h, p.c)
    assert c_next[0, 0] == pytest.approx(c, rel=1e-14)
    assert h_next[0, 0] == pytest.approx(o * np.tanh(c), rel=1e-14)


def test_unroll_is_a_loop_over_step() -> None:
    p = problem(dtype=np.float64)
    h, c = p.state
    h_all, c_all = reference.unroll(p.weights, p.x, h, c)
    for t, x in enumerate(p.x):
        h, c = reference.step(p.weights, x, h, c)
        # Not the same bits: all inputs go through the matrix at once.
        np.testing.assert_allclose(h_all[t], h, rtol=0, atol=1e-14)
        np.testing.assert_allclose(c_all[t], c, rtol=0, atol=1e-14)


def test_sigmoid_does_not_overflow() -> None:
    assert reference.sigmoid([-1e308, 0.0, 1e308]).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: str(case["id"]))
def test_agrees_with_published_cases(case: dict[str, Any]) -> None:
    canonical = case["canonical"]
    weights = golden_weights(canonical)
    x = np.array(canonical["x"], np.float64)
    zeros = np.zeros((x.shape[1], weights.hidden_size))
    h, c = (np.array(canonical.get(name, zeros), np.float64) for name in ("h0", "c0"))
    lengths = np.array(canonical.get("lengths", [len(x)] * x.shape[1]))
    y = []
    for t, row in enumerate(x):
        h_next, c_next = reference.step(weights, row, h, c)
        valid = (t < lengths)[:, None]
        h, c = np.where(valid, h_next, h), np.where(valid, c_next, c)
        y.append(h)
    got = {"h_n": h, "c_n": c, "y": np.array(y)}
    for name, want in case["expect"].items():
        np.testing.assert_allclose(got[name], want, case["rtol"], case["atol"], err_msg=name)


@pytest.mark.parametrize("case", GOLDEN["gradient_cases"], ids=lambda case: str(case["id"]))
def test_agrees_with_published_gradients(case: dict[str, Any]) -> None:
    given = {name: np.array(value, np.float64) for name, value in case["inputs"].items()}
    weights = golden_weights(case["inputs"])
    x = given["x"] if given["x"].ndim == 3 else given["x"][None]
    got = reference.gradients(
        weights, x, given["h0"], given["c0"], None, case["grad_h"], case["grad_c"]
    )
    pairs = {"d_x": got.x.reshape(given["x"].shape), "d_h0": got.h, "d_c0": got.c}
    pairs |= {f"d_{NAMES[name]}": array for name, array in got.parameters().items()}
    for name, array in pairs.items():
        np.testing.assert_allclose(array, case["expect"][name], 0, 1e-11, err_msg=name)
