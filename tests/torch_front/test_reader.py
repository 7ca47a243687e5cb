"""The reader of tensors in place: it computes what fits, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from onecell import _kernel
from onecell.torch import library, reading
from problems import problem
from torch_cells import ours, step_inputs

P = problem(batch=3, input_size=5, hidden_size=4)
X, (H_0, C_0) = step_inputs(P)
HIDDEN = 4


class Plain(torch.Tensor):
    """A subclass that changes nothing."""


NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def arguments() -> list[Any]:
    """Return four parameters, x, h and c, for P's cell."""
    return [*(p.detach() for p in ours(P).parameters()), X, H_0, C_0]


def step(hidden: Any, tensors: list[Any]) -> Any:
    assert reading.step_reader is not None, "this torch should have the exchange interface"
    x, h, c = tensors[4:]
    return reading.step_reader.step(dict(zip(NAMES, tensors, strict=False)), hidden, x, (h, c))


def shrunk(t: Tensor, size: int) -> Tensor:
    copy = t.clone()
    copy.untyped_storage().resize_(size)
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
    "freed": lambda t: shrunk(t, 0),
    "shrunk": lambda t: shrunk(t, t.numel() * 4 - 1),
    "misaligned": misaligned,
    "meta": lambda t: t.to("meta"),
    "sparse": lambda t: t.to_sparse(),
    "zeros without memory": lambda t: torch._efficientzerotensor(tuple(t.shape)),
    "a subclass": lambda t: t.as_subclass(Plain),
}


STRIDED: dict[str, Callable[[Tensor], Tensor]] = {
    "every other element": lambda t: torch.stack([t, t], -1)[..., 0],
    "rows of something wider": lambda t: torch.stack([t, -t], 1)[:, 0],
    "expanded": lambda t: t[:1].expand(t.shape),
    "expanded twice": lambda t: t[:1, :1].expand(t.shape),
    "columns": lambda t: t.t().contiguous().t(),
    "overlapping": lambda t: torch.arange(90, dtype=t.dtype).as_strided(t.shape, (2, 1), 3),
}


def test_it_computes_what_fits() -> None:
    h, c = step(HIDDEN, arguments())
    want_h, want_c = P.cell(P.x[0], P.state)
    assert h.numpy().tobytes() == want_h.tobytes()
    assert c.numpy().tobytes() == want_c.tobytes()


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("name", WRONG)
def test_it_does_nothing_where_one_tensor_does_not_fit(name: str, place: int) -> None:
    tensors = arguments()
    tensors[place] = WRONG[name](tensors[place])
    assert step(HIDDEN, tensors) is None


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("name", STRIDED)
def test_it_takes_inputs_of_any_strides_and_dense_weights(name: str, place: int) -> None:
    tensors = arguments()
    if tensors[place].dim() == 1:  # a bias
        tensors[place] = torch.stack([tensors[place]] * 2, -1)[..., 0]
    else:
        tensors[place] = STRIDED[name](tensors[place])
    done = step(HIDDEN, tensors)
    if place < len(NAMES):
        assert done is None
        return
    want = step(HIDDEN, [t.contiguous() for t in tensors])
    assert all(torch.equal(a, b) for a, b in zip(done, want, strict=True))
    assert all(t.is_contiguous() for t in done)


def test_it_takes_one_row_without_a_batch_axis() -> None:
    tensors = arguments()
    weights, rows = tensors[:4], [t[1] for t in tensors[4:]]
    want = step(HIDDEN, [*weights, *(t[None] for t in rows)])
    got = step(HIDDEN, [*weights, *rows])
    apart = step(HIDDEN, [*weights, *(torch.stack([t, t], -1)[..., 0] for t in rows)])
    for done in (got, apart):
        assert all(torch.equal(a, b[0]) for a, b in zip(done, want, strict=True))
    for place in range(4, 7):
        mixed = [*weights, *rows]
        mixed[place] = mixed[place][None]
        assert step(HIDDEN, mixed) is None


def test_it_takes_no_state_for_zeros() -> None:
    assert reading.step_reader is not None
    tensors = arguments()
    named = dict(zip(NAMES, tensors, strict=False))
    zeros = torch.zeros_like(H_0)
    for x, state in ((X, zeros), (X[0], zeros[0])):
        got = reading.step_reader.step(named, HIDDEN, x, None)
        want = step(HIDDEN, [*tensors[:4], x, state, state])
        assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


def test_it_says_where_only_torch_s_operators_must_compute() -> None:
    with torch.autocast("cpu"):
        assert step(HIDDEN, arguments()) is False
        assert step(HIDDEN + 1, arguments()) is None


@pytest.mark.parametrize("hidden", [0, -4, 3, 5, 2**40, 2**61, 2**63 - 1, 2**64, 4.0, "4", None])
def test_it_does_nothing_where_the_size_does_not_fit(hidden: Any) -> None:
    assert step(hidden, arguments()) is None


@pytest.mark.parametrize(
    "hx", [(None, None), (H_0, None), 5, (H_0,), (H_0, C_0, C_0), {0: H_0, 1: C_0}, H_0]
)
def test_it_does_nothing_where_the_state_is_no_pair(hx: Any) -> None:
    assert reading.step_reader is not None
    parameters = dict(zip(NAMES, arguments(), strict=False))
    assert reading.step_reader.step(parameters, HIDDEN, X, hx) is None


@pytest.mark.parametrize("parameters", [None, (), {}, {"weight_ih": X}])
def test_it_does_nothing_where_the_parameters_are_not_there(parameters: Any) -> None:
    assert reading.step_reader is not None
    assert reading.step_reader.step(parameters, HIDDEN, X, (H_0, C_0)) is None


def test_an_older_torch_takes_the_longer_way(monkeypatch: pytest.MonkeyPatch, kernel: Any) -> None:
    """Before torch had the interface: the same bits, some microseconds later."""
    cell = ours(P)
    with torch.no_grad():
        want = cell(X, (H_0, C_0))[0]
        monkeypatch.setattr(reading, "step_reader", None)
        got = cell(X, (H_0, C_0))[0]
    assert kernel.calls == 2
    assert torch.equal(got, want)


def test_a_foreign_interface_is_refused() -> None:
    with pytest.raises(ValueError, match="PyCapsule"):
        _kernel.StepReader(5, torch.Tensor, torch.nn.Parameter, 0, 0, reading._Answers())


def test_storages_are_seen_without_torch_s_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert library.storage_questions() != (0, 0)
    monkeypatch.setattr(library, "_function", lambda _: None)
    assert library.storage_questions() == (0, 0)
    monkeypatch.setattr(reading, "storage_questions", library.storage_questions)
    reader = reading.make_reader(_kernel.StepReader, reading._Answers())
    assert reader is not None
    given = dict(zip(NAMES, arguments(), strict=False))
    assert reader.step(given, HIDDEN, X, (H_0, C_0)) is not None
    rows = torch.cat([X, X])
    x = rows[len(X) :]
    assert reader.step(given, HIDDEN, x, (H_0, C_0)) is not None
    assert reader.step(given, HIDDEN, shrunk(X, X.numel() * 4 - 1), (H_0, C_0)) is None
    rows.untyped_storage().resize_(rows.numel() * 4 - 1)
    assert reader.step(given, HIDDEN, x, (H_0, C_0)) is None
