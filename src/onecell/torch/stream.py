"""`Stream`: a cell of this front end and its state, stepped one input at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from onecell.tensor_stream import TensorStream
from onecell.torch.arguments import read_state
from onecell.torch.errors import CellTypeError


class Stream(TensorStream[Tensor, Tensor]):
    """A cell over torch's tensors and its state (h, c), of `batch` rows, made by `cell.stream()`.

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

    def _zeros(self) -> Tensor:
        like = next(iter(self._cell.parameters()), None)
        with torch.inference_mode(mode=False):  # to be written outside of it as well
            if like is None:  # a frozen cell
                return torch.zeros(self._shape)
            return torch.zeros(self._shape, dtype=like.dtype, device=like.device)

    def _take(self, half: Tensor, chosen: Any) -> Tensor:  # noqa: ANN401
        return half.clone() if chosen is ... else half[torch.as_tensor(chosen)].clone()

    def _put(self, half: Tensor, chosen: Any, value: Tensor | int) -> None:  # noqa: ANN401
        if chosen is not ...:
            half[torch.as_tensor(chosen)] = value
        elif isinstance(value, Tensor):
            half.copy_(value)
        else:
            half.fill_(value)

    def _run(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            after: tuple[Tensor, Tensor] = self._cell(x, state)
        return after

    def _pair(self, snapshot: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        pair = read_state(snapshot, None)
        if pair is None:
            raise CellTypeError("`snapshot` must be a state (h, c), got none. Use reset().")
        return pair[0].detach(), pair[1].detach()


Stream.__module__ = "onecell.torch"
