"""Same bits: every way through torch gives what the cell over arrays gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from problems import Problem, assert_same_bits, problem, problems
from problems import results as array_results
from torch_cells import State, by_loop, by_unroll, ours, results, step_inputs


@given(problems(min_batch=0))
@settings(max_examples=40, deadline=None)
def test_unroll_has_the_bits_of_arrays(p: Problem) -> None:
    assert_same_bits(results(p, ours(p), by_unroll), array_results(p))


@given(problems())
@settings(max_examples=40, deadline=None)
def test_loop_has_the_bits_of_arrays_gradients_and_all(p: Problem) -> None:
    # torch adds the steps' gradients of a parameter up from the last step to the first, as the
    # kernel does; and a state's two gradients commute.
    assert_same_bits(results(p, ours(p), by_loop), array_results(p))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("run", [by_unroll, by_loop])
def test_recording_a_gradient_changes_no_bit(run: Any, bias: bool, dtype: Any) -> None:
    p = problem(bias=bias, dtype=dtype)
    x, h, c = (torch.from_numpy(a) for a in (p.x, p.h, p.c))
    recorded = run(ours(p), x, (h, c))
    with torch.no_grad():
        plain = run(ours(p), x, (h, c))
    with torch.inference_mode():
        inferred = run(ours(p), x, (h, c))
    for got in (plain, inferred):
        assert torch.equal(recorded[0], got[0])
        assert torch.equal(recorded[1][1], got[1][1])


@pytest.mark.parametrize("compiler", ["aot_eager", "inductor"])
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")
def test_compiled_has_the_bits_of_arrays(compiler: str) -> None:
    p = problem()

    def run(cell: Any, x: Tensor, state: State) -> Any:
        unroll: Any = torch.compile(cell.unroll, fullgraph=True, backend=compiler)
        return unroll(x, state)

    assert_same_bits(results(p, ours(p), run), array_results(p))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_a_compiled_loop_has_the_bits_of_arrays() -> None:
    p = problem(steps=3)

    def run(cell: Any, x: Tensor, state: State) -> Any:
        step: Any = torch.compile(cell, fullgraph=True, backend="aot_eager")
        return by_loop(step, x, state)

    assert_same_bits(results(p, ours(p), run), array_results(p))


def test_first_gradients_have_the_same_bits_with_create_graph() -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    x.requires_grad_()
    h, c = cell(x, state)
    loss = (h * h + c.sin()).sum()
    plain = torch.autograd.grad(loss, [x, *cell.parameters()], retain_graph=True)
    again = torch.autograd.grad(loss, [x, *cell.parameters()], create_graph=True)
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))


def strided(t: Tensor) -> Tensor:
    wide = torch.full((*t.shape[:-1], 2 * t.shape[-1]), torch.nan, dtype=t.dtype)
    wide[..., ::2] = t
    return wide[..., ::2]


def transposed(t: Tensor) -> Tensor:
    return t.T.contiguous().T


def misaligned(t: Tensor) -> Tensor:
    raw = bytearray(t.numel() * t.element_size() + 1)
    apart = torch.frombuffer(raw, dtype=t.dtype, offset=1, count=t.numel()).reshape(t.shape)
    return apart.copy_(t)


@pytest.mark.parametrize("lay", [strided, transposed, misaligned])
@pytest.mark.parametrize("recording", [False, True])
def test_memory_layout_changes_no_bit(lay: Any, recording: bool, kernel: Any) -> None:
    p = problem()
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    want = cell(x, (h, c))
    for parameter in cell.parameters():
        parameter.data = lay(parameter.detach()) if parameter.dim() == 2 else parameter.detach()
    with torch.set_grad_enabled(recording):
        got = cell(lay(x), (lay(h), lay(c)))
    assert torch.equal(got[0], want[0])
    assert torch.equal(got[1], want[1])
    assert kernel.calls == 2


def test_gradients_of_any_layout_change_no_bit(kernel: Any) -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    h, c = cell(x, state)
    by_h, by_c = torch.from_numpy(p.grad_h_last), torch.from_numpy(p.grad_c_last)
    parameters = tuple(cell.parameters())
    want = torch.autograd.grad((h, c), parameters, (by_h, by_c), retain_graph=True)
    ways = ((strided(by_h), transposed(by_c)), (by_h, misaligned(by_c)))
    for grads in ways:
        got = torch.autograd.grad((h, c), parameters, grads, retain_graph=True)
        assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))
    # What is misaligned takes the longer way, which computes the step once more.
    assert kernel.calls == 5


def test_unbatched_call_has_the_bits_of_a_batch_of_one() -> None:
    p = problem(batch=1)
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    want = cell(x, (h, c))
    got = cell(x[0], (h[0], c[0]))
    assert torch.equal(got[0], want[0][0])
    assert torch.equal(got[1], want[1][0])


def test_omitted_state_is_zero() -> None:
    p = problem()
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    zeros = (torch.zeros_like(h), torch.zeros_like(c))
    for got, want in zip(cell(x), cell(x, zeros), strict=True):
        assert torch.equal(got, want)


def test_state_may_be_given_three_ways() -> None:
    p = problem()
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    want = cell(x, (h, c))
    ways = (cell(x, [h, c]), cell(x, h, c), cell(x, h, c_0=c), cell(input=x, hx=(h, c)))
    assert all(torch.equal(a, b) for got in ways for a, b in zip(got, want, strict=True))


def test_inputs_are_not_written() -> None:
    p = problem()
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    before = [t.clone() for t in (x, h, c, *cell.parameters())]
    sum(t.sum() for t in cell(x, (h, c))).backward()
    after = (x, h, c, *cell.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_default_device_does_not_leave_the_kernel() -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    want = cell(x, state)
    with torch.device("cpu"):
        got = cell(x, state)
    assert torch.equal(got[0], want[0])


def test_no_steps_leave_the_state_and_no_alias_of_it() -> None:
    p = problem()
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    h_all, (h_last, c_last) = cell.unroll(x[None][:0], (h, c))
    assert h_all.shape == (0, *h.shape)
    assert torch.equal(h_last, h)
    assert torch.equal(c_last, c)
    assert h_last.data_ptr() != h.data_ptr()
