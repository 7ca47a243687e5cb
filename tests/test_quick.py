"""The everyday call over arrays: one look from C++, which computes what fits and nothing else."""

from __future__ import annotations

import pickle
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


def test_it_computes_what_fits() -> None:
    done = P.cell._quick(P.x[0], P.state)
    assert done is not None
    for got, want in zip(done, P.cell._careful_step(P.x[0], P.state, None), strict=True):
        assert got.dtype == want.dtype
        assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", WRONG)
def test_it_does_nothing_where_one_array_does_not_fit(name: str, place: int) -> None:
    arrays: list[Any] = [P.x[0], P.h, P.c]
    arrays[place] = WRONG[name](arrays[place])
    assert P.cell._quick(arrays[0], (arrays[1], arrays[2])) is None


@pytest.mark.parametrize(
    "hx", [None, P.h, [P.h, P.c], (P.h,), (P.h, P.c, P.c), (), (None, None)], ids=lambda hx: ""
)
def test_it_leaves_other_states_to_the_careful_way(hx: Any) -> None:
    assert P.cell._quick(P.x[0], hx) is None


def test_its_results_own_their_memory_and_share_none() -> None:
    h, c = P.state
    first, second = P.cell._quick(P.x[0], (h, c)), P.cell._quick(P.x[0], (h, c))
    assert first is not None
    assert second is not None
    arrays = [P.x[0], h, c, *first, *second, *P.weights.arrays().values()]
    for made in (*first, *second):
        assert made.flags.owndata
        assert made.flags.writeable
        assert sum(np.shares_memory(made, other) for other in arrays) == 1


def test_a_copied_cell_still_goes_this_way() -> None:
    copy = pickle.loads(pickle.dumps(P.cell))
    assert copy._quick(P.x[0], P.state) is not None


def test_a_huge_view_is_an_error_and_no_allocation() -> None:
    huge = np.broadcast_to(P.h[:1], (2**40, P.h.shape[1]))
    with pytest.raises(ValueError, match=r"`h_0` must have shape \(N, H\) = \(3, 4\)"):
        P.cell(P.x[0], (huge, P.c))
