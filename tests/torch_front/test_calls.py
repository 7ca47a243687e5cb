"""A call goes straight to the kernel only where nothing else would run around the step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.modules import module as torch_module
from torch.nn.utils import prune

from onecell.torch import LSTMCell, calls, composite, reading
from problems import problem
from torch_cells import of_torch, ours, step_inputs

P = problem()
X, STATE = step_inputs(P)


class Straight:
    """The reader, which notes whether a call went straight to it."""

    def __init__(self) -> None:
        reader: Any = reading.step_reader
        self.reader = reader
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reader, name)

    def call(self, *arguments: Any) -> Any:
        done = self.reader.call(*arguments)
        self.calls += done is not None
        return done


@pytest.fixture
def straight(monkeypatch: pytest.MonkeyPatch) -> Straight:
    watched = Straight()
    monkeypatch.setattr(reading, "step_reader", watched)
    return watched


WIDE = torch.stack([-X, X, X], 1)
ROW = (X[0], (STATE[0][0], STATE[1][0]))
EVERYDAY: dict[str, tuple[Any, ...]] = {
    "a pair": (X, STATE),
    "a list": (X, list(STATE)),
    "apart": (X, *STATE),
    "no state": (X,),
    "None": (X, None),
    "batch first": (WIDE[:, 1], STATE),
    "a state for all": (X, (STATE[0][:1].expand_as(STATE[0]), STATE[1].t().contiguous().t())),
    "one row": ROW,
    "one row of a column": (torch.stack([X[0], X[1]], 1)[:, 0], ROW[1]),
    "one row, no state": ROW[:1],
}


@pytest.mark.parametrize("arguments", EVERYDAY.values(), ids=EVERYDAY)
@pytest.mark.parametrize("recording", [True, False])
def test_an_everyday_call_goes_straight(arguments: Any, recording: bool, straight: Any) -> None:
    with torch.set_grad_enabled(recording):
        h, _ = ours(P)(*arguments)
        assert torch.equal(h, ours(P).forward(*arguments)[0])
    assert h.requires_grad == recording
    assert straight.calls == 1


@pytest.mark.parametrize("arguments", EVERYDAY.values(), ids=EVERYDAY)
def test_an_everyday_call_and_its_way_back_take_no_longer_way(
    arguments: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(cell: Any) -> Any:
        x, *state = arguments
        x = x.detach().requires_grad_()
        h, c = cell(x, *([(state[0], state[1])] if len(state) == 2 else state))
        loss = h.square().sum() + c.sin().sum()
        return h, c, *torch.autograd.grad(loss, [x, *cell.parameters()])

    want = run(of_torch(P))
    for module, name in ((calls, "forward"), (calls, "backward"), (composite, "gradients")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("the longer way"))
    got = run(ours(P))
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)
    assert all(g.is_contiguous() for g in got)


def weight_normed(cell: Any) -> Any:
    return torch.nn.utils.parametrizations.weight_norm(cell, "weight_hh")


def parametrized(cell: Any) -> Any:
    for name in ("weight_ih", "bias_ih"):
        torch.nn.utils.parametrize.register_parametrization(cell, name, torch.nn.Tanh())
    return cell


def normed_before(cell: Any) -> Any:
    with pytest.warns(FutureWarning):
        return torch.nn.utils.weight_norm(cell, "weight_ih")


def pruned(cell: Any) -> Any:
    return prune.l1_unstructured(cell, "weight_hh", amount=0.5)


@pytest.mark.parametrize("change", [weight_normed, parametrized, normed_before, pruned])
def test_a_step_of_computed_weights_takes_no_longer_way(
    change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(cell: Any) -> Any:
        state = STATE
        for _ in range(3):
            state = cell(X, state)
        return *state, *torch.autograd.grad(state[0].square().sum(), list(cell.parameters()))

    want = run(change(of_torch(P)))
    cell = change(ours(P))
    for module, name in ((calls, "forward"), (calls, "backward"), (composite, "gradients")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("the longer way"))
    torch.testing.assert_close(run(cell), want, rtol=1e-5, atol=1e-6)


def test_under_autocast_torch_s_operator_runs_at_once(straight: Any) -> None:
    x, state = X.float(), tuple(t.float() for t in STATE)
    with torch.autocast("cpu"):
        got, want = ours(P)(x, state), of_torch(P)(x, state)
        row = ours(P)(x[0])
        assert [t.dtype for t in got] == [t.dtype for t in want]
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))
    assert row[0].shape == (state[0].shape[1],)
    assert straight.calls == 2


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
