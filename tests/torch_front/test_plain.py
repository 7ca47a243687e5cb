"""The kernel is given the address of ordinary memory only; all else goes torch's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing._internal.two_tensor import TwoTensor

from onecell.torch import LSTMCell
from onecell.torch.errors import CellMemoryError
from problems import problem
from torch_cells import of_torch, ours, step_inputs

P = problem(batch=1, input_size=1)  # (1, 1): contiguous whatever the strides
X, (H_0, C_0) = step_inputs(P)


class Plain(torch.Tensor):
    """A subclass that changes nothing; torch's operators give it back."""


def sparse(t: Tensor) -> Tensor:
    return t.to_sparse()


def compressed(t: Tensor) -> Tensor:
    return t.to_sparse_csr()


def mkldnn(t: Tensor) -> Tensor:
    return t.to_mkldnn()


def meta(t: Tensor) -> Tensor:
    return t.to("meta")


def negated(t: Tensor) -> Tensor:
    return torch._neg_view(t.neg())


def imaginary(t: Tensor) -> Tensor:
    return torch.complex(torch.zeros_like(t), -t).conj().imag


def lazy_zeros(t: Tensor) -> Tensor:
    return torch._efficientzerotensor(tuple(t.shape))


def functional(t: Tensor) -> Tensor:
    return torch._to_functional_tensor(t)


def subclass(t: Tensor) -> Tensor:
    return t.as_subclass(Plain)


def two(t: Tensor) -> Tensor:
    return TwoTensor(t, t.clone())


def fake(t: Tensor) -> Tensor:
    from torch._subclasses import FakeTensorMode

    return FakeTensorMode().from_tensor(t)


def nested(t: Tensor) -> Tensor:
    return torch.nested.nested_tensor([t[0], t[0]])


def leaked(transform: Callable[..., Any]) -> Callable[[Tensor], Tensor]:
    def leak(t: Tensor) -> Tensor:
        held: list[Tensor] = []

        def hold(inner: Tensor) -> Tensor:
            held.append(inner)
            return inner.sum()

        transform(hold)(t[None])
        return held[0]

    return leak


def shrunk(t: Tensor, size: int) -> Tensor:
    t = t.clone()
    t.untyped_storage().resize_(size)
    return t


EXOTIC: dict[str, Callable[[Tensor], Tensor]] = {
    f.__name__: f
    for f in (
        sparse, compressed, mkldnn, meta, negated, imaginary, lazy_zeros, functional, subclass, two,
        fake, nested,
    )
}  # fmt: skip
EXOTIC |= {"leaked from vmap": leaked(torch.vmap), "leaked from grad": leaked(torch.func.grad)}


def outcome(cell: Any, x: Tensor, state: Any) -> Any:
    """Return what a call gives as plain tensors, or the type of what it raises."""
    try:
        h, c = cell(x, state)
        if h.device.type == "meta" or type(h) not in (Tensor, Plain):
            return type(h), tuple(h.shape), tuple(c.shape)
        return torch.stack([h, c]).detach().as_subclass(Tensor).resolve_neg()
    except Exception as error:
        return type(error)


def agree(got: Any, want: Any) -> bool:
    if isinstance(want, Tensor):
        return isinstance(got, Tensor) and torch.allclose(got, want, rtol=1e-5, atol=1e-6)
    if isinstance(want, type) and isinstance(got, type):
        return issubclass(got, want) or issubclass(want, got)
    return bool(got == want)


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("place", ["x", "h", "c"])
@pytest.mark.parametrize("make", EXOTIC.values(), ids=EXOTIC)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_exotic_arguments_do_not_reach_the_kernel(
    make: Any, place: str, recording: bool, no_kernel: Any
) -> None:
    given = {"x": X, "h": H_0, "c": C_0}
    given[place] = make(given[place])
    call = (given["x"], (given["h"], given["c"]))
    with torch.set_grad_enabled(recording):
        want, got = outcome(of_torch(P), *call), outcome(ours(P), *call)
    assert agree(got, want), (got, want)


def with_parameter(cell: Any, name: str, make: Callable[[Tensor], Tensor]) -> Any:
    with torch.no_grad():
        exotic = make(getattr(cell, name).detach().clone())
        cell._parameters[name] = torch.nn.Parameter(exotic, requires_grad=False)
    return cell


# torch makes no parameter of some kinds, and no vector of others.
IMPOSSIBLE = {("compressed", "bias_ih")} | {
    ("leaked from vmap", name) for name in ("weight_ih", "weight_hh", "bias_ih")
}


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih"])
@pytest.mark.parametrize("kind", EXOTIC)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_exotic_parameters_do_not_reach_the_kernel(kind: str, name: str, no_kernel: Any) -> None:
    make = EXOTIC[kind]
    if (kind, name) in IMPOSSIBLE:
        with pytest.raises((RuntimeError, NotImplementedError, TypeError, IndexError)):
            with_parameter(ours(P), name, make)
        return
    got = outcome(with_parameter(ours(P), name, make), X, (H_0, C_0))
    if make is meta and "weight" in name:
        assert got is CellMemoryError  # torch computes with what happens to lie in memory
    else:
        want = outcome(with_parameter(of_torch(P), name, make), X, (H_0, C_0))
        assert agree(got, want), (got, want)


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
def test_every_check_of_the_quick_way_holds_for_parameters_written_through_data(
    name: str, no_kernel: Any
) -> None:
    cell = ours(P)
    parameter = getattr(cell, name)
    parameter.data = torch._neg_view(parameter.detach().neg())
    with torch.no_grad():
        got = outcome(cell, X, (H_0, C_0))
    assert agree(got, outcome(of_torch(P), X, (H_0, C_0)))


@pytest.mark.parametrize("size", [0, 3])
@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("recording", [True, False])
def test_missing_memory_is_an_error_where_torch_may_end_the_process(
    place: int, recording: bool, size: int, no_kernel: Any
) -> None:
    cell = ours(P)
    tensors = [X.clone(), H_0.clone(), C_0.clone(), *cell.parameters()]
    tensors[place].untyped_storage().resize_(size)
    x, h, c = tensors[:3]
    gone = "storage was shrunk to 3 bytes" if size else "storage was freed"
    with torch.set_grad_enabled(recording), pytest.raises(RuntimeError, match=gone):
        cell(x, (h, c))
    time = x[None] if place else shrunk(X[None], size)
    with torch.set_grad_enabled(recording), pytest.raises(RuntimeError, match=gone):
        cell.unroll(time, (h, c))


@pytest.mark.parametrize("size", [0, 3])
@pytest.mark.parametrize("place", range(1, 3))
def test_memory_that_ends_early_is_seen(place: int, size: int) -> None:
    rows = torch.cat([H_0, C_0])
    given = [X, H_0, C_0]
    given[place] = rows[len(H_0) :]
    rows.untyped_storage().resize_(H_0.numel() * 4 + size)
    for model in (ours(P), ours(P).freeze()):
        with torch.no_grad(), pytest.raises(RuntimeError, match="storage was shrunk"):
            model(given[0], (given[1], given[2]))


@pytest.mark.parametrize("size", [0, 3])
@pytest.mark.parametrize("by", ["a step", "an unroll"])
@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "x", "h"])
def test_memory_that_is_gone_by_the_way_back_is_an_error(name: str, by: str, size: int) -> None:
    cell, x, h = ours(P), X.clone(), H_0.clone()
    h_next = cell(x, (h, C_0))[0] if by == "a step" else cell.unroll(x[None], (h, C_0))[1][0]
    {"x": x, "h": h, **dict(cell.named_parameters())}[name].untyped_storage().resize_(size)
    with pytest.raises(RuntimeError, match="storage was"):
        h_next.sum().backward()


def test_a_gradient_without_memory_is_an_error() -> None:
    h, _ = ours(P)(X, (H_0, C_0))
    h.register_hook(lambda g: shrunk(g, 3))
    with pytest.raises(RuntimeError, match="storage was shrunk"):
        h.square().sum().backward()


@pytest.mark.parametrize("size", [0, 3])
@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
def test_what_has_no_memory_is_not_packed(name: str, size: int) -> None:
    cell = ours(P)
    state = cell.freeze().get_extra_state()
    getattr(cell, name).untyped_storage().resize_(size)
    with pytest.raises(RuntimeError, match=f"`{name}`.*storage was"):
        cell.freeze()
    name = f"packed_{name}"
    state[name] = shrunk(state[name], size)
    with pytest.raises(RuntimeError, match=f"`{name}`.*storage was"):
        ours(P).freeze().set_extra_state(state)


def test_subclasses_stay_what_they_are(no_kernel: Any) -> None:
    h, _ = ours(P)(subclass(X), (H_0, C_0))
    assert type(h) is Plain


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_everyday_call_is_one_call_of_the_kernel(kind: torch.dtype, kernel: Any) -> None:
    cell = LSTMCell(3, 4, dtype=kind)
    x, s = torch.ones(2, 3, dtype=kind), torch.ones(2, 4, dtype=kind)
    with torch.no_grad():
        cell(x, (s, s))
    assert kernel.calls == 1


def test_inference_tensors_are_plain(kernel: Any) -> None:
    with torch.inference_mode():
        x = torch.ones(1, 1)
    with torch.no_grad():
        ours(P)(x, (H_0, C_0))
    assert kernel.calls == 1


def test_a_lazy_copy_is_plain_and_stays_apart(kernel: Any) -> None:
    cell = ours(P)
    want = cell(X, (H_0, C_0))[0]
    copy = X.clone()._lazy_clone()
    got = cell(copy, (H_0, C_0))[0]
    assert torch.equal(got, want)
    assert kernel.calls == 2
