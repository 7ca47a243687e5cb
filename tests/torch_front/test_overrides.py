"""What a call would run beside the cell's own step runs when unrolling, and is not left out."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.modules import module as torch_module
from torch.nn.utils import parametrizations, prune

from onecell.errors import FrozenError
from onecell.torch import FrozenLSTMCell, LSTMCell
from problems import problem
from torch_cells import by_loop, of_torch, ours

P = problem()
X = torch.from_numpy(P.x)
STATE = (torch.from_numpy(P.h), torch.from_numpy(P.c))


class Half(LSTMCell):
    """Give half of the output on."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        h, c = super().forward(*args, **kwargs)
        return h / 2, c


class HalfOfCall(LSTMCell):
    """The same, around the call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        h, c = super().__call__(*args, **kwargs)
        return h / 2, c


class HalfOfImplementation(LSTMCell):
    """The same, inside of it."""

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        h, c = super()._call_impl(*args, **kwargs)  # type: ignore[no-untyped-call]
        return h / 2, c


class TheirHalf(torch.nn.LSTMCell):
    """The same over torch's cell."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        h, c = super().forward(*args, **kwargs)
        return h / 2, c


def half(cell: Any) -> Any:
    def forward(self: Any, *args: Any) -> Any:
        h, c = type(self).forward(self, *args)
        return h / 2, c

    cell.forward = MethodType(forward, cell)
    return cell


def before(cell: Any) -> Any:
    cell.register_forward_pre_hook(lambda _, args: (args[0] / 2, *args[1:]))
    return cell


def after(cell: Any) -> Any:
    cell.register_forward_hook(lambda _, args, out: (out[0] / 2, out[1]))
    return cell


CHANGED: dict[str, Callable[[], Any]] = {
    "forward": lambda: Half.from_torch(of_torch(P)),
    "__call__": lambda: HalfOfCall.from_torch(of_torch(P)),
    "_call_impl": lambda: HalfOfImplementation.from_torch(of_torch(P)),
    "forward of one cell": lambda: half(ours(P)),
    "a hook before": lambda: before(ours(P)),
    "a hook after": lambda: after(ours(P)),
}


@pytest.mark.parametrize("what", CHANGED)
def test_unrolling_is_a_loop_over_what_a_call_runs(what: str) -> None:
    cell = CHANGED[what]()
    want = by_loop(cell, X, STATE)
    assert not torch.equal(want[0], by_loop(ours(P), X, STATE)[0])
    got = cell.unroll(X, STATE)
    assert all(map(torch.equal, (got[0], *got[1]), (want[0], *want[1])))
    assert torch.equal(cell.unroll(X[:, 0])[0][0], cell(X[0, 0])[0])
    assert cell.unroll(X[:0], STATE)[0].shape == (0, *STATE[0].shape)


@pytest.mark.parametrize("what", CHANGED)
def test_what_a_packed_cell_would_not_run_is_not_frozen(what: str) -> None:
    with pytest.raises(FrozenError, match=r"has its own `|runs no hooks"):
        CHANGED[what]().freeze()


def test_backward_hooks_run_for_every_step_of_an_unroll() -> None:
    seen: list[str] = []
    cell = ours(P)
    cell.register_full_backward_hook(lambda *_: seen.append("back"))
    cell.unroll(X.clone().requires_grad_(), STATE)[0].sum().backward()
    assert len(seen) == len(X)
    assert isinstance(cell.freeze(), FrozenLSTMCell)  # without gradients, they have nothing to see


@pytest.mark.parametrize(
    "register",
    [torch_module.register_module_forward_hook, torch_module.register_module_forward_pre_hook],
)
def test_global_hooks_see_every_step_of_an_unroll(register: Any) -> None:
    seen: list[Any] = []
    cell = ours(P)
    with register(lambda m, *_: seen.append(m)):
        cell.unroll(X, STATE)
        cell.freeze().unroll(X, STATE)
    assert seen[: len(X)] == [cell] * len(X)
    assert len(seen) == 2 * len(X)


def pruned(cell: Any) -> None:
    prune.l1_unstructured(cell, "weight_hh", amount=0.5)


def normed(cell: Any) -> None:
    torch.nn.utils.weight_norm(cell, "weight_hh")


def spectral(cell: Any) -> None:
    torch.nn.utils.spectral_norm(cell, "weight_hh")


def parametrized(cell: Any) -> None:
    parametrizations.weight_norm(cell, "weight_hh")


COMPUTED = [pruned, normed, spectral, parametrized]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("change", COMPUTED)
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_unrolling_computes_computed_weights_anew(change: Any, training: bool) -> None:
    def run(cell: Any, unroll: Callable[..., Any]) -> list[Tensor]:
        torch.manual_seed(0)
        change(cell.train(training))
        descent = torch.optim.SGD(cell.parameters(), lr=0.5)
        found = []
        for _ in range(3):
            descent.zero_grad()
            h_all, (_, c) = unroll(cell, X, STATE)
            (h_all.square().sum() + c.sum()).backward()
            descent.step()
            with torch.no_grad():
                found += [h_all.detach(), unroll(cell, X, STATE)[0]]
        return found

    got = run(ours(P), lambda cell, *given: cell.unroll(*given))
    torch.testing.assert_close(got, run(of_torch(P), by_loop), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("change", COMPUTED)
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_freezing_computed_weights_computes_or_refuses_them(change: Any) -> None:
    cell = ours(P)
    change(cell)
    for parameter in cell.parameters():
        parameter.data.mul_(1.5)
    if change is parametrized:
        with torch.no_grad():
            assert torch.equal(cell.freeze()(X[0], STATE)[0], cell(X[0], STATE)[0])
        return
    with pytest.raises(FrozenError, match=r"prune\.remove"):
        cell.freeze()


def test_what_is_made_permanent_is_frozen() -> None:
    cell = ours(P)
    pruned(cell)
    prune.remove(cell, "weight_hh")
    with torch.no_grad():
        assert torch.equal(cell.freeze()(X[0], STATE)[0], cell(X[0], STATE)[0])


@pytest.mark.parametrize(
    "change", [lambda c: TheirHalf(10, 16), half, before, after, lambda c: Half(10, 16)]
)
def test_from_torch_refuses_what_its_cell_would_not_run(change: Any) -> None:
    with pytest.raises(TypeError, match=r"has its own `|must have no hooks"):
        LSTMCell.from_torch(change(of_torch(P)))


def test_from_torch_takes_cells_of_ours_and_of_the_class_itself() -> None:
    assert LSTMCell.from_torch(ours(P)).weight_hh is not None
    assert type(Half.from_torch(Half(10, 16))) is Half


def test_a_frozen_cell_with_an_override_or_hooks_unrolls_by_calls() -> None:
    class HalfFrozen(FrozenLSTMCell):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            h, c = super().forward(*args, **kwargs)
            return h / 2, c

    packed = ours(P).freeze()
    for cell in (HalfFrozen(packed._cell), after(ours(P).freeze())):
        want = by_loop(cell, X, STATE)
        got = cell.unroll(X, STATE)
        assert torch.equal(got[0], want[0])
        assert not torch.equal(got[0], packed.unroll(X, STATE)[0])


def shadowed(cell: Any) -> Any:
    cell.__dict__["weight_hh"] = cell.weight_hh * 2
    return cell


def with_property(cell: Any) -> Any:
    class Twice(type(cell)):  # type: ignore[misc]
        @property
        def weight_hh(self) -> Tensor:
            twice: Tensor = self._parameters["weight_hh"] * 2
            return twice

    cell.__class__ = Twice
    return cell


def with_getattr(cell: Any) -> Any:
    class Twice(type(cell)):  # type: ignore[misc]
        def __getattr__(self, name: str) -> Any:
            found = super().__getattr__(name)
            return found * 2 if name == "weight_hh" else found

    cell.__class__ = Twice
    return cell


@pytest.mark.parametrize("change", [shadowed, with_property, with_getattr])
@pytest.mark.parametrize("record", [True, False])
def test_what_a_weight_is_read_as_is_what_computes(change: Any, record: bool) -> None:
    with torch.set_grad_enabled(record):
        cell, theirs = change(ours(P)), change(of_torch(P))
        want = theirs(X[0], STATE)[0]
        torch.testing.assert_close(cell(X[0], STATE)[0], want)
        torch.testing.assert_close(cell.forward(X[0], STATE)[0], want)
        torch.testing.assert_close(cell.unroll(X, STATE)[0], by_loop(theirs, X, STATE)[0])
        torch.testing.assert_close(cell.freeze()(X[0], STATE)[0], want)
        with pytest.raises(TypeError, match="must hold `"):
            LSTMCell.from_torch(theirs)


def around(run: Callable[..., Any]) -> Callable[..., Any]:
    def halves(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = run(self, *args, **kwargs)
        return (found[0] / 2, *found[1:]) if isinstance(found, tuple) else found

    return halves


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (LSTMCell, "forward"),
        (LSTMCell, "__call__"),
        (torch.nn.Module, "__call__"),
        (torch.nn.Module, "_call_impl"),
    ],
)
def test_what_is_put_in_place_of_a_call_of_a_class_is_seen(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = ours(P)
    usual = by_loop(cell, X, STATE)[0]
    monkeypatch.setattr(owner, name, around(getattr(owner, name)))
    want = by_loop(cell, X, STATE)[0]
    assert not torch.equal(want, usual)
    assert torch.equal(cell.unroll(X, STATE)[0], want)
    with pytest.raises(FrozenError, match="has its own `"):
        cell.freeze()
    monkeypatch.undo()
    assert torch.equal(cell.unroll(X, STATE)[0], usual)
    assert isinstance(cell.freeze(), FrozenLSTMCell)
