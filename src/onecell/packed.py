"""The pieces of packed weights: their names, types, shapes and what may stand in them.

A frozen cell holds them in memory, pickles them and stores them in a file, each time the same bytes
on every machine. `kernel/include/onecell/frozen.h` says how a step reads them. Units go by blocks
of 16 and columns by groups of 16, both filled up with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from onecell import _kernel, lines
from onecell.dtypes import BFLOAT16, dtype_name
from onecell.errors import ArgumentError, DtypeError, ShapeError
from onecell.spec import BIASES, WEIGHTS, Spec

Array: TypeAlias = npt.NDArray[Any]
Pieces: TypeAlias = Mapping[str, Array]
WeightDtype: TypeAlias = Literal[
    "float32", "bfloat16", "float16", "int8", "int8_int8", "bfloat16_bfloat16"
]

WEIGHT_DTYPES: Final[tuple[WeightDtype, ...]] = get_args(WeightDtype)
"""How a frozen cell can store its weights."""

_NAMES: Final = ("weight_ih", "weight_hh", "scale_ih", "scale_hh", "bias_ih", "bias_hh")
_SCALES: Final = _NAMES[2:4]
_ELEMENTS: Final = {
    "float32": np.dtype("<f4"),
    "bfloat16": BFLOAT16,
    "float16": np.dtype("<f2"),
    "int8": np.dtype("i1"),
    "int8_int8": np.dtype("i1"),
    "bfloat16_bfloat16": BFLOAT16,
}
_SIDE: Final = 16
_SCALE: Final = np.finfo(np.float32)
_LEAST: Final = 127 - 56 << 7
"""The bits of 2^-56 as a bfloat16."""


def is_integer(weight_dtype: WeightDtype) -> bool:
    """Whether weights are stored as integers and scales."""
    return _ELEMENTS[weight_dtype].kind == "i"


def layout(spec: Spec, weight_dtype: WeightDtype) -> dict[str, tuple[np.dtype[Any], Shape]]:
    """Return the element type and the shape of every piece, by name, in the kernel's order.

    "packed_weight_ih" and "packed_weight_hh": (blocks, 4 gates, groups, 16 units, 16 columns), for
    "bfloat16" (blocks, 4, groups, 8, 16, 2), two units side by side, for "bfloat16_bfloat16"
    (blocks, pairs of columns, 4, 16, 2). For integers "packed_scale_ih" and "packed_scale_hh", with
    biases "packed_bias_ih" and "packed_bias_hh": float32 (blocks, 4 gates, 16 units).
    """
    blocks = -(-spec.hidden_size // _SIDE)
    tile = (_SIDE // 2, _SIDE, 2) if weight_dtype == "bfloat16" else (_SIDE, _SIDE)
    widths = dict(zip(WEIGHTS, (spec.input_size, spec.hidden_size), strict=True))
    found: dict[str, tuple[np.dtype[Any], Shape]] = {}
    for name in _NAMES:
        if name in WEIGHTS:
            groups = -(-widths[name] // _SIDE)
            shape: Shape = (blocks, 4, groups, *tile)
            if weight_dtype == "bfloat16_bfloat16":
                shape = (blocks, groups * _SIDE // 2, 4, _SIDE, 2)
            found[f"packed_{name}"] = _ELEMENTS[weight_dtype], shape
        elif (name in BIASES and spec.bias) or (name in _SCALES and is_integer(weight_dtype)):
            found[f"packed_{name}"] = _ELEMENTS["float32"], (blocks, 4, _SIDE)
    return found


Shape: TypeAlias = tuple[int, ...]


def has_bias(names: Mapping[str, object]) -> bool:
    """Whether pieces of these names are those of a cell with biases."""
    return any(f"packed_{name}" in names for name in BIASES)


class _Lent:
    """Memory of the kernel, as NumPy asks for it."""

    def __init__(self, owner: object, place: int, nbytes: int) -> None:
        self._owner = owner
        # True: read-only.
        data = place, True
        self.__array_interface__ = {
            "data": data,
            "shape": (nbytes,),
            "typestr": "|u1",
            "version": 3,
        }


def pieces_of(packed: _kernel.Frozen, spec: Spec, weight_dtype: WeightDtype) -> dict[str, Array]:
    """Return read-only arrays over the pieces of `packed`, which they keep alive."""
    places = dict(zip((f"packed_{name}" for name in _NAMES), packed.parts(), strict=True))
    found = {}
    for name, (dtype, shape) in layout(spec, weight_dtype).items():
        nbytes = int(np.prod(shape)) * dtype.itemsize
        found[name] = np.asarray(_Lent(packed, places[name], nbytes)).view(dtype).reshape(shape)
    return found


def to_kernel(
    pieces: Pieces, spec: Spec, weight_dtype: WeightDtype, *, in_place: bool
) -> _kernel.Frozen:
    """Return what computes with `pieces`, on a copy of them or where they lie.

    Raises:
        ArgumentError, ShapeError, DtypeError: they are no pieces of such a cell.
    """
    _check(pieces, spec, weight_dtype)
    dense = {name: np.ascontiguousarray(piece) for name, piece in pieces.items()}
    places = [
        _kernel.address(dense[n]) if (n := f"packed_{name}") in dense else 0 for name in _NAMES
    ]
    return _kernel.Frozen(
        np.empty((1, 1), np.float32), weight_dtype, spec.input_size, spec.hidden_size, places,
        tuple(dense.values()) if in_place else None,
    )  # fmt: skip


def are_aligned(pieces: Pieces) -> bool:
    """Whether the kernel can read all pieces where they lie."""
    return all(lines.begins_a_line(piece) for piece in pieces.values())


def _check(pieces: Pieces, spec: Spec, weight_dtype: WeightDtype) -> None:
    """Raise unless `pieces` are what packing could have made; nothing below looks again."""
    if weight_dtype not in WEIGHT_DTYPES:
        names = ", ".join(WEIGHT_DTYPES)
        raise ArgumentError(f"`weight_dtype` must be one of {names}, got {weight_dtype!r}.")
    wanted = layout(spec, weight_dtype)
    if pieces.keys() != wanted.keys():
        raise ArgumentError(
            f"a frozen cell of {weight_dtype} must have {', '.join(wanted)}, "
            f"got {', '.join(map(str, pieces)) or 'none'}."
        )
    for name, (dtype, shape) in wanted.items():
        piece = pieces[name]
        if piece.dtype != dtype:
            raise DtypeError(
                f"`{name}` must hold {dtype_name(dtype)}, got {dtype_name(piece.dtype)}."
            )
        if piece.shape != shape:
            raise ShapeError(f"`{name}` must have shape {shape}, got {piece.shape}.")
        width = spec.input_size if name.endswith("weight_ih") else spec.hidden_size
        if any(
            _bits(part).any() for part in _padding(piece, spec.hidden_size, width, weight_dtype)
        ):
            raise ArgumentError(f"`{name}` must be zero where it is filled up.")
        if dtype == np.int8 and piece.min() < -127:
            raise ArgumentError(f"`{name}` must hold integers from -127 to 127, got -128.")
        if weight_dtype == "bfloat16_bfloat16" and name.startswith("packed_weight"):
            _check_paired(name, piece)
        if name.startswith("packed_scale"):
            _check_scales(name, piece, spec.hidden_size)


def _padding(piece: Array, hidden: int, width: int, weight_dtype: WeightDtype) -> Iterator[Array]:
    """Yield the parts of a piece that stand for no unit or no column."""
    units, columns = hidden % _SIDE, width % _SIDE
    matrix = piece.ndim > 3
    if matrix and weight_dtype == "bfloat16_bfloat16":  # two columns side by side
        yield piece[:, (width + 1) // 2 :]
        yield piece[:, width // 2 : (width + 1) // 2, ..., 1]
        if units:
            yield piece[-1, ..., units:, :]
        return
    if matrix and columns:
        yield piece[:, :, -1, :, columns:]
    for unit in range(units, _SIDE) if units else ():
        if piece.ndim == 6:  # two units side by side
            yield piece[-1, :, :, unit // 2, :, unit % 2]
        else:
            yield piece[-1, ..., unit, :] if matrix else piece[-1, :, unit]


def _bits(array: Array) -> Array:
    return array.view(f"u{array.dtype.itemsize}")


def _check_paired(name: str, piece: Array) -> None:
    """Raise if a weight is one that rounding would have made zero."""
    if ((_bits(piece) - 1) & 0x7FFF < _LEAST - 1).any():
        raise ArgumentError(f"`{name}` must hold zeros and numbers of at least 2^-56 in size.")


def _check_scales(name: str, piece: Array, hidden: int) -> None:
    """Raise unless every row has a scale that packing could have chosen."""
    rows = piece.transpose(1, 0, 2).reshape(4, -1)[:, :hidden]
    with np.errstate(invalid="ignore"):
        fit = (rows >= _SCALE.tiny) & (rows <= _SCALE.max / 127)
    bad = ~fit | (rows.view(np.uint32) & 0xFF != 0)
    if bad.any():
        raise ArgumentError(
            f"`{name}` must hold scales of 16 bits from {_SCALE.tiny:.6g} to "
            f"{_SCALE.max / 127:.6g}, got {float(rows[bad][0])!r}."
        )
