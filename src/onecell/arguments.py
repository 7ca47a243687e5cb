"""What a caller may hand to the cell over arrays, checked and made ready for the kernel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from onecell.errors import ArgumentError, DtypeError, ShapeError
from onecell.spec import Spec

Array = npt.NDArray[Any]

# The axes before the last one, by the number of dimensions of a step's and an unroll's input.
_STEP: Final = {1: "", 2: "N, "}
_UNROLL: Final = {2: "T, ", 3: "T, N, "}


def has_own_call(cell: object, kind: type) -> bool:
    """Whether a subclass of `kind` has a `__call__` of its own, which its loops must go through."""
    return type(cell).__call__ is not kind.__call__


def check_call(cell: object, kind: type, method: str) -> None:
    """Raise unless `method` of `kind` may compute the step of `kind` for a call of `cell`.

    Raises:
        ArgumentError: the class of `cell` has a `__call__` of its own, and not this method.
    """
    mine = getattr(type(cell), method)
    if has_own_call(cell, kind) and mine is getattr(kind, method):
        name = type(cell).__name__
        raise ArgumentError(
            f"`{method.strip('_')}` computes the step of {kind.__name__}, and {name} has its own "
            f"`__call__`. Call it step by step, or give {name} its own `{method.strip('_')}`."
        )


def ready(name: str, array: object, dtype: np.dtype[Any]) -> Array:
    """Return `array` as the kernel wants it: dense, aligned, in native byte order; or raise.

    Raises:
        DtypeError: it is not a NumPy array, or its elements are not of type `dtype`.
    """
    if type(array) is not np.ndarray:
        array = _plain(name, array, dtype)
    if array.dtype is not dtype:
        if array.dtype.newbyteorder("=") != dtype:
            raise DtypeError(
                f"`{name}` must have dtype {dtype}, as the cell has, got {array.dtype}. "
                f"Convert it on purpose: {name}.astype(np.{dtype})."
            )
        array = array.astype(dtype)
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned):
        array = np.require(array, requirements=("C", "A"))
    return array


def _plain(name: str, array: object, dtype: np.dtype[Any]) -> Array:
    """Return a subclass of ndarray as an ndarray, or say what came instead."""
    if isinstance(array, np.ma.MaskedArray):
        raise DtypeError(f"`{name}` must not be masked: the cell would read what the mask hides.")
    if isinstance(array, np.ndarray):
        return np.asarray(array)
    raise DtypeError(
        f"`{name}` must be a NumPy array of {dtype}, got {type(array).__name__}. "
        f"Make it one: np.asarray({name}, dtype=np.{dtype})."
    )


def split_state(hx: object, c_0: object) -> tuple[object, object]:
    """Return (h, c) out of a state given as a pair, as two arguments, or not at all (None, None).

    Raises:
        ArgumentError: one half is missing, or there is more than a state.
        DtypeError: `hx` is no state at all.
    """
    if isinstance(hx, (tuple, list)):
        if c_0 is not None:
            raise ArgumentError("`hx` is a state (h, c) already, so `c_0` must be left out.")
        if len(hx) != 2:
            raise ArgumentError(f"`hx` must be a state (h, c), got {len(hx)} elements.")
        h, c = hx
        if h is None and c is None:
            return None, None
    elif hx is None and c_0 is None:
        return None, None
    else:
        h, c = hx, c_0
    for half, name, twin in ((h, "h_0", "c_0"), (c, "c_0", "h_0")):
        if half is None:
            hint = " A stacked state must be unpacked: (hx[0], hx[1])." if name == "c_0" else ""
            raise ArgumentError(f"`{twin}` is given and `{name}` is not; give both or none.{hint}")
    return h, c


def arrange_step(spec: Spec, x: object, hx: object, c_0: object) -> tuple[Array, Any, Any]:
    """Return x (N, I) or (I,) and h and c, ready for the kernel, or raise; None for zeros."""
    return _arrange(spec, ready("x", x, spec.dtype), _STEP, hx, c_0)


def arrange_unroll(spec: Spec, x: object, hx: object, c_0: object) -> tuple[Array, Any, Any]:
    """Return x (T, N, I) or (T, I) and h and c, ready for the kernel, or raise; None for zeros."""
    return _arrange(spec, ready("x", x, spec.dtype), _UNROLL, hx, c_0)


def _arrange(
    spec: Spec, x: Array, ranks: dict[int, str], hx: object, c_0: object
) -> tuple[Array, Array | None, Array | None]:
    axes = ranks.get(x.ndim)
    if axes is None or x.shape[-1] != spec.input_size:
        forms = " or ".join(f"({axes}I)" if axes else "(I,)" for axes in ranks.values())
        raise ShapeError(f"`x` must have shape {forms} with I = {spec.input_size}, got {x.shape}.")
    if hx is None and c_0 is None:
        return x, None, None
    h, c = split_state(hx, c_0)
    if h is None:
        return x, None, None
    batched = axes.endswith("N, ")
    want = (x.shape[-2], spec.hidden_size) if batched else (spec.hidden_size,)
    return x, _half(spec, "h_0", h, want, x), _half(spec, "c_0", c, want, x)


def _half(spec: Spec, name: str, half: object, want: tuple[int, ...], x: Array) -> Array:
    """Return one half of the state, ready and of the shape `want` that `x` asks for."""
    # The shape first: to make a huge view dense, only to refuse it, would take its memory.
    if isinstance(half, np.ndarray) and half.shape != want:
        hint = " It looks transposed." if half.ndim == 2 and half.shape == want[::-1] else ""
        symbols = "(N, H)" if len(want) == 2 else "(H,)"
        raise ShapeError(
            f"`{name}` must have shape {symbols} = {want} beside `x` of shape {x.shape}, "
            f"got {half.shape}.{hint}"
        )
    return ready(name, half, spec.dtype)


def ready_gradient(name: str, array: object, like: Array) -> Array | None:
    """Return a gradient ready for the kernel, None for None, or raise unless shaped as `like`."""
    if array is None:
        return None
    gradient = ready(name, array, like.dtype)
    if gradient.shape != like.shape:
        raise ShapeError(f"`{name}` must have shape {like.shape}, got {gradient.shape}.")
    return gradient


def loop(cell: Any, x: Array, h: Array | None, c: Array | None) -> tuple[Array, Any]:  # noqa: ANN401
    """Unroll over T ≥ 1 steps by calling the cell, as its user would."""
    state = None if h is None or c is None else (h, c)
    every = []
    for row in x:
        state = cell(row) if state is None else cell(row, state)
        every.append(state[0])
    return np.stack(every), state
