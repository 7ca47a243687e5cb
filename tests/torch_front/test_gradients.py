"""Gradients of any order, and the rules of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

import onecell.torch
from problems import problem
from torch_cells import of_torch, ours, step_inputs


def as_function(bias: bool, *, time: bool) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    """Return a function of x, h, c and the parameters, and float64 values for them."""
    cell = onecell.torch.LSTMCell(3, 4, bias, dtype=torch.float64)
    names = [name for name, _ in cell.named_parameters()]

    def function(x: Tensor, h: Tensor, c: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(names, parameters, strict=True))
        if not time:
            h_next, c_next = functional_call(cell, named, (x, (h, c)))
            return h_next, c_next
        for name, value in named.items():
            delattr(cell, name) if name in cell._parameters else None
            object.__setattr__(cell, name, value)
        h_all, (h_last, c_last) = cell.unroll(x, (h, c))
        return h_all, h_last, c_last

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, dtype=torch.float64, requires_grad=True)

    x = normal(3, 2, 3) if time else normal(2, 3)
    parameters = tuple(p.detach().clone().requires_grad_() for p in cell.parameters())
    return function, (x, normal(2, 4), normal(2, 4), *parameters)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("time", [True, False])
def test_gradients_agree_with_finite_differences(bias: bool, time: bool, kernel: Any) -> None:
    function, inputs = as_function(bias, time=time)
    assert torch.autograd.gradcheck(function, inputs, check_batched_grad=True)
    assert kernel.calls > 10


@pytest.mark.parametrize("bias", [True, False])
def test_second_gradients_agree_with_finite_differences(bias: bool) -> None:
    function, inputs = as_function(bias, time=False)
    assert torch.autograd.gradgradcheck(function, inputs, check_batched_grad=True)


def test_second_gradients_through_time_agree_with_finite_differences() -> None:
    function, inputs = as_function(True, time=True)
    assert torch.autograd.gradgradcheck(function, inputs, fast_mode=True)


def test_third_gradients_agree_with_those_of_torch() -> None:
    p = problem(dtype="float64")
    x, state = step_inputs(p)
    found = []
    for cell in (ours(p), of_torch(p)):
        leaf = x.clone().requires_grad_()
        value = cell(leaf, state)[0].sum()
        for _ in range(3):
            (value,) = torch.autograd.grad(value, leaf, create_graph=True)
            value = value.square().sum()
        found.append(value)
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=0)


@pytest.mark.parametrize("stateless", [True, False])
@pytest.mark.parametrize("frozen", ["weight_ih", "weight_hh", "bias_ih"])
def test_second_gradients_are_by_what_required_one_at_the_step(
    frozen: str, stateless: bool
) -> None:
    p = problem(dtype="float64")
    x, state = step_inputs(p)
    found = []
    for cell in (ours(p), of_torch(p)):
        leaf = x.clone().requires_grad_()
        parameter = getattr(cell, frozen).requires_grad_(False)
        h, _ = cell(leaf, None if stateless else state)
        parameter.requires_grad_()
        (g,) = torch.autograd.grad(h.square().sum(), leaf, create_graph=True)
        sources = [leaf, *cell.parameters()]
        found.append(torch.autograd.grad(g.square().sum(), sources, allow_unused=True))
    mine, theirs = found
    assert [g is None for g in mine] == [g is None for g in theirs]
    assert None in mine
    for got, want in zip(mine, theirs, strict=True):
        torch.testing.assert_close(got, want) if want is not None else None


class Blocks(torch.autograd.Function):
    """Let nothing through on the way back."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, *__: Tensor) -> None:
        return None


@pytest.mark.parametrize("form", ["step", "step without a state", "unroll"])
def test_no_gradient_is_not_a_gradient_of_zeros(form: str) -> None:
    p = problem(dtype="float64")
    x, state = step_inputs(p)
    cell, x = ours(p), x.clone().requires_grad_()
    seen: list[Any] = []
    below = x * 2
    below.register_hook(seen.append)
    if form == "unroll":
        h = cell.unroll(below[None], state)[0]
    else:
        h, _ = cell(below, *([state] if form == "step" else []))
    Blocks.apply(h).sum().backward()  # type: ignore[no-untyped-call]
    assert [t.grad for t in (x, *cell.parameters())] == [None] * 5
    assert [t for t in seen if t is not None] == []


def test_second_gradients_do_not_follow_one_input_into_another() -> None:
    p = problem(input_size=16, dtype="float64")
    _, (h, c) = step_inputs(p)
    found = []
    for cell in (ours(p), of_torch(p)):
        leaf = torch.from_numpy(p.x[0].copy()).requires_grad_()
        x = leaf.sin()
        value = cell(x, (x.cos() * h, x * c))[0].square().sum()
        (first,) = torch.autograd.grad(value, leaf, create_graph=True)
        found.append(torch.autograd.grad(first.square().sum(), [leaf, *cell.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-12)


def test_batched_gradients_do_not_follow_one_input_into_another() -> None:
    p = problem(input_size=16, dtype="float64")
    cell, (_, (h, c)) = ours(p), step_inputs(p)
    leaf = torch.from_numpy(p.x[0].copy()).requires_grad_()
    x = leaf.sin()
    out = cell(x, (x.cos() * h, x * c))[0]
    (want,) = torch.autograd.grad(out, leaf, torch.ones_like(out), retain_graph=True)
    ways = torch.ones(1, *out.shape, dtype=torch.float64)
    (got,) = torch.autograd.grad(out, leaf, ways, is_grads_batched=True)
    torch.testing.assert_close(got[0], want, rtol=1e-10, atol=1e-12)


def test_batched_gradients_are_those_one_by_one() -> None:
    p = problem(dtype="float64")
    cell, (x, state) = ours(p), step_inputs(p)
    x.requires_grad_()
    h = cell(x, state)[0]
    ways = torch.randn(5, *h.shape, dtype=torch.float64)
    (got,) = torch.autograd.grad(h, x, ways, is_grads_batched=True, retain_graph=True)
    want = [torch.autograd.grad(h, x, way, retain_graph=True)[0] for way in ways]
    torch.testing.assert_close(got, torch.stack(want), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("wanted", range(7))
def test_each_gradient_can_be_asked_for_alone(wanted: int) -> None:
    p = problem()
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    every = [x, h, c, *cell.parameters()]
    for tensor in every:
        tensor.requires_grad_()
    want = torch.autograd.grad(sum(t.sum() for t in cell(x, (h, c))), every)
    for i, tensor in enumerate(every):
        tensor.requires_grad_(i == wanted)
    (got,) = torch.autograd.grad(sum(t.sum() for t in cell(x, (h, c))), every[wanted])
    assert torch.equal(got, want[wanted])


@pytest.mark.parametrize("wanted", [0, 1])
def test_one_output_alone_may_be_used(wanted: int) -> None:
    p = problem()
    found = []
    for cell in (ours(p), of_torch(p)):
        x, state = step_inputs(p)
        out = cell(x.requires_grad_(), state)[wanted]
        found.append(torch.autograd.grad(out.sum(), [x, *cell.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_the_two_biases_do_not_share_one_gradient() -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    assert cell.bias_ih is not None
    by_ih, by_hh = torch.autograd.grad(cell(x, state)[0].sum(), [cell.bias_ih, cell.bias_hh])
    before = by_hh.clone()
    by_ih.zero_()
    assert torch.equal(by_hh, before)


@pytest.mark.parametrize("which", ["x", "h", "c", "weight_ih", "weight_hh"])
def test_writing_into_what_was_saved_is_noticed(which: str) -> None:
    p = problem()
    cell, (x, (h, c)) = ours(p), step_inputs(p)
    out = cell(x, (h, c))[0]
    with torch.no_grad():
        {"x": x, "h": h, "c": c, **dict(cell.named_parameters())}[which].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_writing_into_results_is_free() -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    want = torch.autograd.grad(sum(t.sum() for t in cell(x, state)), [*cell.parameters()])
    h, c = cell(x, state)
    loss = h.sum() + c.sum()
    h.detach().zero_()
    with torch.no_grad():
        h.zero_()
        c.zero_()
    got = torch.autograd.grad(loss, [*cell.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


def test_graph_may_be_walked_twice_only_if_retained() -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    loss = cell(x, state)[0].sum()
    first = torch.autograd.grad(loss, cell.weight_ih, retain_graph=True)[0]
    assert torch.equal(first, torch.autograd.grad(loss, cell.weight_ih)[0])
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing_changes_no_bit(reentrant: bool) -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    want = torch.autograd.grad(cell(x, state)[0].sum(), cell.weight_ih)[0]
    x.requires_grad_()
    out = checkpoint(lambda x: cell(x, state)[0], x, use_reentrant=reentrant)
    out.sum().backward()
    assert cell.weight_ih.grad is not None
    assert torch.equal(cell.weight_ih.grad, want)


def test_saved_tensors_go_through_hooks() -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    want = torch.autograd.grad(cell(x, state)[0].sum(), cell.weight_ih)[0]
    packed = []

    def pack(tensor: Tensor) -> int:
        packed.append(tensor.clone())
        return len(packed) - 1

    with saved_tensors_hooks(pack, packed.__getitem__):
        out = cell(x, state)[0]
    assert torch.equal(torch.autograd.grad(out.sum(), cell.weight_ih)[0], want)
    assert packed


@pytest.mark.parametrize(
    "unpack",
    [Tensor.double, lambda t: t[..., :1], lambda t: torch.cat([t, t]), lambda t: t.to("meta")],
    ids=["double", "narrow", "long", "meta"],
)
def test_hooks_that_give_back_another_tensor_do_not_reach_the_kernel(
    unpack: Any, no_kernel: Any
) -> None:
    p = problem()
    cell, (x, state) = ours(p), step_inputs(p)
    no_kernel.forbidden = False
    with saved_tensors_hooks(lambda t: t, unpack):
        out = cell(x, state)[0]
    no_kernel.forbidden = True
    try:
        out.sum().backward()
    except RuntimeError:
        return
    assert cell.weight_ih.grad is not None
    assert cell.weight_ih.grad.shape == cell.weight_ih.shape


def test_a_cell_that_moved_to_another_type_between_the_two_ways_has_gradients_of_the_old() -> None:
    p = problem()

    def run(cell: Any) -> Any:
        x, state = step_inputs(p)
        out = cell(x.requires_grad_(), state)[0]
        cell.double()
        out.sum().backward()
        return x.grad, *(q.grad for q in cell.parameters())

    got, want = run(ours(p)), run(of_torch(p))
    assert all(g.dtype == torch.float32 for g in got)
    torch.testing.assert_close(got, want)


def test_no_graph_is_kept_where_nothing_needs_one() -> None:
    p = problem()
    cell, (x, state) = ours(p).requires_grad_(False), step_inputs(p)
    assert all(out.grad_fn is None for out in cell(x, state))


def test_empty_batch_has_zero_gradients() -> None:
    p = problem(batch=0)
    cell, (x, state) = ours(p), step_inputs(p)
    sum(t.sum() for t in cell(x, state)).backward()
    assert all(q.grad is not None and not q.grad.any() for q in cell.parameters())
