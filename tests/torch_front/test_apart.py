"""Steps that leave the weights' gradients for later keep every rule of the graph."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from onecell.torch import LSTMCell, apart, walks
from problems import assert_same_bits, problem
from problems import results as array_results
from torch_cells import by_loop, ours, results
from torch_walks import P, as_in_torch, assert_close, assert_equal, grads, inputs, loss_of


@pytest.mark.parametrize("shape", [(7, 100), (3, 300), (300, 1)])
def test_more_rows_than_are_gathered_at_once_have_the_bits_of_arrays(shape: Any) -> None:
    p = problem(steps=shape[0], batch=shape[1])
    assert_same_bits(results(p, ours(p), by_loop), array_results(p))


def test_a_loop_may_change_its_batch() -> None:
    def run(cell: Any) -> Any:
        x, (h, c) = inputs()
        loss = torch.zeros(())
        for t, rows in enumerate((3, 2, 2, 1)):
            h, c = cell(x[t, :rows], (h[:rows], c[:rows]))
            loss = loss + h.sin().sum()
        return grads(loss, cell)

    as_in_torch(run)


def test_the_graph_may_be_walked_twice_if_retained() -> None:
    cell = ours(P)
    loss = loss_of(cell)
    first = grads(loss, cell, retain_graph=True)
    assert_equal(grads(loss, cell), first)
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@pytest.mark.parametrize("wanted", ["x", "weight_hh", "bias_ih"])
def test_a_part_of_the_gradients_may_be_asked_for(wanted: str) -> None:
    cell, (x, state) = ours(P), inputs()
    x.requires_grad_()
    leaves = {"x": x, **dict(cell.named_parameters())}
    loss = by_loop(cell, x, state)[0].square().sum()
    whole = dict(
        zip(leaves, torch.autograd.grad(loss, [*leaves.values()], retain_graph=True), strict=True)
    )
    (alone,) = torch.autograd.grad(loss, leaves[wanted], retain_graph=True)
    assert torch.equal(alone, whole[wanted])
    again = torch.autograd.grad(loss, list(leaves.values()))
    assert_equal(again, whole.values())


def test_weights_that_nobody_asks_for_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, (x, state) = ours(P), inputs()
    loss = by_loop(cell, x.requires_grad_(), state)[0].sum()
    monkeypatch.setattr(walks.Walk, "totals", lambda _: pytest.fail("sums that nobody wants"))
    torch.autograd.grad(loss, x)


@pytest.mark.parametrize("run", [by_loop, LSTMCell.unroll])
def test_gradients_of_weights_are_kept_by_torch_and_not_copied(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, (x, state) = ours(P), inputs()
    made: list[int] = []
    totals = walks.Walk.totals

    def spied(walk: walks.Walk) -> tuple[Tensor | None, ...]:
        given = totals(walk)
        made.extend(t.data_ptr() for t in given if t is not None)
        return given

    monkeypatch.setattr(walks.Walk, "totals", spied)
    run(cell, x, state)[0].sum().backward()
    assert made == [p.grad.data_ptr() for p in cell.parameters() if p.grad is not None]


def test_graphs_of_the_same_weights_stay_apart() -> None:
    cell = ours(P)
    want = [grads(loss_of(cell, sign), cell) for sign in (1.0, -2.0)]
    first, second = loss_of(cell, 1.0), loss_of(cell, -2.0)
    assert_equal(grads(second, cell), want[1])
    assert_equal(grads(first, cell), want[0])


def test_two_sequences_in_one_backward() -> None:
    as_in_torch(lambda cell: grads(loss_of(cell) + loss_of(cell, -2.0), cell))


def test_two_cells_in_one_backward() -> None:
    def run(cell: Any) -> Any:
        other = copy.deepcopy(cell)
        x, state = inputs()
        stacked = by_loop(other, torch.cat([by_loop(cell, x, state)[0][..., :10]], -1), state)[0]
        return torch.autograd.grad(stacked.sin().sum(), [*cell.parameters(), *other.parameters()])

    as_in_torch(run)


def test_gradients_accumulate_and_hooks_see_the_total_once() -> None:
    def run(cell: Any) -> Any:
        seen: list[Tensor] = []
        cell.weight_hh.register_hook(lambda g: seen.append(g.clone()))
        loss_of(cell).backward()
        loss_of(cell, -1.0).backward()
        assert len(seen) == 2
        return *seen, *(q.grad for q in cell.parameters())

    as_in_torch(run)


def test_a_pass_that_fails_leaves_nothing_behind() -> None:
    cell, (x, state) = ours(P), inputs()
    want = grads(loss_of(cell), cell)
    others = list(apart._holds.values())
    h, c = cell(x[0], state)
    failing = [True]

    def fail(gradient: Tensor) -> None:
        if failing[0]:
            raise ValueError("on purpose")

    h.register_hook(fail)
    every = [h]
    for row in x[1:]:
        h, c = cell(row, (h, c))
        every.append(h)
    loss = torch.stack(every).square().sum() + c.sin().sum()
    with pytest.raises(ValueError, match="on purpose"):
        grads(loss, cell, retain_graph=True)
    gc.collect()
    (hold,) = (hold for hold in apart._holds.values() if hold not in others)
    assert not hold._walks
    failing[0] = False
    assert_equal(grads(loss, cell), want)


def test_a_cell_keeps_what_its_steps_hung_on_until_a_pass_runs_and_nothing_else() -> None:
    gc.collect()
    before = len(apart._holds)
    cell = ours(P)
    loss = loss_of(cell)
    hold = apart._last[cell]
    del loss
    loss = loss_of(cell)
    assert apart._last[cell] is hold
    loss.backward()
    assert cell not in apart._last
    del loss, hold
    assert len(apart._holds) == before
    loss = loss_of(cell)
    cell.weight_hh = torch.nn.Parameter(2 * cell.weight_hh.detach())
    loss = loss_of(cell)
    assert len(apart._holds) == before + 1
    weight = weakref.ref(cell.weight_hh)
    del loss, cell
    assert len(apart._holds) == before
    assert weight() is None


def test_what_a_cell_keeps_follows_its_parameters() -> None:
    cell, twin = ours(P), ours(P)
    for change in (
        lambda c: c.weight_hh.detach().mul_(1.5),
        lambda c: setattr(c.weight_hh, "data", c.weight_hh.detach() * 2),
        lambda c: setattr(c, "weight_hh", torch.nn.Parameter(c.weight_hh.detach() / 2)),
        lambda c: c.weight_ih.requires_grad_(requires_grad=False),
        lambda c: c.weight_ih.requires_grad_(requires_grad=True),
    ):
        assert loss_of(cell).requires_grad
        change(cell)
        change(twin)
        fresh = copy.deepcopy(twin)  # which has kept nothing yet
        got, want = loss_of(cell), loss_of(fresh)
        for one in (cell, fresh):
            one.zero_grad()
        got.backward()
        want.backward()
        given = [[p.grad for p in c.parameters() if p.requires_grad] for c in (cell, fresh)]
        assert_equal(*given)


def test_writing_a_weight_between_steps_is_noticed() -> None:
    cell, (x, state) = ours(P), inputs()
    h, c = cell(x[0], state)
    with torch.no_grad():
        cell.weight_hh.mul_(2)
    h, c = cell(x[1], (h, c))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        h.sum().backward()


@pytest.mark.parametrize("change", [lambda t: t.mul_(2), lambda t: t.untyped_storage().resize_(0)])
def test_an_input_may_be_written_once_the_way_back_is_past_its_step(change: Any) -> None:
    def run(cell: Any) -> Any:
        x, state = inputs()
        row = x[1].clone()
        h, c = cell(x[0], state)

        def hook(_: Tensor) -> None:
            change(row)

        h.register_hook(hook)
        return grads(cell(row, (h, c))[0].sum(), cell)

    as_in_torch(run)


@pytest.mark.parametrize("learned", ["states", "inputs"])
def test_what_a_step_reads_may_be_trained_inside_the_pass(learned: str) -> None:
    def run(cell: Any) -> Any:
        x, (h, c) = (inputs()[0], [torch.nn.Parameter(t) for t in inputs()[1]])
        trained = [h, c] if learned == "states" else [x.requires_grad_()]

        def descend(parameter: Tensor) -> None:
            assert parameter.grad is not None
            with torch.no_grad():
                parameter.sub_(0.1 * parameter.grad)
            parameter.grad = None

        for parameter in trained:
            parameter.register_post_accumulate_grad_hook(descend)
        for _ in range(2):
            # Kept while the next one is made, as a training loop's loss is.
            loss = by_loop(cell, x, (h, c))[0].square().sum()
            loss.backward()
        return [t.detach() for t in trained] + [q.grad for q in cell.parameters()]

    as_in_torch(run)


def test_weights_may_be_frozen_and_freed_between_steps() -> None:
    def run(cell: Any) -> Any:
        x, state = inputs()
        for row, frozen in zip(x, (False, True, False, True), strict=True):
            cell.weight_hh.requires_grad_(not frozen)
            cell.bias_ih.requires_grad_(frozen)
            state = cell(row, state)
        for parameter in cell.parameters():
            parameter.requires_grad_()
        state[0].square().sum().backward()
        return [q.grad for q in cell.parameters()]

    as_in_torch(run)


@pytest.mark.parametrize("after", ["the steps", "their gradients"])
def test_a_weight_frozen_later_stops_no_second_gradient(after: str) -> None:
    def run(cell: Any) -> Any:
        x, state = inputs()
        loss = by_loop(cell, x.requires_grad_(), state)[0].square().sum()
        if after == "the steps":
            cell.weight_hh.requires_grad_(False)
        (first,) = torch.autograd.grad(loss, x, create_graph=True)
        cell.weight_hh.requires_grad_(False)
        return first, *torch.autograd.grad(first.square().sum(), [x, cell.weight_ih])

    as_in_torch(run)


def test_another_type_has_gradients_of_its_own_beside_a_living_graph() -> None:
    p = problem(steps=2)
    cell = ours(p)
    living = loss_of(cell, p=p)
    cell.double()
    loss_of(cell, p=problem(steps=2, dtype="float64")).backward()
    assert {q.grad.dtype for q in cell.parameters() if q.grad is not None} == {torch.float64}
    assert living.dtype == torch.float32


def test_parameters_computed_in_place_lead_where_they_come_from() -> None:
    def run(cell: Any) -> Any:
        scale = torch.full((), 0.5, dtype=torch.float64, requires_grad=True)
        cell.requires_grad_(False)
        x, state = inputs()
        for row in x[:2]:
            cell.weight_hh = torch.nn.Parameter(cell.weight_hh.detach().clone(), False)
            cell.weight_hh.mul_(scale)
            state = cell(row, state)
        return torch.autograd.grad(state[0].sum(), scale)

    as_in_torch(run)


def test_functional_calls_in_a_loop_lead_to_the_given_parameters() -> None:
    def run(cell: Any) -> Any:
        given = {n: (p.detach() * 0.5).requires_grad_() for n, p in cell.named_parameters()}
        named = {n: p * 2 for n, p in given.items()}
        x, state = inputs()
        for row in x:
            state = functional_call(cell, named, (row, state))
        return torch.autograd.grad(state[0].sum(), list(given.values()))

    as_in_torch(run)


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing_steps_of_a_loop_changes_no_bit(reentrant: bool) -> None:
    def run(step: Any, cell: Any) -> Any:
        x, (h, c) = inputs()
        x.requires_grad_()
        for row in x:
            h, c = step(cell, row, h, c)
        return torch.stack([*grads(h.square().sum(), cell)[2:]])

    def plain(cell: Any, x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x, (h, c))

    def kept(*arguments: Any) -> Any:
        return checkpoint(plain, *arguments, use_reentrant=reentrant)

    cell = ours(P)
    want = run(plain, cell)
    if not reentrant:
        assert torch.equal(run(kept, cell), want)
        return
    # A reentrant one has no gradients by name.
    x, (h, c) = inputs()
    x.requires_grad_()
    for row in x:
        h, c = kept(cell, row, h, c)
    h.square().sum().backward()
    got = torch.stack([q.grad for q in (cell.bias_ih, cell.bias_hh)])  # type: ignore[misc]
    assert torch.equal(got, want)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_cell_may_be_copied_beside_its_graph(again: Any) -> None:
    cell = ours(P)
    loss = loss_of(cell)
    other = again(cell)
    loss_of(other).backward()
    assert cell.weight_ih.grad is None
    assert_equal([q.grad for q in other.parameters()], grads(loss, cell))


def test_gradients_of_a_loop_are_the_same_bits_with_create_graph_and_have_gradients() -> None:
    def run(cell: Any) -> Any:
        loss = loss_of(cell)
        plain = grads(loss, cell, retain_graph=True)
        first = grads(loss, cell, create_graph=True)
        if isinstance(cell, LSTMCell):
            assert_equal(first, plain)
        return grads(torch.stack([g.square().sum() for g in first]).sum(), cell)

    as_in_torch(run)


def test_batched_gradients_of_a_loop_are_those_one_by_one() -> None:
    cell, (x, state) = ours(P), inputs()
    h = by_loop(cell, x, state)[1][0]
    ways = torch.from_numpy(np.stack([P.h, -P.c]))
    got = torch.autograd.grad(
        h, list(cell.parameters()), ways, is_grads_batched=True, retain_graph=True
    )
    for k, way in enumerate(ways):
        want = torch.autograd.grad(h, list(cell.parameters()), way, retain_graph=True)
        assert_close([g[k] for g in got], want)


def test_a_weight_may_be_used_elsewhere_too() -> None:
    def run(cell: Any) -> Any:
        return grads(loss_of(cell) + cell.weight_hh.square().sum() + cell.bias_ih.sum(), cell)

    as_in_torch(run)
