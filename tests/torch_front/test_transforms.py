"""Transforms, modes and tracers: an honest answer each time, never a silent wrong one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.autograd import forward_ad
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from problems import problem
from torch_cells import by_loop, of_torch, ours, step_inputs

# torch compiles its own rules for forward derivatives with torch.jit.script.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.* is deprecated:DeprecationWarning")

P = problem(dtype="float64")
X, STATE = step_inputs(P)
MINE, THEIRS = ours(P), of_torch(P)


def assert_close(got: Any, want: Any) -> None:
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)


def h_of(cell: Any) -> Any:
    return lambda x: cell(x, STATE)[0]


def loss_of(cell: Any) -> Any:
    return lambda x: cell(x, STATE)[0].square().sum()


@pytest.mark.parametrize("transform", [grad, jacrev, jacfwd, hessian])
def test_derivatives_by_func_are_those_of_torch(transform: Any) -> None:
    of = h_of if transform in (jacrev, jacfwd) else loss_of
    assert_close(transform(of(MINE))(X), transform(of(THEIRS))(X))


def test_jvp_gives_the_tangent() -> None:
    direction = torch.ones_like(X)
    got = jvp(h_of(MINE), (X,), (direction,))
    assert_close(got, jvp(h_of(THEIRS), (X,), (direction,)))
    assert got[1].abs().max() > 0


@pytest.mark.parametrize("place", ["x", "h", "c", "weight_hh"])
def test_dual_numbers_carry_their_tangent(place: str) -> None:
    tangents = []
    for cell in (MINE, THEIRS):
        named = {"x": X, "h": STATE[0], "c": STATE[1], "weight_hh": cell.weight_hh.detach()}
        with forward_ad.dual_level():
            named[place] = forward_ad.make_dual(named[place], torch.ones_like(named[place]))
            call = (named["x"], (named["h"], named["c"]))
            h, _ = functional_call(cell, {"weight_hh": named["weight_hh"]}, call)
            tangents.append(forward_ad.unpack_dual(h).tangent)
    assert tangents[0] is not None
    assert_close(tangents[0], tangents[1])


def test_forward_over_reverse_carries_the_tangent() -> None:
    found = []
    for cell in (MINE, THEIRS):
        x = X.clone().requires_grad_()
        out = cell(x, STATE)[0]
        with forward_ad.dual_level():
            seed = forward_ad.make_dual(torch.ones_like(out), out.detach())
            (by_x,) = torch.autograd.grad(out, x, seed)
            found.append(forward_ad.unpack_dual(by_x).tangent)
    assert_close(found[0], found[1])


def test_unroll_carries_tangents() -> None:
    xs = torch.from_numpy(P.x)
    got = jvp(lambda x: MINE.unroll(x, STATE)[0], (xs,), (torch.ones_like(xs),))
    assert_close(got, jvp(lambda x: by_loop(THEIRS, x, STATE)[0], (xs,), (torch.ones_like(xs),)))


@pytest.mark.parametrize("batched_state", [True, False])
def test_vmap_is_a_loop(batched_state: bool) -> None:
    xs = torch.from_numpy(P.x)
    state = tuple(torch.stack([s, -s, s, s]) if batched_state else s for s in STATE)
    dims = (0, 0 if batched_state else None)
    got = vmap(MINE, dims)(xs, state)
    each = [tuple(s[i] for s in state) if batched_state else state for i in range(len(xs))]
    want = [THEIRS(x, s) for x, s in zip(xs, each, strict=True)]
    assert_close(got, tuple(torch.stack(t) for t in zip(*want, strict=True)))


def test_vmap_over_rows_of_unbatched_calls() -> None:
    assert_close(vmap(lambda x, h, c: MINE(x, (h, c)))(X, *STATE), THEIRS(X, STATE))


def test_vmap_over_unroll() -> None:
    xs = torch.from_numpy(P.x)
    got = vmap(lambda x: MINE.unroll(x)[0], in_dims=1, out_dims=1)(xs)
    assert_close(got, MINE.unroll(xs)[0])


def test_gradients_of_each_sample() -> None:
    found = []
    for cell in (MINE, THEIRS):

        def loss(parameters: Any, x: Tensor, h: Tensor, c: Tensor, cell: Any = cell) -> Tensor:
            out: Tensor = functional_call(cell, parameters, (x, (h, c)))[0].square().sum()
            return out

        parameters = {n: p.detach() for n, p in cell.named_parameters()}
        found.append(vmap(grad(loss), (None, 0, 0, 0))(parameters, X, *STATE))
    assert_close(found[0], found[1])


def test_functional_call_uses_the_given_parameters(kernel: Any) -> None:
    other = {n: p.detach() * 2 for n, p in MINE.named_parameters()}
    got = functional_call(MINE, other, (X, STATE))
    assert_close(got, functional_call(THEIRS, other, (X, STATE)))
    assert kernel.calls == 1


def test_vectorised_jacobian() -> None:
    jacobian: Any = torch.autograd.functional.jacobian
    assert_close(jacobian(h_of(MINE), X, vectorize=True), jacobian(h_of(THEIRS), X))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_is_torch_s(dtype: torch.dtype, no_kernel: Any) -> None:
    p = problem()
    x, state = step_inputs(p)
    with torch.autocast("cpu", dtype=dtype):
        got, want = ours(p)(x, state), of_torch(p)(x, state)
        steps = ours(p).unroll(x[None], state)
    torch.testing.assert_close(got, want, rtol=0, atol=0)
    torch.testing.assert_close(steps[1], want, rtol=0, atol=0)


def test_autocast_of_another_device_leaves_the_kernel_alone(kernel: Any) -> None:
    torch.set_autocast_enabled("cuda", True)
    try:
        MINE(X, STATE)
    finally:
        torch.set_autocast_enabled("cuda", False)
    assert kernel.calls == 1


def test_backward_inside_autocast_is_not_rounded(kernel: Any) -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    want = torch.autograd.grad(cell(x, state)[0].sum(), cell.weight_ih)[0]
    out = cell(x, state)[0].sum()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = torch.autograd.grad(out, cell.weight_ih, create_graph=True)[0]
    assert torch.equal(got, want)


def test_fake_tensors_have_shapes_and_no_memory(no_kernel: Any) -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):
        h, c = MINE(torch.ones(5, 10, dtype=torch.float64))
        h_all, _ = MINE.unroll(torch.ones(2, 5, 10, dtype=torch.float64))
    assert (h.shape, c.shape, h_all.shape) == ((5, 16), (5, 16), (2, 5, 16))


def test_a_counter_of_operations_counts_what_it_counts_in_torch(no_kernel: Any) -> None:
    counts = []
    for cell in (MINE, THEIRS):
        with FlopCounterMode(display=False) as counter:
            cell(X, STATE)
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 0


def test_a_counter_sees_the_way_back_too() -> None:
    counts = []
    for cell in (MINE, THEIRS):
        out = cell(X, STATE)[0].sum()
        with FlopCounterMode(display=False) as counter:
            out.backward()
        counts.append(counter.get_total_flops())
    assert min(counts) > 0


def test_a_function_mode_sees_torch_s_operator(no_kernel: Any) -> None:
    seen = []

    class Watch(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            seen.append(func)
            return func(*args, **(kwargs or {}))

    with Watch():
        MINE(X, STATE)
    assert torch.lstm_cell in seen


def test_make_fx_records_operators(no_kernel: Any) -> None:
    graph = make_fx(lambda x: MINE(x, STATE))(X)
    assert_close(graph(-X), THEIRS(-X, STATE))


class Twice(torch.nn.Module):
    def __init__(self, cell: torch.nn.LSTMCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        h, c = self.cell(x, (h, c))
        return self.cell(x, (h, c))


def test_torch_fx_keeps_the_cell_as_a_leaf(kernel: Any) -> None:
    graph = torch.fx.symbolic_trace(Twice(MINE))
    kinds = [node.op for node in graph.graph.nodes]
    assert kinds.count("call_module") == 2
    assert_close(graph(X, *STATE), Twice(THEIRS)(X, *STATE))
    assert kernel.calls == 2


def test_jit_trace_records_torch_s_operator(no_kernel: Any) -> None:
    traced = torch.jit.trace(MINE, (X, STATE), check_trace=False)
    smaller = (-X[:2], (STATE[0][:2], STATE[1][:2]))
    assert_close(traced(*smaller), THEIRS(*smaller))


def test_jit_script_compiles_torch_s_operator(no_kernel: Any) -> None:
    scripted = torch.jit.script(MINE)
    assert_close(scripted(X, STATE), THEIRS(X, STATE))
    assert_close(scripted(X), THEIRS(X))
    alone = (X[0], (STATE[0][0], STATE[1][0]))
    assert_close(scripted(*alone), THEIRS(*alone))
    with pytest.raises(torch.jit.Error, match="dimensions"):
        scripted(X[0], STATE)
