"""A call goes straight to the kernel only where nothing else would run around the step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.modules import module as torch_module

from onecell.torch import LSTMCell, reading
from problems import problem
from torch_cells import of_torch, ours, step_inputs

P = problem()
X, STATE = step_inputs(P)


class Straight:
    """The reader, which notes whether a call went straight to it."""

    def __init__(self) -> None:
        reader: Any = reading.step_reader
        self.reader = reader
        self.step, self.back, self.totals = reader.step, reader.back, reader.totals
        self.calls = 0

    def call(self, *arguments: Any) -> Any:
        done = self.reader.call(*arguments)
        self.calls += done is not None
        return done


@pytest.fixture
def straight(monkeypatch: pytest.MonkeyPatch) -> Straight:
    watched = Straight()
    monkeypatch.setattr(reading, "step_reader", watched)
    return watched


@pytest.mark.parametrize("arguments", [(X, STATE), (X, list(STATE)), (X, *STATE)])
@pytest.mark.parametrize("recording", [True, False])
def test_an_everyday_call_goes_straight(arguments: Any, recording: bool, straight: Any) -> None:
    with torch.set_grad_enabled(recording):
        h, _ = ours(P)(*arguments)
        assert torch.equal(h, ours(P).forward(*arguments)[0])
    assert h.requires_grad == recording
    assert straight.calls == 1


def forward_hook(cell: LSTMCell, seen: list[str]) -> Any:
    return cell.register_forward_hook(lambda *_: seen.append("hook"))


def hook_with_names(cell: LSTMCell, seen: list[str]) -> Any:
    return cell.register_forward_hook(lambda *_: seen.append("hook"), with_kwargs=True)


def pre_hook(cell: LSTMCell, seen: list[str]) -> Any:
    return cell.register_forward_pre_hook(lambda *_: seen.append("hook"))


def global_forward_hook(cell: LSTMCell, seen: list[str]) -> Any:
    return torch_module.register_module_forward_hook(lambda *_: seen.append("hook"))


def global_pre_hook(cell: LSTMCell, seen: list[str]) -> Any:
    return torch_module.register_module_forward_pre_hook(lambda *_: seen.append("hook"))


@pytest.mark.parametrize(
    "register", [forward_hook, hook_with_names, pre_hook, global_forward_hook, global_pre_hook]
)
def test_hooks_run_and_may_go_again(register: Any, straight: Any) -> None:
    cell, seen = ours(P), list[str]()
    handle = register(cell, seen)
    try:
        cell(X, STATE)
        assert (seen, straight.calls) == (["hook"], 0)
    finally:
        handle.remove()
    cell(X, STATE)
    assert (seen, straight.calls) == (["hook"], 1)


@pytest.mark.parametrize(
    "register", ["register_module_full_backward_hook", "register_module_full_backward_pre_hook"]
)
def test_global_backward_hooks_run(register: str, straight: Any) -> None:
    seen: list[str] = []
    handle = getattr(torch_module, register)(lambda *_: seen.append("hook"))
    try:
        ours(P)(X.clone().requires_grad_(), STATE)[0].sum().backward()
    finally:
        handle.remove()
    assert (seen, straight.calls) == (["hook"], 0)


def test_a_forward_set_on_the_cell_is_what_runs(straight: Any) -> None:
    cell = ours(P)
    cell.forward = lambda *_: "mine"  # type: ignore[method-assign,assignment]
    assert cell(X, STATE) == "mine"
    del cell.forward
    cell(X, STATE)
    assert straight.calls == 1


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (LSTMCell, "forward"),
        (LSTMCell, "_call_impl"),
        (torch.nn.LSTMCell, "__call__"),
        (torch.nn.Module, "__call__"),
        (torch.nn.Module, "_call_impl"),
    ],
)
def test_what_a_tool_puts_into_a_class_is_what_runs(
    owner: Any, name: str, straight: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = ours(P)
    monkeypatch.setattr(owner, name, lambda *_: "mine", raising=False)
    assert cell(X, STATE) == "mine"
    assert straight.calls == 0


def test_a_compiled_cell_runs_what_was_compiled(straight: Any) -> None:
    cell = ours(P)
    with torch.no_grad():
        want = cell(X, STATE)[0]
        cell.compile(backend="aot_eager", fullgraph=True)
        assert torch.equal(cell(X, STATE)[0], want)
    assert straight.calls == 1


def test_a_tracer_for_which_the_cell_is_a_leaf_sees_a_call_with_tensors(straight: Any) -> None:
    class Leaves(torch.fx.Tracer):
        def is_leaf_module(self, m: torch.nn.Module, module_qualified_name: str) -> bool:
            return isinstance(m, LSTMCell)

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = ours(P)
            self.x = torch.nn.Buffer(X)

        def forward(self, y: Any) -> Any:
            return self.cell(self.x, STATE)[0] + y

    graph = Leaves().trace(Model())
    assert "call_module" in {node.op for node in graph.nodes}
    assert straight.calls == 0


def test_a_subclass_goes_torch_s_way_around_the_forward(straight: Any) -> None:
    class Own(LSTMCell):
        pass

    cell = Own.from_torch(ours(P))
    assert torch.equal(cell(X, STATE)[0], ours(P)(X, STATE)[0])
    assert straight.calls == 1


def test_arguments_by_name_and_wrong_ones_go_the_longer_way(straight: Any) -> None:
    cell = ours(P)
    want = cell(X, STATE)[0]
    assert torch.equal(cell(input=X, hx=STATE)[0], want)
    for wrong in ((), (X, STATE, None, None)):
        with pytest.raises(TypeError):
            cell(*wrong)
    with pytest.raises(TypeError):
        cell(X, STATE, of="nothing")
    assert straight.calls == 1


def test_a_weight_replaced_during_a_call_is_not_the_one_of_the_step(straight: Any) -> None:
    cell, theirs = ours(P), of_torch(P)
    before = cell.weight_hh

    def call(*arguments: Any) -> Any:
        done = Straight.call(straight, *arguments)
        cell.weight_hh = torch.nn.Parameter(torch.zeros_like(before))  # as another thread might
        return done

    straight.call = call
    h, c = cell(X, STATE)
    torch.autograd.backward((h.sin().sum(), c.sum()))
    h, c = theirs(X, STATE)
    torch.autograd.backward((h.sin().sum(), c.sum()))
    assert before.grad is not None
    assert theirs.weight_hh.grad is not None
    assert torch.allclose(before.grad, theirs.weight_hh.grad, atol=1e-6)
    assert cell.weight_hh.grad is None
