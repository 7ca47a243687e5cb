"""The reader of tensors in place: it computes what fits, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from onecell.torch import routes
from problems import problem
from torch_cells import ours, step_inputs

P = problem(batch=3, input_size=5, hidden_size=4)
X, (H_0, C_0) = step_inputs(P)
HIDDEN = 4


class Plain(torch.Tensor):
    """A subclass that changes nothing."""


def arguments() -> list[Any]:
    """Return four parameters, x, h, c, and room for h' and c', for P's cell."""
    return [*ours(P).parameters(), X, H_0, C_0, torch.empty_like(H_0), torch.empty_like(C_0)]


def step(hidden: int, tensors: list[Any]) -> bool:
    assert routes._reader is not None, "this torch should have the exchange interface"
    return routes._reader.step(hidden, *tensors)


def freed(t: Tensor) -> Tensor:
    copy = t.clone()
    copy.untyped_storage().resize_(0)
    return copy


def misaligned(t: Tensor) -> Tensor:
    raw = torch.zeros(t.numel() * 4 + 1, dtype=torch.uint8)[1:]
    return torch.frombuffer(raw.numpy(), dtype=torch.float32).view(t.shape)


WRONG: dict[str, Callable[[Tensor], Any]] = {
    "none": lambda t: None,
    "a number": lambda t: 5,
    "an array": lambda t: t.numpy(),
    "a class": lambda t: torch.Tensor,
    "float64": lambda t: t.double(),
    "float16": lambda t: t.half(),
    "bfloat16": lambda t: t.bfloat16(),
    "int32": lambda t: t.int(),
    "complex": lambda t: t.to(torch.complex64),
    "more axes": lambda t: t[None],
    "fewer axes": lambda t: t[0],
    "a row less": lambda t: t[:-1],
    "a row more": lambda t: torch.cat([t, t[:1]]),
    "empty": lambda t: t[:0],
    "strided": lambda t: torch.stack([t, t], -1)[..., 0],
    "expanded": lambda t: t[:1].expand(t.shape),
    "freed": freed,
    "misaligned": misaligned,
    "meta": lambda t: t.to("meta"),
    "sparse": lambda t: t.to_sparse(),
    "zeros without memory": lambda t: torch._efficientzerotensor(tuple(t.shape)),
    "a subclass": lambda t: t.as_subclass(Plain),
}


def test_it_computes_what_fits() -> None:
    tensors = arguments()
    assert step(HIDDEN, tensors)
    want_h, want_c = P.cell(P.x[0], P.state)
    assert tensors[7].numpy().tobytes() == want_h.tobytes()
    assert tensors[8].numpy().tobytes() == want_c.tobytes()


@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("name", WRONG)
def test_it_does_nothing_where_one_tensor_does_not_fit(name: str, place: int) -> None:
    tensors = arguments()
    tensors[7].fill_(7)
    tensors[8].fill_(7)
    tensors[place] = WRONG[name](tensors[place].detach())
    assert not step(HIDDEN, tensors)
    assert all(bool((t == 7).all()) for k, t in enumerate(tensors) if k > 6 and k != place)


@pytest.mark.parametrize("hidden", [0, -4, 3, 5, 2**40, 2**61, 2**63 - 1])
def test_it_does_nothing_where_the_size_does_not_fit(hidden: int) -> None:
    assert not step(hidden, arguments())


def test_an_older_torch_takes_the_longer_way(monkeypatch: pytest.MonkeyPatch, kernel: Any) -> None:
    """Before torch had the interface: the same bits, some microseconds later."""
    cell = ours(P)
    with torch.no_grad():
        want = cell(X, (H_0, C_0))[0]
        monkeypatch.setattr(routes, "_reader", None)
        got = cell(X, (H_0, C_0))[0]
    assert kernel.calls == 2
    assert torch.equal(got, want)


def test_a_foreign_interface_is_refused() -> None:
    from onecell import _kernel

    with pytest.raises(ValueError, match="PyCapsule"):
        _kernel.StepReader(5, torch.Tensor, torch.nn.Parameter)
