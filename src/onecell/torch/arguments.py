"""What a call may bring: one input and at most one state, of shapes that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from onecell.torch.errors import CellDtypeError, CellShapeError, CellTypeError

State: TypeAlias = tuple[Tensor, Tensor]
AnyState: TypeAlias = Tensor | Sequence[Tensor] | None


def read_state(hx: AnyState, c_0: Tensor | None) -> State | None:
    """Return (h, c) from either spelling: a pair as `hx`, or h as `hx` and c as `c_0`.

    Raises:
        CellShapeError: a tuple or list that has not two entries (a RuntimeError, as in torch).
        CellTypeError: anything else that is no pair of tensors.
    """
    if c_0 is not None:
        if not isinstance(hx, Tensor):
            came = type(hx).__name__
            raise CellTypeError(f"with `c_0`, `hx` must be the tensor h_0, got {came}.")
        return _tensor("hx", hx), _tensor("c_0", c_0)
    if hx is None:
        return None
    if not isinstance(hx, (tuple, list)):
        came = f"one tensor of shape {tuple(hx.shape)}" if isinstance(hx, Tensor) else repr(hx)
        raise CellTypeError(
            f"`hx` must be a pair (h, c), got {came:.80}. Call cell(x, (h, c)) or cell(x, h, c)."
        )
    if len(hx) != 2:
        raise CellShapeError(f"`hx` must be a pair (h, c), got {len(hx)} entries.")
    return _tensor("hx[0]", hx[0]), _tensor("hx[1]", hx[1])


def _tensor(name: str, value: object) -> Tensor:
    if not isinstance(value, Tensor):
        raise CellTypeError(f"`{name}` must be a torch.Tensor, got {type(value).__name__}.")
    return value


def check_call(
    input: Tensor, state: State | None, input_size: int, hidden_size: int, *, time: bool = False
) -> None:
    """Raise unless input (N, I) or (I,) and the state (N, H) or (H,) belong to one cell.

    With `time`, the input is (T, N, I) or (T, I). torch itself ends the process on some inputs
    that this refuses (a state with a batch axis beside an input without).

    Raises:
        CellTypeError: the input is no tensor.
        CellShapeError: a rank, a width or a batch does not fit.
        CellDtypeError: the elements are complex.
    """
    rank = _tensor("input", input).dim() - time
    lead = "T, " if time else ""
    if rank not in (1, 2):
        raise CellShapeError(
            f"`input` must be ({lead}N, I) or ({lead}I), got {input.dim()} dimensions."
        )
    if input.shape[-1] != input_size:
        raise CellShapeError(
            f"`input` must have I = {input_size} in its last dimension, got shape "
            f"{tuple(input.shape)}."
        )
    _refuse_complex("input", input)
    symbols = "(N, H)" if rank == 2 else "(H,)"
    want = (*input.shape[int(time) : -1], hidden_size)
    for name, value in zip(("h", "c"), state or (), strict=False):
        if value.dim() != rank:
            hint = "an input without a batch axis has" if rank == 1 else "a batch of inputs has"
            raise CellShapeError(
                f"`{name}` must have {rank} dimensions {symbols} = {want}, got shape "
                f"{tuple(value.shape)}; {hint} such a state."
            )
        if tuple(value.shape) != want:
            swapped = tuple(value.shape) == want[::-1]
            hint = " It looks transposed." if swapped and rank == 2 else ""
            raise CellShapeError(
                f"`{name}` must have shape {symbols} = {want}, got {tuple(value.shape)}.{hint}"
            )
        _refuse_complex(name, value)


def _refuse_complex(name: str, value: Tensor) -> None:
    if value.dtype.is_complex:
        raise CellDtypeError(f"`{name}` must hold real numbers, got {value.dtype}.")


def check_constructor(input_size: object, hidden_size: object, dtype: torch.dtype | None) -> None:
    """Raise for sizes and types of which torch makes a cell that could not run, or worse names.

    Raises:
        CellShapeError: a size is negative. What else torch refuses, it refuses by itself.
        CellDtypeError: a complex type.
    """
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if isinstance(size, int) and size < 0:
            raise CellShapeError(f"`{name}` must not be negative, got {size}.")
    if isinstance(dtype, torch.dtype) and dtype.is_complex:
        raise CellDtypeError(f"`dtype` must be a type of real numbers, got {dtype}.")
