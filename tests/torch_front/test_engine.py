"""Loops in which torch's engine, or what looks into its graph, does more than one plain pass."""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from onecell.torch import LSTMCell
from problems import problem
from torch_cells import by_loop, of_torch, ours
from torch_walks import P, as_in_torch, assert_close, assert_equal, grads, inputs, loss_of


def test_two_losses_in_one_backward() -> None:
    def run(cell: Any) -> Any:
        torch.autograd.backward([loss_of(cell), loss_of(cell, -2.0)])
        return [q.grad for q in cell.parameters()]

    as_in_torch(run)


@pytest.mark.parametrize("part", ["a middle h", "the last c"])
def test_the_way_back_may_begin_at_some_results(part: str) -> None:
    def run(cell: Any) -> Any:
        x, state = inputs()
        h_all, (_, c) = by_loop(cell, x.requires_grad_(), state)
        start = h_all[1] if part == "a middle h" else c
        return torch.autograd.grad(start.sin().sum(), [x, *cell.parameters()])

    as_in_torch(run)


def test_a_state_may_be_asked_for_beside_the_weights() -> None:
    def run(cell: Any) -> Any:
        x, state = inputs()
        h_1, c_1 = cell(x[0], state)
        h, _ = cell(x[1], (h_1, c_1))
        return torch.autograd.grad(h.sin().sum(), [h_1, cell.weight_hh])

    as_in_torch(run)


def test_the_gradient_by_c_leaves_out_what_comes_through_h_of_its_step() -> None:
    cell, (x, state) = ours(P), inputs()
    h_1, c_1 = cell(x[0], state)
    h_2, _ = cell(x[1], (h_1, c_1))
    seen: list[Tensor | None] = []
    c_1.register_hook(seen.append)
    (got,) = torch.autograd.grad(h_2.sum(), c_1, retain_graph=True)
    aside = c_1.detach().requires_grad_()
    want = torch.autograd.grad(cell(x[1], (h_1.detach(), aside))[0].sum(), aside)
    assert_equal([got], want)
    grads(h_1.sum(), cell)
    assert len(seen) == 2
    assert seen[1] is None


def test_steps_may_be_written_by_an_optimizer_inside_the_pass() -> None:
    def run(cell: Any) -> Any:
        seen: list[str] = []

        def descend(parameter: Tensor) -> None:
            assert parameter.grad is not None
            with torch.no_grad():
                parameter.sub_(0.1 * parameter.grad)
            parameter.grad = None
            seen.append("written")

        for parameter in cell.parameters():
            parameter.register_post_accumulate_grad_hook(descend)
        for sign in (1.0, -1.0):
            loss_of(cell, sign).backward()
        assert len(seen) == 8
        return [q.detach() for q in cell.parameters()]

    as_in_torch(run)


def test_backward_hooks_of_the_module_see_every_step() -> None:
    def run(cell: Any) -> Any:
        seen: list[Tensor] = []
        cell.register_full_backward_hook(lambda _m, _i, out: seen.extend(t for t in out))
        x, state = inputs()
        h_all, (_, c) = by_loop(cell, x.requires_grad_(), state)
        (h_all.square().sum() + c.sum()).backward()
        assert len(seen) == 2 * len(P.x)
        return *(q.grad for q in cell.parameters()), x.grad

    as_in_torch(run)


def test_a_hook_may_walk_another_graph_of_the_same_weights() -> None:
    def run(cell: Any) -> Any:
        inner: list[Tensor] = []

        def walk(_: Tensor) -> None:
            with torch.enable_grad():
                inner.extend(grads(loss_of(cell, -2.0), cell))

        x, state = inputs()
        h, c = cell(x[0], state)
        h.register_hook(walk)
        h, _ = cell(x[1], (h, c))
        return *grads(h.sin().sum(), cell), *inner

    as_in_torch(run)


def test_what_a_walk_kept_goes_with_the_pass() -> None:
    cell, (x, state) = ours(P), inputs()
    rows = [row.clone() for row in x]
    loss = torch.zeros(())
    for row in rows:
        state = cell(row, state)
        loss = loss + state[0].sum()
    watched = [weakref.ref(t) for t in (*rows, *state)]
    del rows, row, state
    loss.backward()
    gc.collect()
    assert [ref() for ref in watched] == [None] * len(watched)


def test_parameters_go_with_the_cell_and_the_graph() -> None:
    cell = ours(P)
    loss = loss_of(cell)
    watched = [weakref.ref(q) for q in cell.parameters()]
    del cell
    gc.collect()
    assert all(ref() is not None for ref in watched)
    del loss
    gc.collect()
    assert not any(ref() is not None for ref in watched)


def test_saved_tensors_may_be_kept_elsewhere() -> None:
    cell = ours(P)
    want = grads(loss_of(cell), cell)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy().copy(), torch.from_numpy):
        loss = loss_of(cell.requires_grad_())
    assert_equal(grads(loss, cell), want)


def test_saved_tensors_may_come_back_without_versions() -> None:
    def unpack(array: Any) -> Tensor:
        with torch.inference_mode():
            return torch.from_numpy(array).clone()

    cell = ours(P)
    want = grads(loss_of(cell), cell)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().numpy().copy(), unpack):
        loss = loss_of(cell)
    assert_equal(grads(loss, cell), want)


def test_anomaly_mode_changes_no_bit() -> None:
    cell = ours(P)
    want = grads(loss_of(cell), cell)
    with pytest.warns(UserWarning, match="Anomaly"), torch.autograd.detect_anomaly():
        assert_equal(grads(loss_of(cell), cell), want)


class Watch(TorchDispatchMode):
    """Count operators."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen += 1
        return func(*args, **(kwargs or {}))


def test_a_mode_sees_the_way_back() -> None:
    cell = ours(P)
    want = grads(loss_of(cell), cell)
    loss = loss_of(cell)
    with Watch() as watch:
        got = grads(loss, cell)
    assert watch.seen > 50
    assert_close(got, want)


def test_an_inference_tensor_is_refused_as_torch_refuses_it() -> None:
    with torch.inference_mode():
        x, state = inputs()
    for make in (ours, of_torch):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved"):
            make(P)(x[0], state)


@pytest.mark.parametrize("state", [True, False])
def test_a_cell_made_in_inference_mode_runs_outside_as_torch_s_does(state: bool) -> None:
    def run(cell: Any) -> Any:
        x, hx = inputs()
        with torch.inference_mode():
            cell = copy.deepcopy(cell)
        h, c = cell(x[0], hx) if state else cell(x[0])
        assert h.requires_grad
        return *(t.detach() for t in (h, c)), torch.autograd.grad(h.sum(), cell.bias_ih)[0]

    as_in_torch(run)


def test_weights_of_a_living_graph_may_be_swapped() -> None:
    """Unlike torch, whose graph holds on to the weights themselves."""
    cell, (x, state) = ours(P), inputs()
    want = torch.autograd.grad(by_loop(cell, x.requires_grad_(), state)[0].sum(), x)
    loss = by_loop(cell, x, state)[0].sum()
    other = torch.nn.Parameter(torch.zeros_like(cell.weight_hh))
    torch.utils.swap_tensors(cell.weight_hh, other)
    assert_equal(torch.autograd.grad(loss, x, retain_graph=True), want)
    with pytest.raises(RuntimeError, match="poisoned by swap_tensors"):
        loss.backward()
    loss_of(cell).backward()
    assert cell.weight_hh.grad is not None


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_hh"])
@pytest.mark.parametrize("way", ["in a loop", "in one call", "frozen", "twice"])
def test_assigning_to_data_does_not_reach_steps_that_were_computed(name: str, way: str) -> None:
    def run(cell: Any) -> Any:
        x, state = inputs()
        x.requires_grad_()
        weight = getattr(cell, name)
        weight.requires_grad_(way != "frozen")
        every = []
        for t, row in enumerate(x):
            if way == "in one call" and isinstance(cell, LSTMCell):
                h_all, state = cell.unroll(row[None], state)
                every.append(h_all[0])
            else:
                state = cell(row, state)
                every.append(state[0])
            if t == 1:
                weight.data = 1.5 * weight.data
        weight.data = torch.full_like(weight, 7.0)
        leaves = [x, *(p for p in cell.parameters() if p.requires_grad)]
        loss = torch.stack(every).square().sum()
        found = torch.autograd.grad(loss, leaves, create_graph=way == "twice")
        if way != "twice":
            return found
        second = torch.stack([g.square().sum() for g in found]).sum()
        return *(g.detach() for g in found), *torch.autograd.grad(second, leaves)

    as_in_torch(run)


@pytest.fixture
def swapping(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(request.param)
    yield
    torch.__future__.set_swap_module_params_on_conversion(before)


@pytest.mark.parametrize("swapping", [True, False], indirect=True)
@pytest.mark.parametrize("change", ["a type and back", "a checkpoint"])
def test_parameters_may_get_new_places_beside_an_old_graph(change: str, swapping: None) -> None:
    def run(cell: Any) -> Any:
        old = loss_of(cell)
        old.backward()
        if change == "a checkpoint":
            cell.load_state_dict({n: 0.5 * p.detach() for n, p in cell.named_parameters()})
        else:
            cell.float().double()
        return grads(loss_of(cell), cell)

    as_in_torch(run)


@pytest.mark.parametrize("build", [True, False])
def test_threads_may_build_and_walk_graphs_of_the_same_weights_at_once(build: bool) -> None:
    cell = ours(P)
    signs = [1.0, -2.0, 0.5]
    want = [grads(loss_of(cell, sign), cell) for sign in signs]
    losses = [loss_of(cell, sign) for sign in signs]
    wrong: list[BaseException] = []

    def work(k: int) -> None:
        try:
            for _ in range(30):
                loss = loss_of(cell, signs[k]) if build else losses[k]
                assert_equal(grads(loss, cell, retain_graph=True), want[k])
        except BaseException as problem:
            wrong.append(problem)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(signs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("vectorize", [True, False])
def test_jacobians_and_hessians_of_a_loop(vectorize: bool) -> None:
    p = problem(steps=2, batch=1, input_size=2, hidden_size=3, dtype="float64")

    def run(cell: Any) -> Any:
        x, state = inputs(p)

        def f(x: Tensor) -> Tensor:
            return by_loop(cell, x, state)[0].sin().sum(0)

        jacobian = torch.autograd.functional.jacobian(f, x, vectorize=vectorize)
        return jacobian, torch.autograd.functional.hessian(lambda x: f(x).sum(), x)

    as_in_torch(run, p)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_compiled_autograd_sends_the_gradients_along_the_graph() -> None:
    def compiler(graph: Any) -> Any:
        return torch.compile(graph, backend="eager")

    cell = ours(P)
    want = grads(loss_of(cell), cell)
    loss = loss_of(cell)
    with torch._dynamo.compiled_autograd._enable(compiler):
        loss.backward()
    assert_close([q.grad for q in cell.parameters()], want)
