"""The everyday call over MindSpore tensors: asked and computed from C++, what fits and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor

from mindspore_cells import ours, step_inputs, tensor
from onecell.mindspore import calls
from problems import problem

P = problem(1, 3, 5, 4)

WRONG: dict[str, Callable[[Any], Any]] = {
    "none": lambda a: None,
    "an array": lambda a: a,
    "float64": lambda a: tensor(a.astype("f8")),
    "float16": lambda a: tensor(a.astype("f2")),
    "int32": lambda a: tensor(a.astype("i4")),
    "more axes": lambda a: tensor(a[None]),
    "fewer axes": lambda a: tensor(a[0]),
    "no axes": lambda a: tensor(np.array(1, np.float32)),
    "a row less": lambda a: tensor(a[:-1]),
    "a column more": lambda a: tensor(np.concatenate([a, a[:, :1]], 1)),
    "no rows": lambda a: tensor(a[:0]),
    "strided": lambda a: tensor(np.ascontiguousarray(a.T)).T,
    "misaligned": lambda a: Tensor.from_numpy(
        np.frombuffer(bytearray(b"." + a.tobytes()), np.uint8)[1:].view("f4").reshape(a.shape)
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_it_computes_what_fits(bias: bool, dtype: Any) -> None:
    p = problem(1, bias=bias, dtype=dtype)
    found = calls.quick(ours(p), *step_inputs(p))
    want = p.cell(p.x[0], p.state)
    assert [a.asnumpy().tobytes() for a in found] == [a.tobytes() for a in want]


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", WRONG)
def test_it_does_nothing_where_one_input_does_not_fit(name: str, place: int) -> None:
    given: list[Any] = [tensor(a) for a in (P.x[0], P.h, P.c)]
    given[place] = WRONG[name]((P.x[0], P.h, P.c)[place])
    assert calls.quick(ours(P), given[0], (given[1], given[2])) is None


@pytest.mark.parametrize("place", ["weight_ih", "weight_hh"])
@pytest.mark.parametrize("name", [n for n in WRONG if n not in ("none", "an array", "no axes")])
def test_it_does_nothing_where_a_parameter_does_not_fit(name: str, place: str) -> None:
    cell = ours(P)
    wrong = WRONG[name](getattr(P.weights, place))
    # A Parameter made of either of two is dense and aligned.
    kept = name in ("strided", "misaligned")
    cell._params[place] = wrong if kept else Parameter(wrong, name=place)
    assert calls.quick(cell, *step_inputs(P)) is None


def test_it_needs_both_biases_or_none() -> None:
    cell = ours(P)
    cell._params["bias_hh"] = None
    assert calls.quick(cell, *step_inputs(P)) is None


def test_it_reads_parameters_as_they_are_now() -> None:
    cell, other = ours(P), problem(1, 3, 5, 4, scale=2)
    reference = other.cell
    cell(*step_inputs(P))
    for name, array in other.weights.arrays().items():
        getattr(cell, name).set_data(tensor(array))
    found, want = cell(*step_inputs(P)), reference(P.x[0], P.state)
    assert [a.asnumpy().tobytes() for a in found] == [a.tobytes() for a in want]
    ms.ops.assign(cell.weight_hh, tensor(P.weights.weight_hh))
    reference.weight_hh = P.weights.weight_hh
    found, want = cell(*step_inputs(P)), reference(P.x[0], P.state)
    assert [a.asnumpy().tobytes() for a in found] == [a.tobytes() for a in want]


def test_results_share_no_memory() -> None:
    cell, (x, (h, c)) = ours(P), step_inputs(P)
    results = [*cell(x, (h, c)), *cell(x, (h, c))]
    arrays = [t.asnumpy() for t in (x, h, c, *cell.get_parameters(), *results)]
    for made in arrays[-4:]:
        assert sum(np.shares_memory(made, other) for other in arrays) == 1
