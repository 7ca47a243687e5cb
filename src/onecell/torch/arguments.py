"""What a call may bring: one input and at most one state, of shapes that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from onecell.errors import ArgumentError
from onecell.spec import PARAMETERS, check_product
from onecell.torch.errors import CellDtypeError, CellMemoryError, CellShapeError, CellTypeError

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


def check_ranks(x: Tensor, state: State | None, *, time: bool = False) -> None:
    """Raise unless x and the state agree on whether there is a batch axis.

    torch itself does not ask, and ends the process on some calls that this refuses.

    Raises:
        CellTypeError: x is no tensor.
        CellShapeError: x is not (N, I) or (I,) (with `time`: (T, N, I) or (T, I)), or the state is
            not of the same kind.
    """
    rank = _tensor("input", x).dim() - time
    if rank not in (1, 2):
        lead = "T, " if time else ""
        raise CellShapeError(
            f"`input` must be ({lead}N, I) or ({lead}I), got {x.dim()} dimensions."
        )
    for name, value in zip("hc", state or (), strict=state is not None):
        if value.dim() != rank:
            symbols = "(N, H)" if rank == 2 else "(H,)"
            raise CellShapeError(
                f"`{name}` must have {rank} dimensions {symbols}, as the input is "
                f"{'a batch' if rank == 2 else 'one row'}, got shape {tuple(value.shape)}."
            )


def check_sizes(
    x: Tensor, state: State | None, input_size: int, hidden_size: int, *, time: bool = False
) -> None:
    """Raise unless the sizes of x and of the state, of ranks that are checked, fit the cell.

    Raises:
        CellShapeError: a width or a batch does not fit.
        CellDtypeError: the elements are complex.
    """
    if x.shape[-1] != input_size:
        raise CellShapeError(
            f"`input` must have I = {input_size} in its last dimension, got shape {tuple(x.shape)}."
        )
    _refuse_complex("input", x)
    want = (*x.shape[int(time) : -1], hidden_size)
    symbols = "(N, H)" if len(want) == 2 else "(H,)"
    for name, value in zip("hc", state or (), strict=state is not None):
        if tuple(value.shape) != want:
            swapped = len(want) > 1 and tuple(value.shape) == want[::-1]
            hint = " It looks transposed." if swapped else ""
            raise CellShapeError(
                f"`{name}` must have shape {symbols} = {want}, got {tuple(value.shape)}.{hint}"
            )
        _refuse_complex(name, value)


def check_devices(x: Tensor, others: Sequence[Tensor | None]) -> None:
    """Raise `CellMemoryError` unless all is on the device of x; torch may answer with garbage."""
    for other in others:
        if other is not None and other.device != x.device:
            raise CellMemoryError(
                f"state and parameters must be on {x.device}, as `input` is, got one of shape "
                f"{tuple(other.shape)} on {other.device}."
            )


def check_whole(weights: Sequence[Tensor | None]) -> None:
    """Raise `CellShapeError` for the flat piece of a weight that a process of older FSDP keeps."""
    for name, weight in zip(PARAMETERS, weights, strict=True):
        rank = 2 if name.startswith("weight") else 1
        if weight is not None and weight.dim() != rank:
            raise CellShapeError(
                f"`{name}` must have {rank} dimensions, got shape {tuple(weight.shape)}. Under "
                "FullyShardedDataParallel wrap the module that calls `unroll`, not the cell alone."
            )


def _refuse_complex(name: str, value: Tensor) -> None:
    if value.dtype.is_complex:
        raise CellDtypeError(f"`{name}` must hold real numbers, got {value.dtype}.")


def check_constructor(input_size: object, hidden_size: object, dtype: torch.dtype | None) -> None:
    """Raise for sizes and types of which torch makes a cell that could not run, or worse names.

    Raises:
        CellShapeError: a size is negative, or the sizes ask for a parameter that could not exist.
            What else torch refuses, it refuses by itself.
        CellDtypeError: a complex type.
    """
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if isinstance(size, int) and size < 0:
            raise CellShapeError(f"`{name}` must not be negative, got {size}.")
    if isinstance(input_size, int) and isinstance(hidden_size, int):
        try:
            check_product(input_size, hidden_size)
        except ArgumentError as error:
            raise CellShapeError(str(error)) from None
    if isinstance(dtype, torch.dtype) and dtype.is_complex:
        raise CellDtypeError(f"`dtype` must be a type of real numbers, got {dtype}.")
