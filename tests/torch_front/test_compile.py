"""Compiled graphs call the kernel through its operators, in one piece."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend
from torch.func import grad, vmap

from onecell.torch import LSTMCell
from problems import problem
from torch_cells import by_loop, of_torch, ours, step_inputs

P = problem()
X, STATE = step_inputs(P)


def compiled(function: Any) -> Any:
    return torch.compile(function, fullgraph=True, backend="aot_eager")


@pytest.fixture(autouse=True)
def fresh_compiler() -> None:
    """Forget what was compiled."""
    torch.compiler.reset()


def assert_same(got: Any, want: Any) -> None:
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize("recording", [True, False])
def test_a_compiled_cell_calls_the_kernel(recording: bool, kernel: Any) -> None:
    cell = ours(P)
    want = cell(X, STATE)
    with torch.set_grad_enabled(recording):
        got = compiled(cell)(X, STATE)
    assert_same(got, want)
    assert kernel.calls == 2
    assert got[0].requires_grad == recording


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x, s: m(x),
        lambda m, x, s: m(x, [s[0], s[1]]),
        lambda m, x, s: m(x, s[0], s[1]),
        lambda m, x, s: m(x[0], (s[0][0], s[1][0])),
        lambda m, x, s: m(x.T.contiguous().T, s),
        lambda m, x, s: m.unroll(torch.stack([x, -x]), s)[1],
        lambda m, x, s: m.unroll(torch.stack([x[0], -x[0]]))[1],
    ],
)
def test_every_spelling_compiles_to_the_same_bits(call: Any) -> None:
    cell = ours(P)
    assert_same(compiled(lambda x, s: call(cell, x, s))(X, STATE), call(cell, X, STATE))


def test_hooks_run_in_a_compiled_unroll() -> None:
    cell = ours(P)
    cell.register_forward_hook(lambda _, args, out: (out[0] / 2, out[1]))
    xs = torch.from_numpy(P.x)[:2]
    assert torch.equal(compiled(cell.unroll)(xs, STATE)[0], by_loop(cell, xs, STATE)[0])


def test_the_operator_for_inference_refuses_to_be_recorded() -> None:
    cell = ours(P)
    with pytest.raises(RuntimeError, match="cannot be differentiated"):
        torch.ops.onecell.step(X, *STATE, *cell.parameters())


def test_a_cell_without_biases_compiles() -> None:
    cell = LSTMCell(10, 16, bias=False)
    (got,) = torch.autograd.grad(compiled(cell)(X, STATE)[0].sum(), cell.weight_ih)
    (want,) = torch.autograd.grad(cell(X, STATE)[0].sum(), cell.weight_ih)
    assert torch.equal(got, want)


def test_a_loop_compiles_to_one_graph() -> None:
    counter = CompileCounterWithBackend("aot_eager")
    cell = ours(P)
    run = torch.compile(lambda x, s: by_loop(cell, x, s), fullgraph=True, backend=counter)
    xs = torch.from_numpy(P.x)
    got, want = run(xs, STATE), by_loop(cell, xs, STATE)
    assert torch.equal(got[0], want[0])
    assert counter.frame_count == 1


def test_another_batch_compiles_once_more_at_most() -> None:
    counter = CompileCounterWithBackend("aot_eager")
    cell = ours(P)
    run = torch.compile(cell, fullgraph=True, backend=counter)
    for batch in (3, 5, 6, 7):
        x, h = torch.randn(batch, 10), torch.randn(batch, 16)
        assert_same(run(x, (h, -h)), cell(x, (h, -h)))
    assert counter.frame_count <= 2


def test_compiled_weights_are_never_stale() -> None:
    cell = ours(P)
    run = compiled(cell)
    run(X, STATE)
    cell.weight_hh.data.mul_(2)
    assert_same(run(X, STATE), cell(X, STATE))


def test_wrong_shapes_raise_when_compiled() -> None:
    with pytest.raises(Exception, match="`input` must have I = 10"):
        compiled(ours(P))(X[:, :4], STATE)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_other_dtypes_compile_by_torch_s_operator(dtype: torch.dtype, no_kernel: Any) -> None:
    cell = ours(P).to(dtype)
    x, state = X.to(dtype), (STATE[0].to(dtype), STATE[1].to(dtype))
    torch.testing.assert_close(compiled(cell)(x, state), of_torch(P).to(dtype)(x, state))


def test_autocast_compiles_by_torch_s_operator(no_kernel: Any) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, want = compiled(ours(P))(X, STATE), of_torch(P)(X, STATE)
    torch.testing.assert_close(got, want, rtol=1e-2, atol=1e-2)


def test_transforms_inside_compile_by_torch_s_operators(no_kernel: Any) -> None:
    cell, theirs = ours(P), of_torch(P)

    def loss(x: Tensor) -> Tensor:
        out: Tensor = cell(x, STATE)[0].square().sum()
        return out

    def by_grad(x: Tensor) -> Any:
        return grad(loss)(x)

    def by_vmap(x: Tensor) -> Any:
        return vmap(lambda row: cell(row, None))(x)

    want = grad(lambda x: theirs(x, STATE)[0].square().sum())(X)
    torch.testing.assert_close(compiled(by_grad)(X), want)
    torch.testing.assert_close(compiled(by_vmap)(X), theirs(X))


def test_memory_that_was_shrunk_raises_when_compiled() -> None:
    cell, x = ours(P), X[None].clone()
    run = compiled(cell.unroll)
    run(x, STATE)
    x.untyped_storage().resize_(8)
    with pytest.raises(RuntimeError, match="storage"):
        run(x, STATE)


def test_second_gradients_of_a_compiled_cell_are_refused() -> None:
    x = X.clone().requires_grad_()
    out = compiled(ours(P))(x, STATE)[0].square().sum()
    with pytest.raises(RuntimeError, match="does not currently support double backward"):
        torch.autograd.grad(torch.autograd.grad(out, x, create_graph=True)[0].sum(), x)
