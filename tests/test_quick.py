"""The everyday call over arrays: one look from C++, which computes what fits and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from problems import Array, problem

P = problem(1, 3, 5, 4)


class Plain(np.ndarray):
    """A subclass that changes nothing."""


def misaligned(a: Array) -> Array:
    made = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    made[...] = a
    return made


WRONG: dict[str, Callable[[Array], Any]] = {
    "none": lambda a: None,
    "a list": lambda a: a.tolist(),
    "bytes": lambda a: a.tobytes(),
    "float64": lambda a: a.astype("f8"),
    "float16": lambda a: a.astype("f2"),
    "int32": lambda a: a.astype("i4"),
    "complex": lambda a: a.astype("c8"),
    "objects": lambda a: a.astype(object),
    "big-endian": lambda a: a.astype(">f4"),
    "a record": lambda a: a.copy().view([("f", "f4")]),
    "dates": lambda a: a.astype("i8").view("M8[s]"),
    "more axes": lambda a: a[None],
    "fewer axes": lambda a: a[0],
    "no axes": lambda a: np.array(1, np.float32),
    "a row less": lambda a: a[:-1],
    "a row more": lambda a: np.concatenate([a, a[:1]]),
    "a column less": lambda a: np.ascontiguousarray(a[:, :-1]),
    "strided": lambda a: np.stack([a, a], -1)[..., 0],
    "fortran": np.asfortranarray,
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "misaligned": misaligned,
    "a subclass": lambda a: a.view(Plain),
    "masked": lambda a: np.ma.masked_less(a, 0),
}


def arguments() -> list[Any]:
    """Return x, h, c, and room for h' and c'."""
    room = np.full((2, *P.h.shape), 7, np.float32)
    return [P.x[0], P.h, P.c, room[0], room[1]]


def test_it_computes_what_fits() -> None:
    arrays = arguments()
    assert P.cell._quick.step(*arrays)
    for got, want in zip(arrays[3:], P.cell._careful_step(P.x[0], P.state, None), strict=True):
        assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("name", WRONG)
def test_it_does_nothing_where_one_array_does_not_fit(name: str, place: int) -> None:
    arrays = arguments()
    arrays[place] = WRONG[name](arrays[place])
    assert not P.cell._quick.step(*arrays)
    assert all(np.all(a == 7) for k, a in enumerate(arrays) if k > 2 and k != place)


def test_it_does_not_write_what_is_read_only() -> None:
    arrays = arguments()
    arrays[4].flags.writeable = False
    assert not P.cell._quick.step(*arrays)


def test_a_huge_view_is_an_error_and_no_allocation() -> None:
    huge = np.broadcast_to(P.h[:1], (2**40, P.h.shape[1]))
    with pytest.raises(ValueError, match=r"`h_0` must have shape \(N, H\) = \(3, 4\)"):
        P.cell(P.x[0], (huge, P.c))
