"""Some rows of a stream by themselves, and streams that are copied and pickled."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecell import LSTMCell, Stream
from onecell.errors import ArgumentError, DtypeError, ShapeError
from onecell.frozen import WEIGHT_DTYPES
from problems import Array, Problem, problem, problems

kinds = st.sampled_from(["live", *WEIGHT_DTYPES])


def started(p: Problem, kind: str = "live") -> Stream:
    live = kind == "live" or p.h.dtype == np.float64
    cell = p.cell if live else p.cell.freeze(kind)  # type: ignore[arg-type]
    stream = cell.stream(batch=len(p.h))
    stream.restore(p.state)
    return stream


def spell(chosen: list[int], batch: int, how: str) -> Any:
    """Return another way to choose the same rows, in this order where it has one."""
    if how == "mask":
        return np.isin(np.arange(batch), chosen)
    if how == "negative":
        return [row - batch for row in chosen]
    if how == "array":
        return np.array(chosen, np.intp)
    return tuple(chosen) if how == "tuple" else list(chosen)


@given(problems(), kinds, st.data())
@settings(deadline=None, max_examples=80)
def test_only_chosen_rows_move_on_and_have_the_bits_of_rows_alone(
    p: Problem, kind: str, data: st.DataObject
) -> None:
    stream = started(p, kind)
    cell: Any = stream.cell
    h, c = p.h.copy(), p.c.copy()
    batch = len(h)
    for x in p.x:
        chosen = data.draw(st.lists(st.integers(0, batch - 1), unique=True))
        how = data.draw(st.sampled_from(["list", "tuple", "array", "negative", "mask"]))
        chosen = sorted(chosen) if how == "mask" else chosen
        rows = spell(chosen, batch, how)
        out = np.empty((len(chosen), h.shape[1]), h.dtype) if data.draw(st.booleans()) else None
        got = stream.step(x[chosen], out, rows)
        assert out is None or got is out
        for row in chosen:
            h[row : row + 1], c[row : row + 1] = cell(
                x[row : row + 1], (h[row : row + 1], c[row : row + 1])
            )
        assert got.tobytes() == h[chosen].tobytes()
        assert (stream.h.tobytes(), stream.c.tobytes()) == (h.tobytes(), c.tobytes())


def test_one_index_has_no_row_axis() -> None:
    p = problem()
    stream = started(p)
    got = stream.step(p.x[0, 1], rows=1)
    want = p.cell(p.x[0, 1], (p.h[1], p.c[1]))
    assert got.shape == (16,)
    assert got.tobytes() == stream.h[1].tobytes() == want[0].tobytes()
    assert stream.snapshot(1)[1].tobytes() == want[1].tobytes()


def test_the_state_itself_may_be_the_input() -> None:
    p = problem(1, 3, 16, 16)
    stream = started(p)
    want = p.cell(p.h[1:], (p.h[:2], p.c[:2]))[0]
    assert stream.step(stream.h[1:], rows=[0, 1]).tobytes() == want.tobytes()


@pytest.mark.parametrize("rows", [3, [0, 3], [1, 1], [1, -2], "a", 1.5, [[0, 1]], True], ids=str)
@pytest.mark.parametrize("act", ["step", "restore"])
def test_rows_that_cannot_move_on(rows: Any, act: str) -> None:
    p = problem()
    stream = started(p)
    given: Any = p.x[0, :2] if act == "step" else (p.h[:2], p.c[:2])
    with pytest.raises(ArgumentError, match="`rows` must"):
        getattr(stream, act)(given, rows=rows)
    assert stream.h.tobytes() == p.h.tobytes()


def test_inputs_and_room_that_do_not_fit_the_rows() -> None:
    p = problem()
    stream = started(p)
    with pytest.raises(ShapeError, match=r"`x` must have shape \(K, I\) = \(2, 10\)"):
        stream.step(p.x[0], rows=[0, 2])
    with pytest.raises(DtypeError, match="`x` must"):
        stream.step(p.x[0, :2].astype("f8"), rows=[0, 2])
    with pytest.raises(ShapeError, match=r"`out` must have shape \(K, H\) = \(2, 16\)"):
        stream.step(p.x[0, :2], np.empty((3, 16), np.float32), [0, 2])
    with pytest.raises(ArgumentError, match="`out` must be dense"):
        stream.step(p.x[0, :2], np.empty((16, 2), np.float32).T, [0, 2])
    with pytest.raises(ShapeError, match=r"`h` must have shape \(K, H\) = \(2, 16\)"):
        stream.restore(p.state, [0, 2])
    with pytest.raises(ArgumentError, match="no batch axis"):
        p.cell.stream(None).step(p.x[0, 0], rows=0)
    with pytest.raises(TypeError, match="another name"):
        stream.step(p.x[0], row=0)  # type: ignore[call-arg]
    assert stream.h.tobytes() == p.h.tobytes()


@given(problems(min_batch=2), st.data())
@settings(deadline=None, max_examples=40)
def test_rows_are_kept_and_put_elsewhere(p: Problem, data: st.DataObject) -> None:
    batch = len(p.h)
    rows = data.draw(st.lists(st.integers(0, batch - 1), min_size=1, unique=True))
    stream, other = started(p), p.cell.stream(batch)
    kept = stream.snapshot(rows)
    assert kept[0].tobytes() == p.h[rows].tobytes()
    assert kept[1].tobytes() == p.c[rows].tobytes()
    assert not np.shares_memory(kept[0], stream.h)
    other.restore(kept, rows)
    for got, before in ((other.h, p.h), (other.c, p.c)):
        want = np.zeros_like(before)
        want[rows] = before[rows]
        assert got.tobytes() == want.tobytes()


def test_steps_of_rows_give_their_memory_back() -> None:
    stream = LSTMCell(33, 47).stream(64)
    x, out, rows = np.ones((9, 33), np.float32), np.empty((9, 47), np.float32), np.arange(9)
    stream.step(x, out, rows)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            stream.step(x, out, rows)
        assert tracemalloc.get_traced_memory()[0] - before <= 1024
    finally:
        tracemalloc.stop()


COPIES: dict[str, Callable[[Stream], Stream]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda stream: pickle.loads(pickle.dumps(stream)),
}


@pytest.mark.parametrize("batch", [3, None])
@pytest.mark.parametrize("kind", ["live", "bfloat16", "int8"])
@pytest.mark.parametrize("how", COPIES)
def test_copies_go_on_by_themselves(how: str, kind: str, batch: int | None) -> None:
    p = problem()
    x: Array = p.x if batch else p.x[:, 0]
    cell: Any = p.cell if kind == "live" else p.cell.freeze(kind)  # type: ignore[arg-type]
    stream = cell.stream(batch)
    stream.step(x[0])
    twin = COPIES[how](stream)
    before = stream.h.tobytes()
    assert (twin.h.tobytes(), twin.c.tobytes()) == (before, stream.c.tobytes())
    assert (twin.cell is stream.cell) == (how == "copy")
    first = twin.step(x[1]).tobytes()
    assert stream.h.tobytes() == before
    assert stream.step(x[1]).tobytes() == first


def test_what_a_subclass_keeps_comes_along() -> None:
    stream = Named(LSTMCell(3, 5), 2)
    stream.name = "a"
    for again in COPIES.values():
        twin = again(stream)
        assert isinstance(twin, Named)
        assert twin.name == "a"


class Named(Stream):
    name: str
