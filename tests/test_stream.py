"""Streams: a state in place, with the bits of the cell's own step and nothing allocated."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import onecell
from onecell import LSTMCell, Stream, Weights
from onecell.errors import ArgumentError, BusyError, DtypeError, ShapeError
from onecell.frozen import WEIGHT_DTYPES
from problems import Array, Problem, problem, problems


@pytest.fixture
def any_isa() -> Iterator[None]:
    """Put the instruction set back that a test changes."""
    before = onecell.isa()
    yield
    onecell.set_isa(before)


def started(p: Problem) -> Stream:
    """Return a stream over the problem's cell, in the problem's state."""
    stream = p.cell.stream(batch=len(p.h))
    stream.restore(p.state)
    return stream


@pytest.mark.usefixtures("any_isa")
@given(problems(), st.sampled_from(["live", *WEIGHT_DTYPES]), st.data())
@settings(deadline=None, max_examples=60)
def test_the_bits_are_those_of_the_step(p: Problem, kind: str, data: st.DataObject) -> None:
    onecell.set_isa(data.draw(st.sampled_from(onecell.available_isas())))
    live = kind == "live" or p.h.dtype == np.float64
    cell = p.cell if live else p.cell.freeze(kind)  # type: ignore[arg-type]
    stream = cell.stream(batch=len(p.h))
    stream.restore(p.state)
    h, c = p.state
    for x in p.x:
        h, c = cell(x, (h, c))
        assert stream.step(x).tobytes() == h.tobytes()
        assert stream.c.tobytes() == c.tobytes()


def test_it_returns_the_same_read_only_array() -> None:
    p = problem()
    stream = started(p)
    h = stream.step(p.x[0])
    assert h is stream.h
    assert stream.step(p.x[1]) is h
    assert stream.c is stream.c
    for half in (stream.h, stream.c):
        assert not half.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            half[0] = 1


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_the_state_is_aligned(batch: int) -> None:
    stream = LSTMCell(5, 9).stream(batch)
    for half in (stream.h, stream.c):
        assert half.ctypes.data % 64 == 0


def test_it_begins_with_zeros() -> None:
    p = problem()
    assert p.cell.stream(3).step(p.x[0]).tobytes() == p.cell(p.x[0])[0].tobytes()


def test_one_row_without_a_batch_axis() -> None:
    p = problem()
    stream = p.cell.stream(batch=None)
    assert stream.step(p.x[0, 0]).shape == (16,)
    assert stream.h.tobytes() == p.cell(p.x[0, 0])[0].tobytes()
    with pytest.raises(ShapeError, match=r"`x` must have shape \(I\) = \(10,\)"):
        stream.step(p.x[0, :1])
    with pytest.raises(ArgumentError, match="no batch axis"):
        stream.reset(0)


def test_out_is_written_and_returned() -> None:
    p = problem()
    stream = started(p)
    out = np.full((3, 16), 7, np.float32)
    assert stream.step(p.x[0], out=out) is out
    assert out.tobytes() == stream.h.tobytes() == p.cell(p.x[0], p.state)[0].tobytes()


@pytest.mark.parametrize("half", ["h", "c"])
def test_the_state_itself_may_be_the_input(half: str) -> None:
    p = problem(1, 3, 16, 16)
    stream = started(p)
    want = p.cell(getattr(p, half), p.state)
    got = stream.step(getattr(stream, half))
    assert got.tobytes() == want[0].tobytes()
    assert stream.c.tobytes() == want[1].tobytes()


def test_it_reads_the_live_parameters() -> None:
    p = problem()
    cell = p.cell
    stream = cell.stream(3)
    for change in range(3):
        if change == 0:
            cell.weight_hh[...] = 0.25
        elif change == 1:
            cell.bias_ih = np.ones(64, np.float32)
        else:
            cell.weights = p.weights
        stream.restore(p.state)
        assert stream.step(p.x[0]).tobytes() == cell(p.x[0], p.state)[0].tobytes()


def test_it_keeps_its_cell_alive() -> None:
    p = problem()
    for cell in (p.cell, p.cell.freeze("int8")):
        want = cell(p.x[0], p.state)[0].tobytes()
        stream = cell.stream(3)
        del cell
        stream.restore(p.state)
        for _ in range(50):
            np.full((64, 16), 7, np.float32)  # would land in freed memory
        assert stream.step(p.x[0]).tobytes() == want


@pytest.mark.parametrize("kind", ["live", *WEIGHT_DTYPES])
def test_a_step_allocates_nothing(kind: str) -> None:
    live = LSTMCell(33, 47)
    stream = (live if kind == "live" else live.freeze(kind)).stream(5)  # type: ignore[arg-type]
    x, out = np.ones((5, 33), np.float32), np.empty((5, 47), np.float32)
    step, reset_peak, traced = stream.step, tracemalloc.reset_peak, tracemalloc.get_traced_memory
    step(x)
    tracemalloc.start()
    try:
        reset_peak()
        before = traced()
        for _ in range(100):
            step(x)
            step(x, out)
        after = traced()
    finally:
        tracemalloc.stop()
    # Asking allocates too: a pair of two integers, and the loop one more.
    assert after[1] - before[1] <= 256
    assert after[0] - before[0] <= 256


def test_reset_of_all_rows() -> None:
    p = problem()
    stream = started(p)
    stream.reset()
    assert not stream.h.any()
    assert not stream.c.any()


@pytest.mark.parametrize(
    "rows",
    [1, -2, [1], (1,), np.array([1]), np.array([False, True, False]), slice(1, 2), np.int64(1)],
    ids=str,
)
def test_reset_of_chosen_rows(rows: Any) -> None:
    p = problem()
    stream = started(p)
    stream.reset(rows)
    for got, before in ((stream.h, p.h), (stream.c, p.c)):
        assert not got[1].any()
        assert got[[0, 2]].tobytes() == before[[0, 2]].tobytes()


@pytest.mark.parametrize("rows", [3, [0, 3], "a", 1.5, np.array([True, False])], ids=str)
def test_reset_of_rows_that_are_not_there(rows: Any) -> None:
    p = problem()
    stream = started(p)
    with pytest.raises(ArgumentError, match="`rows` must choose among the N = 3 rows"):
        stream.reset(rows)
    assert stream.h.tobytes() == p.h.tobytes()


def test_a_row_that_was_reset_forgets_everything() -> None:
    p = problem()
    p.h[1] = p.c[1] = np.nan
    stream = started(p)
    stream.reset(1)
    assert stream.step(p.x[0])[1].tobytes() == p.cell(p.x[0])[0][1].tobytes()


def test_restoring_a_snapshot_goes_back() -> None:
    p = problem()
    stream = started(p)
    stream.step(p.x[0])
    snapshot = stream.snapshot()
    want = stream.step(p.x[1]).copy()
    stream.step(p.x[2])
    stream.restore(snapshot)
    assert stream.step(p.x[1]).tobytes() == want.tobytes()
    assert not np.shares_memory(snapshot[0], stream.h)


FLOATS = np.zeros((3, 16), np.float32)


@pytest.mark.parametrize(
    ("snapshot", "error", "match"),
    [
        pytest.param(None, ArgumentError, "got none", id="none"),
        pytest.param((None, None), ArgumentError, "got none", id="nones"),
        pytest.param(7, ArgumentError, "`c_0` is not", id="number"),
        pytest.param((FLOATS,), ArgumentError, "got 1 elements", id="half"),
        pytest.param((FLOATS, FLOATS.T), ShapeError, r"`c` .* transposed", id="transposed"),
        pytest.param((FLOATS, FLOATS[0]), ShapeError, "`c` must have shape", id="one row"),
        pytest.param((FLOATS, FLOATS.astype("f8")), DtypeError, "`c` must have dtype", id="f8"),
        pytest.param((FLOATS, FLOATS.tolist()), DtypeError, "`c` must be a NumPy", id="list"),
    ],
)
def test_bad_snapshots(snapshot: Any, error: type[Exception], match: str) -> None:
    p = problem()
    stream = started(p)
    with pytest.raises(error, match=match):
        stream.restore(snapshot)
    assert stream.h.tobytes() == p.h.tobytes()


def misaligned(a: Array) -> Array:
    made = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    made[...] = a
    return made


FIT: dict[str, Callable[[Array], Any]] = {
    "strided": lambda a: np.stack([a, a], -1)[..., 0],
    "fortran": np.asfortranarray,
    "big-endian": lambda a: a.astype(">f4"),
    "read-only": lambda a: np.broadcast_to(a, a.shape),
    "misaligned": misaligned,
}
UNFIT: dict[str, tuple[Callable[[Array], Any], type[Exception]]] = {
    "none": (lambda a: None, DtypeError),
    "a list": (lambda a: a.tolist(), DtypeError),
    "float64": (lambda a: a.astype("f8"), DtypeError),
    "int32": (lambda a: a.astype("i4"), DtypeError),
    "objects": (lambda a: a.astype(object), DtypeError),
    "a row less": (lambda a: a[:-1], ShapeError),
    "a column less": (lambda a: a[:, :-1], ShapeError),
    "fewer axes": (lambda a: a[0], ShapeError),
    "more axes": (lambda a: a[None], ShapeError),
    "transposed": (lambda a: a.T, ShapeError),
    "masked": (lambda a: np.ma.masked_less(a, 0), DtypeError),
}


@pytest.mark.parametrize("form", FIT)
def test_inputs_that_fit_after_a_copy(form: str) -> None:
    p = problem()
    want = p.cell(p.x[0], p.state)[0]
    assert started(p).step(FIT[form](p.x[0])).tobytes() == want.tobytes()


@pytest.mark.parametrize("form", UNFIT)
def test_inputs_that_do_not_fit(form: str) -> None:
    p = problem()
    stream = started(p)
    change, error = UNFIT[form]
    with pytest.raises(error, match="`x` must"):
        stream.step(change(p.x[0]))
    assert stream.h.tobytes() == p.h.tobytes()


@pytest.mark.parametrize("form", sorted({*UNFIT, *FIT} - {"none"}))
def test_room_that_does_not_fit(form: str) -> None:
    p = problem()
    stream = started(p)
    change, error = UNFIT[form] if form in UNFIT else (FIT[form], (ArgumentError, DtypeError))
    out = change(np.zeros((3, 16), np.float32))
    with pytest.raises(error, match="`out` must"):
        stream.step(p.x[0], out=out)
    assert stream.h.tobytes() == p.h.tobytes()


@pytest.mark.parametrize("batch", [0, -1, 1.5, "3", True])
def test_impossible_batches(batch: Any) -> None:
    with pytest.raises((ArgumentError, DtypeError), match="`batch` must be"):
        LSTMCell(3, 4).stream(batch)


def snapshots(stream: Stream, count: int) -> None:
    for _ in range(count):
        stream.snapshot()


def test_a_second_thread_is_told() -> None:
    stream = LSTMCell(2048, 1024).stream(64)
    x = np.zeros((64, 2048), np.float32)
    stepping = threading.Event()
    stop = threading.Event()

    def step() -> None:
        while not stop.is_set():
            try:
                stream.step(x)
            except BusyError:
                continue
            stepping.set()

    thread = threading.Thread(target=step)
    thread.start()
    try:
        assert stepping.wait(60)
        with pytest.raises(BusyError, match="one thread at a time"):
            snapshots(stream, 10_000)
    finally:
        stop.set()
        thread.join()
    stream.reset()


def test_streams_over_one_cell_share_nothing() -> None:
    p = problem()
    cell = p.cell
    one, other = cell.stream(3), cell.stream(3)
    one.step(p.x[0])
    assert not other.h.any()


def test_repr_and_cell() -> None:
    cell = LSTMCell(3, 5)
    assert repr(cell.stream(2)) == "LSTMCell(3, 5).stream(batch=2)"
    assert repr(cell.stream(None)) == "LSTMCell(3, 5).stream(batch=None)"
    assert cell.stream().cell is cell


def test_subclasses_of_the_cell_run_their_parameters() -> None:
    class Own(LSTMCell):
        pass

    p = problem()
    cell = Own.from_weights(Weights(**p.weights.arrays()))
    assert cell.stream(3).step(p.x[0]).tobytes() == cell(p.x[0])[0].tobytes()
