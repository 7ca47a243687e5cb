"""Bad calls raise what torch's own cell raises, and where torch ends the process, an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from onecell.errors import DtypeError, OnecellError, ShapeError
from onecell.torch import LSTMCell

N, I, H = 2, 3, 4  # noqa: E741 - the sizes' names everywhere


def t(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.ones(shape, dtype=dtype)


S = (t(N, H), t(N, H))
Call = Callable[[Any], Any]

AS_TORCH: dict[str, Call] = {
    "x too wide": lambda m: m(t(N, I + 1), S),
    "x alone too wide": lambda m: m(t(I + 1), (t(H), t(H))),
    "x transposed": lambda m: m(t(I, N), S),
    "x with three dimensions": lambda m: m(t(2, N, I), S),
    "x without dimensions": lambda m: m(t(), S),
    "h with three dimensions": lambda m: m(t(N, I), (t(1, N, H), t(N, H))),
    "c without dimensions": lambda m: m(t(N, I), (t(N, H), t())),
    "h of another batch": lambda m: m(t(N, I), (t(N + 1, H), t(N, H))),
    "c of another batch": lambda m: m(t(N, I), (t(N, H), t(N + 1, H))),
    "state of batch one": lambda m: m(t(N, I), (t(1, H), t(1, H))),
    "h too wide": lambda m: m(t(N, I), (t(N, H + 1), t(N, H))),
    "c too narrow": lambda m: m(t(N, I), (t(N, H), t(N, 1))),
    "state without a batch axis": lambda m: m(t(N, I), (t(H), t(H))),
    "c without a batch axis": lambda m: m(t(N, I), (t(N, H), t(H))),
    "h alone too wide": lambda m: m(t(I), (t(H + 1), t(H))),
    "c alone too wide": lambda m: m(t(I), (t(H), t(H + 1))),
    "empty batch beside a state": lambda m: m(t(0, I), (t(1, H), t(1, H))),
    "x of double": lambda m: m(t(N, I, dtype=torch.float64), S),
    "x of half": lambda m: m(t(N, I, dtype=torch.float16), S),
    "x of int": lambda m: m(t(N, I, dtype=torch.int64), S),
    "x of bool": lambda m: m(t(N, I, dtype=torch.bool), S),
    "x of complex": lambda m: m(t(N, I, dtype=torch.complex64), S),
    "h of double": lambda m: m(t(N, I), (t(N, H, dtype=torch.float64), t(N, H))),
    "x on meta": lambda m: m(t(N, I).to("meta"), S),
    "state on meta": lambda m: m(t(N, I), (S[0].to("meta"), S[1].to("meta"))),
    "x is None": lambda m: m(None),
    "no x": lambda m: m(),
    "x an array": lambda m: m(t(N, I).numpy()),
    "x a list": lambda m: m([[1.0, 2.0, 3.0]]),
    "x freed": lambda m: m(freed(N, I), S),
    "state one tensor": lambda m: m(t(N, I), t(2, N, H)),
    "state empty": lambda m: m(t(N, I), ()),
    "state of one": lambda m: m(t(N, I), S[:1]),
    "state of three": lambda m: m(t(N, I), (*S, S[0])),
    "h is None": lambda m: m(t(N, I), (None, S[1])),
    "c is None": lambda m: m(t(N, I), (S[0], None)),
    "state of arrays": lambda m: m(t(N, I), (S[0].numpy(), S[1].numpy())),
    "state a string": lambda m: m(t(N, I), "hc"),
    "state a number": lambda m: m(t(N, I), 5),
    "state a dict": lambda m: m(t(N, I), {"h": S[0], "c": S[1]}),
    "state a generator": lambda m: m(t(N, I), (s for s in S)),
    "weight deleted": lambda m: without(m, "weight_ih")(t(N, I), S),
    "weight None": lambda m: having(m, "weight_ih", None)(t(N, I), S),
    "weight short": lambda m: having(m, "weight_ih", t(15, I))(t(N, I), S),
    "weight of another H": lambda m: of_hidden(m, H + 1)(t(N, I), S),
    "weight of a smaller H": lambda m: of_hidden(m, H - 1)(t(N, I), S),
    "weight of double": lambda m: having(m, "weight_ih", w64())(t(N, I), S),
    "weight freed": lambda m: (m.weight_hh.untyped_storage().resize_(0), m(t(N, I), S)),
    "bias short": lambda m: having(m, "bias_ih", t(15))(t(N, I), S),
    "bias of double": lambda m: having(m, "bias_hh", t(16).double())(t(N, I), S),
    "negative I": lambda m: type(m)(-1, H),
    "negative H": lambda m: type(m)(I, -1),
    "I a float": lambda m: type(m)(3.0, H),
    "H a string": lambda m: type(m)(I, "4"),
    "I None": lambda m: type(m)(None, H),
    "sizes that overflow": lambda m: type(m)(2**40, 2**40),
    "an unknown argument": lambda m: type(m)(I, H, has_bias=True),
    "an unknown device": lambda m: type(m)(I, H, device="abacus"),
    "dtype a string": lambda m: type(m)(I, H, dtype="float32"),
    "dtype int": lambda m: type(m)(I, H, dtype=torch.int32),
}

# What torch lets pass, or ends the process on: the shapes that it reads are not those that came.
OURS_ALONE: dict[str, tuple[type[Exception], Call]] = {
    "x alone beside a batch of states": (ShapeError, lambda m: m(t(I), (t(1, H), t(1, H)))),
    "x alone beside a tall state": (ShapeError, lambda m: m(t(I), (t(H, 1), t(H, 1)))),
    "x alone beside a square state": (ShapeError, lambda m: m(t(I), (t(H, H), t(H, H)))),
    "x alone beside h alone and c of a batch": (ShapeError, lambda m: m(t(I), (t(H), t(1, H)))),
    "three states beside x alone": (ShapeError, lambda m: m(t(I), (t(H), t(H), t(H)))),
    "c complex": (
        DtypeError,
        lambda m: m(t(N, I), (S[0], S[1].to(torch.complex64))),
    ),
    "a complex cell": (DtypeError, lambda m: type(m)(I, H, dtype=torch.complex64)),
    "c_0 without h_0": (DtypeError, lambda m: m(t(N, I), None, S[1])),
    "c_0 beside a pair": (DtypeError, lambda m: m(t(N, I), S, S[1])),
    "c_0 no tensor": (DtypeError, lambda m: m(t(N, I), S[0], 1.0)),
    "unroll without time": (ShapeError, lambda m: m.unroll(t(I))),
    "unroll with four dimensions": (ShapeError, lambda m: m.unroll(t(5, 1, N, I))),
    "unroll, x too wide": (ShapeError, lambda m: m.unroll(t(5, N, I + 1))),
    "unroll, state of another batch": (ShapeError, lambda m: m.unroll(t(5, N + 1, I), S)),
    "unroll alone, state of a batch": (ShapeError, lambda m: m.unroll(t(5, I), S)),
    "unroll, x None": (DtypeError, lambda m: m.unroll(None)),
}


def freed(*shape: int) -> torch.Tensor:
    tensor = t(*shape)
    tensor.untyped_storage().resize_(0)
    return tensor


def w64() -> torch.Tensor:
    return t(4 * H, I, dtype=torch.float64)


def without(cell: Any, name: str) -> Any:
    delattr(cell, name)
    return cell


def having(cell: Any, name: str, value: torch.Tensor | None) -> Any:
    if value is None:
        setattr(cell, name, None)
    else:
        getattr(cell, name).data = value
    return cell


def of_hidden(cell: Any, hidden: int) -> Any:
    """Give the cell parameters of another cell, which fit one another but not the sizes."""
    for name, value in torch.nn.LSTMCell(I, hidden).named_parameters():
        having(cell, name, value.detach())
    return cell


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("call", AS_TORCH.values(), ids=AS_TORCH)
def test_raises_the_type_that_torch_raises(call: Call, recording: bool) -> None:
    with torch.set_grad_enabled(recording):
        with pytest.raises(Exception) as theirs:  # noqa: PT011 - compared below
            call(torch.nn.LSTMCell(I, H))
        with pytest.raises(theirs.type):
            call(LSTMCell(I, H))


@pytest.mark.parametrize(("kind", "call"), OURS_ALONE.values(), ids=OURS_ALONE)
def test_raises_where_torch_goes_on(kind: type[Exception], call: Call) -> None:
    with pytest.raises(kind) as raised:
        call(LSTMCell(I, H))
    assert isinstance(raised.value, OnecellError)
    assert "`" in str(raised.value)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (AS_TORCH["x too wide"], r"`input` must have I = 3 .* got shape \(2, 4\)"),
        (AS_TORCH["h of another batch"], r"`h` must have shape \(N, H\) = \(2, 4\), got \(3, 4\)"),
        (AS_TORCH["c too narrow"], r"`c` must have shape \(N, H\) = \(2, 4\), got \(2, 1\)"),
        (lambda m: m(t(N, I), (t(H, N), t(N, H))), "It looks transposed"),
        (AS_TORCH["state one tensor"], r"Call cell\(x, \(h, c\)\) or cell\(x, h, c\)"),
        (OURS_ALONE["x alone beside a tall state"][1], r"`h` must have 1 dimensions \(H,\)"),
    ],
)
def test_messages_name_the_argument_the_rule_and_what_came(call: Call, says: str) -> None:
    with pytest.raises(OnecellError, match=says):
        call(LSTMCell(I, H))


# Odd, and fine in torch: fine here, with the same numbers.
ODD: dict[str, Call] = {
    "c of double": lambda m: m(t(N, I), (S[0], S[1].double())),
    "c of int": lambda m: m(t(N, I), (S[0], S[1].long())),
    "one bias gone": lambda m: having(m, "bias_ih", None)(t(N, I), S),
    "bias of one element": lambda m: having(m, "bias_ih", t(1))(t(N, I), S),
    "bias with two dimensions": lambda m: having(m, "bias_ih", t(1, 16))(t(N, I), S),
    "sparse x": lambda m: m(t(N, I).to_sparse(), S),
    "empty batch": lambda m: m(t(0, I)),
    "x with a gradient, weights without": lambda m: m.requires_grad_(False)(
        t(N, I).requires_grad_(), S
    ),
    "a parameter as state": lambda m: m(t(N, I), (torch.nn.Parameter(S[0]), S[1])),
    "infinities": lambda m: m(torch.tensor([[torch.inf, 0, 1], [-torch.inf, 1, 0]]), S),
    "NaN in the state": lambda m: m(t(N, I), (S[0], torch.full((N, H), torch.nan))),
}


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("call", ODD.values(), ids=ODD)
def test_computes_what_torch_computes(call: Call, recording: bool) -> None:
    found = []
    for kind in (torch.nn.LSTMCell, LSTMCell):
        torch.manual_seed(3)
        with torch.set_grad_enabled(recording):
            found.append(call(kind(I, H)))
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-6, equal_nan=True)
