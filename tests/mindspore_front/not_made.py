"""Tensors that are not made yet; `test_bad_calls` runs this in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor
from mindspore.common.initializer import One

from mindspore_cells import of_mindspore, ours
from problems import problem

N, I, H = 3, 10, 16  # noqa: E741 - the sizes' names everywhere
P = problem(1, N, I, H)


def floats(*shape: int) -> Tensor:
    return Tensor(np.full(shape, 0.5, np.float32))


def x() -> Tensor:
    return floats(N, I)


def h() -> Tensor:
    return floats(N, H)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("way", ["call", "unroll", "hooked", "gradient"])
def test_a_tensor_that_is_not_made_yet_raises_as_in_mindspores_own_cell(
    way: str, place: int
) -> None:
    cell, own = ours(P), of_mindspore(P)
    given = [x(), h(), h()]
    shape = given[place].shape if way != "unroll" or place > 0 else (2, N, I)
    given[0] = floats(2, N, I) if way == "unroll" else given[0]
    if way == "hooked":
        cell.register_forward_hook(lambda *_: None)

    def value(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return (cell.unroll if way == "unroll" else cell)(x, (h, c))[0].sum()

    def theirs(x: Tensor, h: Tensor, c: Tensor) -> Any:
        return own(x[0] if way == "unroll" else x, (h, c))[0].sum()

    runs: list[Callable[..., Any]] = [theirs, ms.grad(value) if way == "gradient" else value]
    for run in runs:  # of theirs, a row of such a sequence says so in other words
        given[place] = Tensor(shape=shape, dtype=ms.float32, init=One())
        with pytest.raises(RuntimeError, match=r"uninitialized|is null"):
            run(*given)
    given[place] = Tensor(shape=shape, dtype=ms.float32, init=One()).init_data()
    made = value(given[0], given[1], given[2])
    given[place] = ms.ops.ones(shape)
    assert made.asnumpy() == value(given[0], given[1], given[2]).asnumpy()
