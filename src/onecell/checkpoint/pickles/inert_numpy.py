"""What a pickle says of NumPy's arrays and scalars, described without making any of them.

A checkpoint that keeps `best_loss = np.float64(0.25)` or a generator's state names a handful of
NumPy's functions. Their arguments are an element type as text, sizes and raw bytes: data.
"""

# ruff: noqa: ANN401 - the file decides what the arguments are; a wrong one is a TypeError.

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from onecell.checkpoint.content import DTYPES
from onecell.checkpoint.limits import ARRAY, Budget, count_bytes
from onecell.dtypes import BFLOAT16, widen
from onecell.errors import CheckpointError
from onecell.text import short

_CODE: Final = re.compile(r"([biufcSU])([0-9]{1,6})")
_ORDERS: Final[dict[str, Literal["<", ">", "="]]] = {"<": "<", ">": ">", "|": "=", "=": "="}
_LONGEST_SCALAR: Final = 2**20


@dataclass(frozen=True, slots=True)
class Odd:
    """Something that is neither a tensor nor a plain value, and what it is."""

    what: str


@dataclass(slots=True)
class Dtype:
    """An element type as a pickle spells it: "f8"; its byte order comes as its state."""

    code: str
    order: str = "|"
    plain: bool = True
    """Whether it is one number or text, not a record of several."""

    def set_state(self, state: object) -> None:
        """Take up (version, byte order, subarray, names, fields, ...)."""
        match state:
            case (int(), str(order), subarray, names, fields, *_) if order in _ORDERS:
                self.order = order
                self.plain = subarray is None and names is None and fields is None
            case _:
                raise TypeError("the state of an element type")

    def found(self) -> np.dtype | None:
        """Return the type, if it is one of numbers or text."""
        if self.plain and self.code == "ml_dtypes.bfloat16":
            return BFLOAT16.newbyteorder(_ORDERS[self.order])
        match = _CODE.fullmatch(self.code)
        if not self.plain or match is None:
            return None
        try:
            dtype = np.dtype(self.code).newbyteorder(_ORDERS[self.order])
        except (TypeError, ValueError):
            return None
        return dtype if dtype.kind in "SU" or dtype.name in DTYPES else None


@dataclass(slots=True)
class Array:
    """A NumPy array that is still to be made; empty until its state is set."""

    dtype: Dtype | None = None
    shape: object = (0,)
    fortran: bool = False
    content: object = b""
    axes: tuple[int, ...] | None = None
    """How the axes of what lies there are to be permuted."""

    def set_state(self, state: object) -> None:
        """Take up (version, shape, element type, order, content), in old files without version."""
        match state:
            case (int(), shape, Dtype() as dtype, bool() | int() as fortran, content):
                pass
            case (shape, Dtype() as dtype, bool() | int() as fortran, content):
                pass
            case _:
                raise TypeError("the state of an array")
        self.shape, self.dtype, self.fortran, self.content = shape, dtype, bool(fortran), content

    def cut(self, name: str, budget: Budget) -> np.ndarray | Odd:
        """Return the array, or say what it is that no checkpoint can hold.

        Raises:
            CheckpointError: its shape and its content do not agree.
        """
        dtype = None if self.dtype is None else self.dtype.found()
        size = len(self.content) if isinstance(self.content, str | bytes) else 0
        budget.take(2 * ARRAY + 2 * size, "the array", name)
        content = _raw(self.content)
        if dtype is None or content is None or dtype.kind in "SU":
            kind = "nothing" if self.dtype is None else short(self.dtype.code, 20)
            return Odd(f"a NumPy array of {_kind(kind)}")
        shape = self.shape
        if not isinstance(shape, tuple) or not all(type(n) is int for n in shape):
            raise CheckpointError(f"`{short(name)}` has an impossible shape.")
        nbytes = count_bytes(name, shape, dtype.itemsize)
        if nbytes != len(content):
            raise CheckpointError(
                f"`{short(name)}` of shape {shape} is {nbytes} bytes, and {len(content)} are there."
            )
        flat = np.frombuffer(content, dtype)
        array = flat.reshape(shape[::-1]).T if self.fortran else flat.reshape(shape)
        if self.axes is not None:
            array = array.transpose(self.axes)
        return array.astype(dtype.newbyteorder("="), order="C", copy=True)


def _raw(content: object) -> bytes | None:
    """Return raw bytes; Python 2 pickled them as text with one character a byte."""
    if isinstance(content, str):
        return content.encode("latin-1")
    return content if isinstance(content, bytes) else None


def _kind(code: str) -> str:
    """Say what an element type is that cannot be kept."""
    kinds = {"O": "Python objects", "U": "text", "S": "bytes", "M": "dates", "m": "time spans"}
    return kinds.get(code[:1], f"elements of type {code}")


def _dtype(code: Any, *_: Any) -> object:
    """Describe `numpy.dtype("f8", align, copy)`; of another library's type it is the name."""
    text = code if isinstance(code, str) else getattr(code, "name", None)
    if not isinstance(text, str) or len(text) > 40:
        raise TypeError("an element type without a name")
    return Dtype(text)


def _scalar(dtype: Any, content: Any = b"") -> object:
    """Describe a NumPy scalar by the plain value that it is."""
    if not isinstance(dtype, Dtype):
        raise TypeError("a scalar without an element type")
    found, raw = dtype.found(), _raw(content)
    if found is None or raw is None or len(raw) > _LONGEST_SCALAR:
        return Odd(f"a NumPy scalar of {_kind(short(dtype.code, 20))}")
    if found.itemsize != len(raw):
        raise TypeError("a scalar of another size than its element type")
    if found.kind == "U":
        return raw.decode(f"utf-32-{'be' if found.str[0] == '>' else 'le'}").rstrip("\0")
    if found.kind == "S":
        return raw.rstrip(b"\0")
    value = np.frombuffer(raw, found).astype(found.newbyteorder("="))
    return (widen(value) if found.names else value)[0].item()


def _reconstruct(*_: Any) -> object:
    """Describe an empty array, whose state follows."""
    return Array()


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> object:
    """Describe an array of protocol 5, whose content comes first."""
    if not isinstance(dtype, Dtype) or not isinstance(order, str) or order not in {"C", "F", "K"}:
        raise TypeError("an array without an element type or an order")
    if axes is not None:
        known = isinstance(axes, tuple) and isinstance(shape, tuple) and len(axes) == len(shape)
        if not known or not all(type(n) is int for n in axes):
            raise TypeError("an array with odd axes")
        if sorted(axes) != list(range(len(axes))):
            raise TypeError("an array with odd axes")
    return Array(dtype, shape, order == "F", content, axes)


REBUILD: Final[dict[str, Callable[..., object]]] = {
    "numpy.dtype": _dtype,
    **{
        f"numpy.{core}.{name}": row
        for core in ("core", "_core")
        for name, row in (
            ("multiarray.scalar", _scalar),
            ("multiarray._reconstruct", _reconstruct),
            ("numeric._frombuffer", _from_buffer),
        )
    },
}
"""Global → what describes a call of it."""

NAMES: Final = {"numpy.ndarray", "ml_dtypes.bfloat16"} | {
    f"numpy.{name}"
    for name in (
        *("bool", "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
        *("uint64", "float16", "float32", "float64", "complex64", "complex128", "str_", "bytes_"),
    )
}
"""What a pickle of arrays may mention besides, and settings of a run."""
