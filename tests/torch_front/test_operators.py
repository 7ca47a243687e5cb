"""The registered operators by themselves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from problems import problem
from torch_cells import ours

P = problem()
CELL = ours(P)
X = torch.from_numpy(P.x)
H, C = torch.from_numpy(P.h), torch.from_numpy(P.c)
WEIGHTS = tuple(p.detach() for p in CELL.parameters())
unroll = torch.ops.onecell.unroll
backward = torch.ops.onecell.unroll_backward


step = torch.ops.onecell.step
recorded_step = torch.ops.onecell.recorded_step
step_backward = torch.ops.onecell.step_backward


def recorded() -> tuple[Tensor, ...]:
    h_all, _, _, c_all, gates = unroll(X, H, C, *WEIGHTS, True)
    return X, H, C, *WEIGHTS[:2], h_all, c_all, gates


@pytest.mark.parametrize("leaves", [True, False])
@pytest.mark.parametrize("state", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_unroll_is_a_proper_operator(bias: bool, state: bool, leaves: bool) -> None:
    weights = [w.clone().requires_grad_(leaves) for w in WEIGHTS]
    biases = weights[2:] if bias else [None, None]
    pair = [H, C] if state else [None, None]
    torch.library.opcheck(unroll.default, (X, *pair, *weights[:2], *biases, leaves))


def test_backward_is_a_proper_operator() -> None:
    grads = (torch.from_numpy(P.grad_h_all), None, torch.from_numpy(P.grad_c_last))
    torch.library.opcheck(backward.default, (*recorded(), *grads, [True] * 6))


@pytest.mark.parametrize("bias", [True, False])
def test_steps_are_proper_operators(bias: bool) -> None:
    biases = WEIGHTS[2:] if bias else (None, None)
    torch.library.opcheck(step.default, (X[0], H, C, *WEIGHTS[:2], *biases))
    leaves = [w.clone().requires_grad_() for w in WEIGHTS]
    biases = (leaves[2], leaves[3]) if bias else (None, None)
    torch.library.opcheck(recorded_step.default, (X[0], H, C, *leaves[:2], *biases))


@pytest.mark.parametrize("place", range(7))
def test_each_gradient_of_a_step_alone_has_the_bits_of_all(place: int) -> None:
    gates = recorded_step(X[0], H, C, *WEIGHTS)[2]
    given = (X[0], H, C, *WEIGHTS[:2], gates, None, torch.from_numpy(P.grad_c_last))
    torch.library.opcheck(step_backward.default, (*given, [True] * 7))
    found = step_backward(*given, [k == place for k in range(7)])
    assert torch.equal(found[place], step_backward(*given, [True] * 7)[place])
    assert all(t.numel() == 0 for k, t in enumerate(found) if k != place)


def test_a_step_of_no_rows_is_computed() -> None:
    empty = (X[0, :0], H[:0], C[:0])
    assert [t.shape for t in step(*empty, *WEIGHTS)] == [(0, 16), (0, 16)]
    gates = recorded_step(*empty, *WEIGHTS)[2]
    found = step_backward(*empty, *WEIGHTS[:2], gates, H[:0], None, [True] * 7)
    assert not any(t.any() for t in found)


def test_batching_gives_each_sample_its_own_bits() -> None:
    xs = torch.stack([X, -X, 2 * X])
    got = torch.vmap(lambda x: unroll(x, H, C, *WEIGHTS, False)[0])(xs)
    assert all(torch.equal(a, CELL.unroll(x, (H, C))[0]) for a, x in zip(got, xs, strict=True))


def test_what_was_not_recorded_cannot_be_differentiated() -> None:
    with pytest.raises(RuntimeError, match="record=False"):
        unroll(X.clone().requires_grad_(), H, C, *WEIGHTS, False)


def test_a_second_gradient_is_refused() -> None:
    x = X.clone().requires_grad_()
    (by_x,) = torch.autograd.grad(unroll(x, H, C, *WEIGHTS, True)[0].sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="second gradients"):
        by_x.sum().backward()


@pytest.mark.parametrize("place", range(7))
def test_steps_check_what_they_are_given(place: int, no_kernel: Any) -> None:
    arguments = [X[0], H, C, *WEIGHTS]
    arguments[place] = arguments[place][:1]
    for operator in (step, recorded_step):
        with pytest.raises(RuntimeError, match="not of one cell"):
            operator(*arguments)


@pytest.mark.parametrize("place", range(8))
def test_the_way_back_of_a_step_checks_what_it_is_given(place: int, kernel: Any) -> None:
    gates = recorded_step(X[0], H, C, *WEIGHTS)[2]
    arguments = [X[0], H, C, *WEIGHTS[:2], gates, H, C]
    kernel.forbidden = True
    arguments[place] = arguments[place][:1]
    with pytest.raises(RuntimeError, match="not of one cell"):
        step_backward(*arguments, [True] * 7)
    with pytest.raises(RuntimeError, match="not of one cell"):
        step_backward(X[0], H, C, *WEIGHTS[:2], gates, H, C, [True] * 6)


BAD_UNROLLS: dict[str, tuple[Any, ...]] = {
    "no time": (X[0], H, C, *WEIGHTS),
    "no steps": (X[:0], H, C, *WEIGHTS),
    "wide x": (torch.cat([X, X], 2), H, C, *WEIGHTS),
    "small h": (X, H[:1], C, *WEIGHTS),
    "narrow c": (X, H, C[:, :1], *WEIGHTS),
    "short weight_ih": (X, H, C, WEIGHTS[0][:4], *WEIGHTS[1:]),
    "flat weight_hh": (X, H, C, WEIGHTS[0], WEIGHTS[1].flatten(), *WEIGHTS[2:]),
    "short bias": (X, H, C, *WEIGHTS[:3], WEIGHTS[3][:5]),
    "one bias": (X, H, C, *WEIGHTS[:3], None),
    "double h": (X, H.double(), C, *WEIGHTS),
    "half": tuple(t.half() for t in (X, H, C, *WEIGHTS)),
}


@pytest.mark.parametrize("arguments", BAD_UNROLLS.values(), ids=BAD_UNROLLS)
def test_unroll_checks_what_it_is_given(arguments: Any, no_kernel: Any) -> None:
    with pytest.raises(RuntimeError, match="not of one cell"):
        unroll(*arguments, False)


@pytest.mark.parametrize("place", range(8))
def test_backward_checks_what_it_is_given(place: int, kernel: Any) -> None:
    arguments = list(recorded())
    kernel.forbidden = True
    arguments[place] = arguments[place][:1]
    with pytest.raises(RuntimeError, match="not of one cell"):
        backward(*arguments, None, None, None, [True] * 6)


def test_backward_checks_gradients_and_wishes(kernel: Any) -> None:
    arguments = recorded()
    kernel.forbidden = True
    for grads, wanted in (
        ((H[:1], None, None), 6),
        ((None, H.double(), None), 6),
        ((None,) * 3, 5),
    ):
        with pytest.raises(RuntimeError, match="not of one cell"):
            backward(*arguments, *grads, [True] * wanted)
