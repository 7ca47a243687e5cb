"""What a caller may get wrong, and what looks wrong and is not: one table for every front end."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import onecell
import onecell.torch
from onecell import LSTMCell
from onecell.errors import DtypeError, OnecellError, ShapeError
from problems import Array, problem

N, I, H = 3, 10, 16  # noqa: E741 - the sizes' names everywhere
P = problem(1, N, I, H)
X, (H_0, C_0) = P.x[0], P.state


@dataclass(frozen=True)
class FrontEnd:
    """One front end: how it makes its cell and its tensors, and how it answers."""

    name: str
    make: Callable[..., Any]
    cell: Any
    tensor: Callable[[Array], Any]
    array: Callable[[Any], Array]

    def convert(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self.tensor(value)
        if isinstance(value, (tuple, list)):
            return type(value)(self.convert(each) for each in value)
        return value


def same(array: Array) -> Array:
    return array


def arrays() -> FrontEnd:
    return FrontEnd("arrays", LSTMCell, P.cell, same, same)


def in_torch() -> FrontEnd:
    cell = onecell.torch.LSTMCell(I, H)
    cell.load_state_dict({n: torch.from_numpy(a) for n, a in P.weights.arrays().items()})

    def array(tensor: torch.Tensor) -> Array:
        found: Array = tensor.detach().numpy()
        return found

    return FrontEnd("torch", onecell.torch.LSTMCell, cell, torch.from_numpy, array)


def in_mindspore() -> FrontEnd:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mindspore as ms

        import onecell.mindspore
    cell = onecell.mindspore.LSTMCell(I, H)
    for name, parameter in cell.parameters_dict().items():
        parameter.set_data(ms.Tensor(P.weights.arrays()[name.split(".")[-1]]))
    return FrontEnd("mindspore", onecell.mindspore.LSTMCell, cell, ms.Tensor, lambda t: t.asnumpy())


FRONT_ENDS = {"arrays": arrays, "torch": in_torch, "mindspore": in_mindspore}


@pytest.fixture(scope="module", params=FRONT_ENDS)
def front_end(request: pytest.FixtureRequest) -> FrontEnd:
    return FRONT_ENDS[request.param]()


Errors = type[Exception] | tuple[type[Exception], ...]


@dataclass(frozen=True)
class Row:
    """One mistake: the call, the kind of error, and the words that must be in it."""

    name: str
    arguments: tuple[Any, ...]
    error: Errors
    says: str
    only: tuple[str, ...] = ("arrays", "torch", "mindspore")


def other(dtype: Any) -> Array:
    made: Array = X.astype(dtype)
    return made


PAIR = (H_0, C_0)
ONE = (H_0[:1], C_0[:1])
MISTAKES = [
    Row("x too narrow", (X[:, :9].copy(), PAIR), ShapeError, "I = 10"),
    Row("x too wide", (np.zeros((N, 11), np.float32), PAIR), ShapeError, "I = 10"),
    Row("x of no dimensions", (np.array(1, np.float32),), ShapeError, "x|input"),
    Row("x of three dimensions", (X[None], PAIR), ShapeError, "x|input"),
    Row("x transposed", (X.T.copy(), PAIR), ShapeError, "I = 10"),
    Row("state of another batch", (X, (H_0[:2], C_0[:2])), ShapeError, r"\(N, H\) = \(3, 16\)"),
    Row("state of batch one, which would broadcast", (X, ONE), ShapeError, r"\(3, 16\)"),
    Row("state of width one", (X, (H_0[:, :1], C_0[:, :1])), ShapeError, r"\(3, 16\)"),
    Row("x of batch one beside a wider state", (X[:1], PAIR), ShapeError, r"\(1, 16\)"),
    Row("h alone of another shape", (X, (H_0[:, :15], C_0)), ShapeError, "`h"),
    Row("c alone of another shape", (X, (H_0, C_0[:, :15])), ShapeError, "`c"),
    Row("h transposed", (X, (H_0.T.copy(), C_0)), ShapeError, "transposed"),
    Row("c transposed", (X, (H_0, C_0.T.copy())), ShapeError, "transposed"),
    Row("state stacked in one", (X, np.stack(PAIR)), OnecellError, r"\(h, c\)|hx\[0\]"),
    Row("c missing", (X, H_0), OnecellError, r"\(h, c\)|c_0"),
    Row("h missing", (X, None, C_0), OnecellError, "hx|h_0"),
    Row("state of one", (X, (H_0,)), OnecellError, "1 e"),
    Row("state of three", (X, (H_0, C_0, C_0)), OnecellError, "3 e"),
    Row("c twice", (X, PAIR, C_0), OnecellError, "c_0"),
    Row("one row with a batch of states", (X[0], PAIR), ShapeError, r"\(H,\)"),
    Row("one row with a batch of one state", (X[0], ONE), ShapeError, r"\(H,\)"),
    Row("a batch with one row's state", (X, (H_0[0], C_0[0])), ShapeError, r"\(N, H\)"),
    Row("half a batched state", (X, (H_0, C_0[0])), ShapeError, "`c"),
    Row("x of another width of float", (other("f8"), PAIR), Exception, "dtype", ("arrays",)),
    Row("x of integers", (other("i4"), PAIR), DtypeError, "int", ("arrays", "mindspore")),
    Row("x complex", (other("c8"), PAIR), DtypeError, "(?i)complex"),
    Row("h complex", (X, (H_0.astype("c8"), C_0)), DtypeError, "(?i)complex"),
    Row("x no tensor", ([[1.0] * I] * N, PAIR), DtypeError, "`(x|input)` must be a"),
    Row("x none", (None, PAIR), DtypeError, "`(x|input)` must be a"),
    Row("h no tensor", (X, ("state", C_0)), DtypeError, r"`(h|h_0|hx\[0\])` must be a"),
]


PAIRS = [(front, row) for front in FRONT_ENDS for row in MISTAKES if front in row.only]


@pytest.mark.parametrize(
    ("front_end", "row"), PAIRS, ids=[f"{f}-{r.name}" for f, r in PAIRS], indirect=["front_end"]
)
def test_a_mistake_is_named(front_end: FrontEnd, row: Row) -> None:
    arguments = [front_end.convert(argument) for argument in row.arguments]
    with pytest.raises(row.error, match=row.says):
        front_end.cell(*arguments)


MIXED = [(other("f8"), PAIR), (X, (H_0.astype("f8"), C_0)), (other("i4"), PAIR)]


@pytest.mark.parametrize("arguments", MIXED, ids=["x float64", "h float64", "x int32"])
def test_mixed_element_types_raise(front_end: FrontEnd, arguments: tuple[Any, ...]) -> None:
    """As in torch and (but for 16-bit floats) in MindSpore: no silent conversion."""
    with pytest.raises((RuntimeError, TypeError), match=r"(?i)type|must hold floating"):
        front_end.cell(*[front_end.convert(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("sizes", "says"),
    [((-1, 4), "input_size"), ((3, -4), "hidden_size"), (("3", 4), "input_size|str")],
)
def test_impossible_sizes_are_refused(front_end: FrontEnd, sizes: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        front_end.make(*sizes)


def test_sizes_whose_product_overflows_are_refused(front_end: FrontEnd) -> None:
    with pytest.raises(ValueError, match=r"`input_size` = \d+ and `hidden_size` = \d+ ask for"):
        front_end.make(2**62, 2**62)


def strided(a: Array) -> Array:
    wide = np.zeros((a.shape[0], 2 * a.shape[1]), a.dtype)
    wide[:, ::2] = a
    return wide[:, ::2]


def misaligned(a: Array) -> Array:
    raw = np.zeros(a.nbytes + 1, np.uint8)[1:]
    made = raw.view(a.dtype).reshape(a.shape)
    made[...] = a
    return made


def read_only(a: Array) -> Array:
    made = a.copy()
    made.flags.writeable = False
    return made


def reversed_view(a: Array) -> Array:
    return a[:, ::-1].copy()[:, ::-1]


def big_endian(a: Array) -> Array:
    made: Array = a.astype(a.dtype.newbyteorder(">"))
    return made


ODD: dict[str, Callable[[Array], Array]] = {
    "strided": strided,
    "fortran": np.asfortranarray,
    "reversed": reversed_view,
    "read-only": read_only,
    "misaligned": misaligned,
    "big-endian": big_endian,
}


@pytest.mark.parametrize("form", ODD)
def test_odd_memory_gives_the_same_bits_from_arrays(form: str) -> None:
    odd = ODD[form]
    h, c = P.cell(odd(X), (odd(H_0), odd(C_0)))
    want = P.cell(X, PAIR)
    assert h.tobytes() == want[0].tobytes()
    assert c.tobytes() == want[1].tobytes()


@pytest.mark.parametrize("form", ["strided", "fortran", "misaligned"])
def test_odd_memory_gives_the_same_bits_from_torch(form: str) -> None:
    odd = ODD[form]
    front_end = in_torch()
    h, c = front_end.cell(
        torch.from_numpy(odd(X)), (torch.from_numpy(odd(H_0)), torch.from_numpy(C_0))
    )
    want = P.cell(X, PAIR)
    assert front_end.array(h).tobytes() == want[0].tobytes()
    assert front_end.array(c).tobytes() == want[1].tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e-42])
@pytest.mark.parametrize("where", [0, 1, 2], ids=["x", "h", "c"])
def test_special_values_go_through_as_in_torch(
    front_end: FrontEnd, where: int, value: float
) -> None:
    given = [a.copy() for a in (X, H_0, C_0)]
    given[where][1, 2] = value
    original = torch.nn.LSTMCell(I, H)
    original.load_state_dict({n: torch.from_numpy(a) for n, a in P.weights.arrays().items()})
    x, h, c = map(torch.from_numpy, given)
    want = [t.detach().numpy() for t in original(x, (h, c))]
    x, h, c = map(front_end.tensor, given)
    got = [front_end.array(t) for t in front_end.cell(x, (h, c))]
    for mine, right in zip(got, want, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_every_front_end_gives_the_same_bits(front_end: FrontEnd) -> None:
    want = P.cell(X, PAIR)
    got = front_end.cell(front_end.tensor(X), (front_end.tensor(H_0), front_end.tensor(C_0)))
    assert [front_end.array(t).tobytes() for t in got] == [a.tobytes() for a in want]


def test_an_empty_batch_is_no_mistake(front_end: FrontEnd) -> None:
    x, h, c = (front_end.tensor(a[:0]) for a in (X, H_0, C_0))
    h_next, c_next = front_end.cell(x, (h, c))
    assert front_end.array(h_next).shape == front_end.array(c_next).shape == (0, H)
