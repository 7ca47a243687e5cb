"""Streams over torch's and MindSpore's tensors: the bits of streams over arrays."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import onecell.torch
from onecell.errors import ArgumentError, BusyError, DtypeError, ShapeError
from problems import Problem, problem, problems
from torch_cells import ours


@pytest.fixture(scope="module", autouse=True)
def _framework() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onecell.verify.sides.mindspore import take_process

        take_process()
        yield


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mindspore")


def in_torch(p: Problem) -> Any:
    return ours(p)


def frozen_in_torch(p: Problem) -> Any:
    return ours(p).freeze()


def in_mindspore(p: Problem) -> Any:
    import mindspore_cells

    return mindspore_cells.ours(p)


SIDES: dict[str, Callable[[Problem], Any]] = {
    "torch": in_torch,
    "frozen": frozen_in_torch,
    "mindspore": in_mindspore,
}


def tensor(side: str, array: Any) -> Any:
    if side == "mindspore":
        import mindspore as ms

        return ms.Tensor(np.array(array))
    return torch.from_numpy(np.array(array))


def bits(tensors: Any) -> bytes:
    pair = tensors if isinstance(tensors, tuple) else (tensors,)
    return b"".join(t.numpy().tobytes() if isinstance(t, torch.Tensor) else t.asnumpy().tobytes()
                    for t in pair)  # fmt: skip


@pytest.mark.parametrize("side", SIDES)
@given(p=problems(), data=st.data())
@settings(deadline=None, max_examples=30)
def test_all_rows_and_chosen_rows_have_the_bits_of_a_stream_over_arrays(
    side: str, p: Problem, data: st.DataObject
) -> None:
    if side == "frozen" and p.h.dtype == np.float64:
        return
    batch = len(p.h)
    want, got = p.cell.stream(batch), SIDES[side](p).stream(batch)
    want.restore(p.state)
    got.restore((tensor(side, p.h), tensor(side, p.c)))
    for x in p.x:
        rows = data.draw(st.none() | st.lists(st.integers(0, batch - 1), unique=True))
        chosen = range(batch) if rows is None else rows
        x_rows = np.ascontiguousarray(x[list(chosen)])
        h = got.step(tensor(side, x_rows), rows=rows)
        assert bits(h) == want.step(x_rows, rows=rows).tobytes()
        gone = data.draw(st.lists(st.integers(0, batch - 1), max_size=1))
        want.reset(gone)
        got.reset(gone)
        assert bits(got.snapshot()) == want.h.tobytes() + want.c.tobytes()
    kept = data.draw(st.integers(0, batch - 1))
    got.restore(got.snapshot([kept]), [0])
    want.restore(want.snapshot([kept]), [0])
    assert bits(got.h) + bits(got.c) == want.h.tobytes() + want.c.tobytes()


@pytest.mark.parametrize("side", SIDES)
def test_one_row_and_copies(side: str) -> None:
    p = problem()
    x = tensor(side, p.x[0, 0])
    stream = SIDES[side](p).stream(None)
    want = p.cell.stream(None)
    assert bits(stream.step(x)) == want.step(p.x[0, 0]).tobytes()
    twin = copy.copy(stream)
    assert twin.cell is stream.cell
    first = bits(twin.step(x))
    assert bits(stream.h) == want.h.tobytes()
    assert bits(stream.step(x)) == first
    rows = SIDES[side](p).stream(3)
    assert bits(rows.step(x, rows=1)) == bits(rows.h[1])
    assert "stream(batch=3)" in repr(rows)


@pytest.mark.parametrize("side", SIDES)
def test_what_does_not_fit_changes_nothing(side: str) -> None:
    p = problem()
    stream = SIDES[side](p).stream(3)
    stream.restore((tensor(side, p.h), tensor(side, p.c)))
    before = bits(stream.snapshot())
    x, h = tensor(side, p.x[0]), tensor(side, p.h)
    bad: list[tuple[Callable[[], object], type[Exception]]] = [
        (lambda: stream.step(x, rows=[0]), Exception),
        (lambda: stream.step(x[:2], rows=[1, 1]), ArgumentError),
        (lambda: stream.step(x[:1], rows=[3]), ArgumentError),
        (lambda: stream.restore((h[:2], h[:2])), ShapeError),
        (lambda: stream.restore((h, tensor(side, p.c.astype("f8")))), DtypeError),
        (lambda: stream.restore(None), Exception),
        (lambda: stream.restore((h, None)), Exception),
        (lambda: SIDES[side](p).stream(0), ArgumentError),
    ]
    for act, error in bad:
        with pytest.raises(error):
            act()
        assert bits(stream.snapshot()) == before


@pytest.mark.parametrize("side", SIDES)
def test_results_are_the_callers_own(side: str) -> None:
    p = problem()
    stream = SIDES[side](p).stream(3)
    h = stream.step(tensor(side, p.x[0]))
    before = bits(stream.snapshot())
    for given_away in (h, stream.h, *stream.snapshot()):
        given_away[0] = 7
    assert bits(stream.snapshot()) == before


def test_torch_records_nothing_and_goes_on_in_and_out_of_inference_mode() -> None:
    p = problem()
    cell = ours(p)
    stream, want = cell.stream(3), p.cell.stream(3)
    with torch.inference_mode():
        stream.step(torch.from_numpy(p.x[0]))
    h = stream.step(torch.from_numpy(p.x[1]), rows=torch.tensor([0, 1, 2]))
    want.step(p.x[0])
    assert bits(h) == want.step(p.x[1]).tobytes()
    assert not h.requires_grad
    calls = []
    cell.register_forward_hook(lambda *_: calls.append(1))
    stream.step(torch.from_numpy(p.x[2]))
    assert calls == [1]  # a step is a call of the module


@pytest.mark.parametrize("side", SIDES)
def test_rows_may_be_a_tensor(side: str) -> None:
    p = problem()
    for rows in (np.array([1]), np.array([False, True, False])):
        stream, want = SIDES[side](p).stream(3), p.cell.stream(3)
        h = stream.step(tensor(side, p.x[0, :1]), rows=tensor(side, rows))
        assert bits(h) == want.step(p.x[0, :1], rows=rows).tobytes()
        assert bits(stream.h) == want.h.tobytes()


@pytest.mark.parametrize("side", SIDES)
def test_it_is_pickled_and_copied_with_its_cell(side: str) -> None:
    p = problem()
    cell = SIDES[side](p)
    stream = cell.stream(3)
    stream.step(tensor(side, p.x[0]))
    x = tensor(side, p.x[1])
    twins = [pickle.loads(pickle.dumps(stream)), copy.deepcopy(stream)]
    want = bits(stream.step(x))
    for twin in twins:
        assert twin.cell is not cell
        assert bits(twin.step(x)) == want


class Slow(onecell.torch.LSTMCell):
    def forward(self, *arguments: Any) -> Any:
        entered.set()
        assert leave.wait(60)
        return super().forward(*arguments)


entered, leave = threading.Event(), threading.Event()


def test_a_second_thread_is_refused() -> None:
    stream = Slow(3, 5).stream()
    other = threading.Thread(target=stream.step, args=(torch.ones(1, 3),))
    other.start()
    assert entered.wait(60)
    with pytest.raises(BusyError, match="one thread at a time"):
        stream.snapshot()
    leave.set()
    other.join()
    assert stream.snapshot()[0].any()
