"""What a caller may get wrong, eager and compiled, and what looks wrong and is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from mindspore_cells import of_mindspore, ours, step_inputs
from onecell.errors import ArgumentError, DtypeError, OnecellError, ShapeError
from onecell.mindspore import LSTMCell
from onecell.mindspore.errors import StateError
from problems import problem

N, I, H = 3, 10, 16  # noqa: E741 - the sizes' names everywhere
P = problem(1, N, I, H)


def floats(*shape: int) -> Tensor:
    return Tensor(np.full(shape, 0.5, np.float32))


def x() -> Tensor:
    return floats(N, I)


def h() -> Tensor:
    return floats(N, H)


# What to call the cell with, the error, the kind MindSpore's users expect, what the message names.
BAD: dict[str, tuple[Callable[[], tuple[Any, ...]], type, type, str]] = {
    "x too wide": (lambda: (floats(N, I + 1), (h(), h())), ShapeError, ValueError, "`x`"),
    "x of rank 3": (lambda: (floats(1, N, I), (h(), h())), ShapeError, ValueError, "`x`"),
    "x of rank 0": (lambda: (floats(), (h(), h())), ShapeError, ValueError, "`x`"),
    "other batch": (lambda: (x(), (floats(N - 1, H), h())), ShapeError, ValueError, "`h_0`"),
    "h of one row": (lambda: (x(), (floats(1, H), h())), ShapeError, ValueError, "`h_0`"),
    "c of one row": (lambda: (x(), (h(), floats(1, H))), ShapeError, ValueError, "`c_0`"),
    "c of one column": (lambda: (x(), (h(), floats(N, 1))), ShapeError, ValueError, "`c_0`"),
    "x of one row": (lambda: (floats(1, I), (h(), h())), ShapeError, ValueError, "`h_0`"),
    "h transposed": (lambda: (x(), (floats(H, N), h())), ShapeError, ValueError, "transposed"),
    "x alone, h of a batch": (lambda: (floats(I), (h(), h())), ShapeError, ValueError, "`h_0`"),
    "h of a sequence": (lambda: (x(), (floats(1, N, H), h())), ShapeError, ValueError, "`h_0`"),
    "stacked state": (lambda: (x(), floats(2, N, H)), StateError, TypeError, "unpacked"),
    "h alone": (lambda: (x(), h()), StateError, TypeError, "`c_0`"),
    "one half": (lambda: (x(), (h(),)), StateError, TypeError, "1 elements"),
    "three parts": (lambda: (x(), (h(), h(), h())), StateError, TypeError, "3 elements"),
    "pair and c": (lambda: (x(), (h(), h()), h()), StateError, TypeError, "`c_0`"),
    "h without c": (lambda: (x(), (h(), None)), DtypeError, TypeError, "`c_0`"),
    "integers": (lambda: (x().int(), (h(), h())), DtypeError, TypeError, "`x`"),
    "double x": (lambda: (x().double(), (h(), h())), DtypeError, TypeError, "`x`"),
    "double c": (lambda: (x(), (h(), h().double())), DtypeError, TypeError, "`c_0`"),
    "NumPy x": (lambda: (x().asnumpy(), (h(), h())), DtypeError, TypeError, "`x`"),
    "NumPy h": (lambda: (x(), (h().asnumpy(), h())), DtypeError, TypeError, "`h_0`"),
    "a list as x": (lambda: ([1.0], (h(), h())), DtypeError, TypeError, "`x`"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("mode", ["eager", "ast", "bytecode"])
def test_a_bad_call_raises(case: str, mode: str) -> None:
    arguments, error, kind, names = BAD[case]
    cell = ours(P)

    def call(*given: Any) -> Any:
        return cell(*given)

    run = call if mode == "eager" else ms.jit(call, capture_mode=mode)
    with pytest.raises(kind, match=names) as caught:
        run(*arguments())
    assert isinstance(caught.value, error)
    assert isinstance(caught.value, OnecellError)


@pytest.mark.parametrize("record", [False, True])
def test_what_mindspore_broadcasts_raises(record: bool) -> None:
    cell, own = ours(P), of_mindspore(P)
    wrong = (floats(1, H), floats(N, 1))
    assert own(x(), wrong)[0].shape == (N, H)
    run = ms.grad(lambda x: cell(x, wrong)[0].sum()) if record else lambda x: cell(x, wrong)
    with pytest.raises(ShapeError):
        run(x())


@pytest.mark.parametrize("case", ["rank", "batch", "width", "time"])
def test_a_bad_unroll_raises(case: str) -> None:
    given = {
        "rank": (floats(4, N, 1, I), (h(), h())),
        "batch": (floats(4, N + 1, I), (h(), h())),
        "width": (floats(4, N, I + 1), (h(), h())),
        "time": (floats(4, N, I), (floats(4, N, H), floats(4, N, H))),
    }[case]
    with pytest.raises(ShapeError):
        ours(P).unroll(*given)


def test_a_replaced_parameter_of_another_shape_is_never_read_as_the_old() -> None:
    cell = ours(P)
    cell.weight_hh = ms.Parameter(floats(2, H), name="weight_hh")
    for call in (cell, ms.jit(cell)):
        with pytest.raises(ShapeError, match="`weight_hh`"):
            call(x(), (h(), h()))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"input_size": 0, "hidden_size": 4}, ValueError),
        ({"input_size": 3, "hidden_size": -1}, ValueError),
        ({"input_size": 3.0, "hidden_size": 4}, (TypeError, ValueError)),
        ({"input_size": 3, "hidden_size": 4, "has_bias": 1}, TypeError),
        ({"input_size": 3, "hidden_size": 4, "bias": 1}, DtypeError),
        ({"input_size": 3, "hidden_size": 4, "has_bias": True, "bias": False}, ArgumentError),
        ({"input_size": 3, "hidden_size": 4, "dtype": ms.int32}, DtypeError),
        ({"input_size": 3, "hidden_size": 4, "dtype": ms.complex64}, DtypeError),
        ({"input_size": 3, "hidden_size": 4, "dtype": None}, DtypeError),
    ],
    ids=str,
)
def test_a_bad_constructor_argument_raises(arguments: dict[str, Any], error: Any) -> None:
    with pytest.raises(error):
        LSTMCell(**arguments)


def test_forms_that_mindspore_refuses_and_ours_takes() -> None:
    cell, (x, (h, c)) = ours(P), step_inputs(P)
    want = cell(x, (h, c))[0].asnumpy().tobytes()
    assert cell(x, [h, c])[0].asnumpy().tobytes() == want
    assert cell(x, h, c)[0].asnumpy().tobytes() == want
    assert cell(x=x, hx=(h, c))[0].asnumpy().tobytes() == want
    zeros = ms.ops.zeros_like(h)
    from_zeros = cell(x, (zeros, zeros))[0].asnumpy().tobytes()
    assert cell(x)[0].asnumpy().tobytes() == from_zeros
    assert cell(x, None)[0].asnumpy().tobytes() == from_zeros


@pytest.mark.parametrize("mode", ["ast", "bytecode"])
def test_the_same_forms_compiled(mode: str) -> None:
    cell, (x, (h, c)) = ours(P), step_inputs(P)

    def as_list(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x, [h, c])

    def apart(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x, h, c)

    def without(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x)

    for form, want in ((as_list, cell(x, (h, c))), (apart, cell(x, (h, c))), (without, cell(x))):
        got = ms.jit(form, capture_mode=mode)(x, h, c)
        assert got[1].asnumpy().tobytes() == want[1].asnumpy().tobytes()


@pytest.mark.parametrize("mode", [None, "ast", "bytecode"])
def test_one_row_without_a_batch_axis(mode: str | None) -> None:
    cell, (x, (h, c)) = ours(P), step_inputs(P)

    def call(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x, (h, c))

    run = ms.jit(call, capture_mode=mode) if mode else call
    got, want = run(x[1], h[1], c[1]), cell(x, (h, c))
    assert got[0].shape == (H,)
    assert got[1].asnumpy().tobytes() == want[1].asnumpy()[1].tobytes()


def test_one_row_records_a_gradient() -> None:
    cell, (x, (h, c)) = ours(P), step_inputs(P)
    alone = ms.grad(lambda x: cell(x, (h[1], c[1]))[0].sum())(x[1])
    whole = ms.grad(lambda x: cell(x, (h, c))[0].sum())(x)
    assert alone.asnumpy().tobytes() == whole.asnumpy()[1].tobytes()


@pytest.mark.parametrize("mode", [None, "ast"])
def test_no_steps_leave_the_state(mode: str | None) -> None:
    cell, (_, (h, c)) = ours(P), step_inputs(P)

    def call(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell.unroll(x, (h, c))

    run = ms.jit(call, capture_mode=mode) if mode else call
    h_all, (h_last, c_last) = run(floats(0, N, I), h, c)
    assert h_all.shape == (0, N, H)
    assert h_last.asnumpy().tobytes() == h.asnumpy().tobytes()
    assert c_last.asnumpy().tobytes() == c.asnumpy().tobytes()


@pytest.mark.parametrize("mode", [None, "ast", "bytecode"])
def test_an_empty_batch(mode: str | None) -> None:
    cell = ours(P)

    def call(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return cell(x, (h, c))

    run = ms.jit(call, capture_mode=mode) if mode else call
    assert [a.shape for a in run(floats(0, I), floats(0, H), floats(0, H))] == [(0, H)] * 2


def test_not_numbers_and_infinities_go_through() -> None:
    cell = ours(P)
    rows = np.zeros((N, I), np.float32)
    rows[0, 0], rows[1, 0] = np.nan, np.inf
    h_next, c_next = (a.asnumpy() for a in cell(Tensor(rows), (h(), h())))
    assert np.isnan(h_next[0]).all()
    assert np.isnan(c_next[0]).all()
    assert np.isfinite(h_next[1:]).all()


def test_inputs_are_never_written() -> None:
    cell, (x, (h, c)) = ours(P), step_inputs(P)
    before = [a.asnumpy().copy() for a in (x, h, c)]
    ms.grad(lambda x: cell(x, (h, c))[0].sum(), 0, cell.trainable_params())(x)
    cell.unroll(x[None], (h, c))
    for now, then in zip((x, h, c), before, strict=True):
        assert now.asnumpy().tobytes() == then.tobytes()


def test_a_tensor_that_is_not_made_yet_raises_as_in_mindspores_own_cell() -> None:
    """In a process of its own: MindSpore does not recover from such a tensor."""
    program = str(Path(__file__).with_name("not_made.py"))
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run([*words, program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
