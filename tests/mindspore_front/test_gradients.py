"""Gradients: against the float64 reference, MindSpore's own cell, and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

import onecell.reference
from mindspore_cells import by_loop, by_unroll, of_mindspore, ours, results, step_inputs, tensor
from problems import Array, Problem, problem

# Sums of about a hundred float32 products of size 1; MindSpore's own tanh is off by up to 1e-4.
CLOSE = {np.dtype(np.float32): 2e-5, np.dtype(np.float64): 1e-12}
CLOSE_TO_MINDSPORE = 5e-4


def assert_close(got: dict[str, Array], want: dict[str, Array], tolerance: float) -> None:
    assert got.keys() == want.keys()
    for name, array in got.items():
        np.testing.assert_allclose(array, want[name], rtol=tolerance, atol=tolerance, err_msg=name)


def reference(p: Problem) -> dict[str, Array]:
    h_all, c_all = onecell.reference.unroll(p.weights, p.x, p.h, p.c)
    g = onecell.reference.gradients(p.weights, p.x, p.h, p.c, *p.grads)
    outputs = {"h_all": h_all, "h_last": h_all[-1], "c_last": c_all[-1]}
    return outputs | {"x": g.x, "h": g.h, "c": g.c} | g.parameters()


@pytest.mark.parametrize("run", [by_loop, by_unroll])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_agree_with_the_reference(bias: bool, dtype: Any, run: Any) -> None:
    p = problem(bias=bias, dtype=dtype)
    assert_close(results(p, ours(p), run), reference(p), CLOSE[np.dtype(dtype)])


@pytest.mark.parametrize("bias", [True, False])
def test_gradients_agree_with_mindspores_own_cell(bias: bool) -> None:
    p = problem(bias=bias)
    own = results(p, of_mindspore(p), by_loop)
    assert_close(results(p, ours(p), by_unroll), own, CLOSE_TO_MINDSPORE)


def test_agreement_would_show_two_swapped_gates() -> None:
    p = problem()
    cell = ours(p)
    i, f, g, o = np.split(p.weights.weight_ih, 4)
    cell.weight_ih.set_data(tensor(np.concatenate([f, i, g, o])))
    with pytest.raises(AssertionError):
        assert_close(results(p, cell, by_loop), reference(p), CLOSE_TO_MINDSPORE)


def test_frozen_parameters_get_no_gradient_and_change_none() -> None:
    p = problem()
    every = results(p, ours(p), by_unroll)
    cell = ours(p)
    cell.weight_ih.requires_grad = False
    cell.bias_hh.requires_grad = False
    x, h, c = tensor(p.x), tensor(p.h), tensor(p.c)
    by_all, by_h, by_c = (tensor(a) for a in p.grads)

    def value(x: Tensor) -> Any:
        h_all, (h_last, c_last) = cell.unroll(x, (h, c))
        return (h_all * by_all).sum() + (h_last * by_h).sum() + (c_last * by_c).sum()

    _, (weight_hh, bias_ih) = ms.grad(value, 0, cell.trainable_params())(x)
    np.testing.assert_array_equal(weight_hh.asnumpy(), every["weight_hh"])
    np.testing.assert_array_equal(bias_ih.asnumpy(), every["bias_ih"])


def test_only_one_result_in_the_loss() -> None:
    p = problem(1)
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    by_h = ms.grad(lambda c: cell(x, (h, c))[0].sum())(c)
    by_c = ms.grad(lambda c: cell(x, (h, c))[1].sum())(c)
    ones = np.ones_like(p.h)
    for got, grads in ((by_h, (None, ones, None)), (by_c, (None, None, ones))):
        want = onecell.reference.gradients(p.weights, p.x, p.h, p.c, *grads).c
        np.testing.assert_allclose(got.asnumpy(), want, rtol=0, atol=1e-6)


def test_nothing_is_recorded_where_gradients_are_stopped() -> None:
    p = problem(1)
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    stopped = ms.grad(lambda x: cell(ms.ops.stop_gradient(x), (h, c))[0].sum())(x)
    assert not stopped.asnumpy().any()


def test_writing_into_a_result_spoils_no_gradient() -> None:
    p = problem(1)
    cell, (x, (h, c)) = ours(p), step_inputs(p)

    def value(c: Tensor, spoil: bool) -> Any:
        h_next, c_next = cell(x, (h, c))
        total = h_next.sum() + c_next.sum()
        if spoil:
            c_next.asnumpy()[...] = 1.5
        return total

    clean, spoiled = ms.grad(value)(c, False), ms.grad(value)(c, True)
    assert clean.asnumpy().tobytes() == spoiled.asnumpy().tobytes()


def test_an_input_written_before_the_way_back_raises() -> None:
    p = problem(1)
    cell, (x, (h, c)) = ours(p), step_inputs(p)

    def value(c: Tensor) -> Any:
        doubled = c * 2
        total = cell(x, (h, doubled))[1].sum()
        doubled[...] = 1.5
        return total

    with pytest.raises(RuntimeError, match="in-place"):
        ms.grad(value)(c)


@pytest.mark.parametrize("method", ["step", "unroll"])
def test_gradients_of_gradients_agree_with_finite_differences(method: str) -> None:
    p = problem(2, 2, 3, 5, dtype=np.float64)
    cell = ours(p)
    x, h, c = tensor(p.x), tensor(p.h), tensor(p.c)
    x = x if method == "unroll" else x[0]
    rng = np.random.default_rng(1)
    along = [tensor(rng.standard_normal(t.shape)) for t in (x, h, c)]

    def value(x: Tensor, h: Tensor, c: Tensor) -> Any:
        if method == "step":
            h_next, c_next = cell(x, (h, c))
            return (h_next * h_next).sum() + (c_next * c_next * c_next).sum()
        h_all, (h_last, c_last) = cell.unroll(x, (h, c))
        return (h_all * h_all).sum() + (h_last * c_last * c_last).sum()

    def slope(x: Tensor, h: Tensor, c: Tensor) -> Any:
        grads = ms.grad(value, (0, 1, 2))(x, h, c)
        return sum((g * a).sum() for g, a in zip(grads, along, strict=True))

    second = ms.grad(slope, (0, 1, 2))(x, h, c)
    got = sum((g * a).sum() for g, a in zip(second, along, strict=True))
    step = 1e-5
    ahead = slope(*(t + step * a for t, a in zip((x, h, c), along, strict=True)))
    behind = slope(*(t - step * a for t, a in zip((x, h, c), along, strict=True)))
    want = (ahead.asnumpy() - behind.asnumpy()) / (2 * step)
    np.testing.assert_allclose(got.asnumpy(), want, rtol=1e-6)


Form = Callable[[Any, Problem], tuple[Callable[..., Any], tuple[Tensor, ...]]]


def of_step(cell: Any, p: Problem) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    def value(x: Tensor, h: Tensor, c: Tensor) -> Any:
        h_next, c_next = cell(x, (h, c))
        return h_next * c_next

    x, (h, c) = step_inputs(p)
    return value, (x, h, c)


def of_steps(cell: Any, p: Problem) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    def value(x: Tensor, h: Tensor, c: Tensor) -> Any:
        total = c * 0
        for t in range(3):
            h, c = cell(x[t], (h, c))
            total = total + h
        return total * c

    return value, (tensor(p.x), tensor(p.h), tensor(p.c))


def of_unroll(cell: Any, p: Problem) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    def value(x: Tensor, h: Tensor, c: Tensor) -> Any:
        h_all, (_, c_last) = cell.unroll(x, (h, c))
        return h_all.sum(0) * c_last

    return value, (tensor(p.x), tensor(p.h), tensor(p.c))


def jvp(value: Any, given: Any) -> Any:
    return ms.jvp(value, given, given)[1]


def jacfwd(value: Any, given: Any) -> Any:
    return ms.jacfwd(value, (0, 1))(*given)


def jacrev(value: Any, given: Any) -> Any:
    return ms.jacrev(value, (0, 1))(*given)


def slope_of(value: Any) -> Any:
    def total(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return value(x, h, c).sum()

    def slope(x: Tensor, h: Tensor, c: Tensor) -> Any:
        by_x, by_h, by_c = ms.grad(total, (0, 1, 2))(x, h, c)
        return (by_x * by_x).sum() + (by_h * by_c).sum()

    return slope


def jvp_of_gradient(value: Any, given: Any) -> Any:
    return ms.jvp(slope_of(value), given, given)[1]


def compiled_second(value: Any, given: Any) -> Any:
    return ms.jit(ms.grad(slope_of(value), (0, 1, 2)))(*given)


def second_of_compiled(value: Any, given: Any) -> Any:
    compiled = ms.jit(value)
    return ms.grad(slope_of(compiled), (0, 1, 2))(*given)


TRANSFORMS = [jvp, jacfwd, jacrev, jvp_of_gradient, compiled_second, second_of_compiled]


@pytest.mark.parametrize(
    ("transform", "bias"),
    [*((t, True) for t in TRANSFORMS), (jvp, False), (compiled_second, False)],
)
def test_transforms_of_a_step_are_those_of_mindspores_own_cell(transform: Any, bias: bool) -> None:
    p = problem(1, 2, 3, 4, bias=bias)
    assert_transformed_alike(transform, p, of_step, of_step)


@pytest.mark.parametrize(("transform", "bias"), [(jvp, True), (compiled_second, False)])
def test_transforms_of_an_unroll_are_those_of_mindspores_steps(transform: Any, bias: bool) -> None:
    p = problem(3, 2, 3, 4, bias=bias)
    assert_transformed_alike(transform, p, of_unroll, of_steps)


def assert_transformed_alike(transform: Any, p: Problem, mine: Form, own: Form) -> None:
    got, want = transform(*mine(ours(p), p)), transform(*own(of_mindspore(p), p))
    if isinstance(got, Tensor):
        got, want = (got,), (want,)
    for a, b in zip(got, want, strict=True):
        assert b.asnumpy().any()
        np.testing.assert_allclose(
            a.asnumpy(), b.asnumpy(), rtol=CLOSE_TO_MINDSPORE, atol=CLOSE_TO_MINDSPORE
        )


def test_vmap_maps() -> None:
    p = problem(2)
    cell, (h, c) = ours(p), (tensor(p.h), tensor(p.c))

    def value(x: Tensor) -> Any:
        h_next, c_next = cell(x, (h, c))
        return h_next + c_next

    mapped = ms.vmap(value)(tensor(p.x))
    for t in range(2):
        assert mapped[t].asnumpy().tobytes() == value(tensor(p.x[t])).asnumpy().tobytes()


def test_vjp_pulls_back() -> None:
    p = problem(1)
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    ones = ms.ops.ones_like(h)
    _, pull = ms.vjp(lambda x: cell(x, (h, c))[0], x)
    want = ms.grad(lambda x: cell(x, (h, c))[0].sum())(x)
    assert pull(ones)[0].asnumpy().tobytes() == want.asnumpy().tobytes()


@pytest.mark.parametrize("mode", [None, "ast", "bytecode"])
def test_an_empty_batch_gives_zero_gradients(mode: str | None) -> None:
    p = problem(batch=0)
    found = results(p, ours(p), by_unroll, wrap=mode and (lambda f: ms.jit(f, capture_mode=mode)))
    assert found["x"].shape == (4, 0, 10)
    for name in p.weights.arrays():
        assert not found[name].any()
        assert found[name].shape == getattr(p.weights, name).shape
