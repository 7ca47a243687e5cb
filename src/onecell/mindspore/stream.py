"""`Stream`: a cell of this front end and its state, stepped one input at a time."""

from __future__ import annotations

from typing import Any

import mindspore as ms
import numpy as np
import numpy.typing as npt
from mindspore import Tensor

from onecell.errors import DtypeError
from onecell.mindspore import plain
from onecell.mindspore.arguments import check_kinds, read_state
from onecell.tensor_stream import TensorStream

Array = npt.NDArray[Any]


class Stream(TensorStream[Tensor, Array]):
    """A cell over MindSpore's tensors, its state (h, c) of `batch` rows, made by `cell.stream()`.

    A step is a call of the cell, whatever that runs, without recording a gradient. Some rows move
    on at what they cost, and what is returned is new. A stream belongs to one thread at a time: a
    second one gets `BusyError`. A copy runs over the same cell with a state of its own; a deep copy
    or a pickle has its own cell.

    Args:
        cell: the module.
        batch: N, the rows of the state, which begins as zeros; None for one row without a batch
            axis.

    Raises:
        DtypeError, ArgumentError: `batch` is no possible number of rows.
    """

    def _zeros(self) -> Array:
        dtype = self._cell.weight_ih.dtype
        if dtype == ms.bfloat16:
            raise DtypeError("a stream cannot be of mindspore.bfloat16, which NumPy has not.")
        return np.zeros(self._shape, ms.dtype_to_nptype(dtype))

    def _take(self, half: Array, chosen: Any) -> Tensor:  # noqa: ANN401
        return Tensor.from_numpy(np.array(half[chosen], order="C"))

    def _put(self, half: Array, chosen: Any, value: Any) -> None:  # noqa: ANN401
        half[chosen] = value.asnumpy() if isinstance(value, Tensor) else value

    def _run(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        with plain.no_grad():
            after: tuple[Tensor, Tensor] = self._cell(x, state)
        return after

    def _pair(self, snapshot: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        h, c = read_state(snapshot, None)
        check_kinds((True, isinstance(h, Tensor), isinstance(c, Tensor)), False)
        return h, c


Stream.__module__ = "onecell.mindspore"
