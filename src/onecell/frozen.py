"""`FrozenCell`: a cell whose weights were packed once, for inference alone."""

from __future__ import annotations

from typing import Any, Final, Literal, NoReturn, Self, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from onecell import _kernel
from onecell.arguments import arrange_step, arrange_unroll, check_call, has_own_call, loop
from onecell.errors import ArgumentError, DtypeError, FrozenError
from onecell.spec import BIASES, PARAMETERS, WEIGHTS
from onecell.stream import Stream
from onecell.weights import Weights, check_weights

Array: TypeAlias = npt.NDArray[Any]
State: TypeAlias = tuple[Array, Array]
StateLike: TypeAlias = Array | tuple[Array, Array] | list[Array] | tuple[None, None] | None
WeightDtype: TypeAlias = Literal["float32", "bfloat16", "float16", "int8"]

WEIGHT_DTYPES: Final[tuple[WeightDtype, ...]] = get_args(WeightDtype)
"""How a frozen cell can store its weights."""

_BEYOND: Final = {"bfloat16": float.fromhex("0x1.FFp127"), "float16": 65520.0, "int8": 2.0**127}
"""The least size that a weight may no longer have."""

_address: Final = _kernel.address
_empty: Final = np.empty


class FrozenCell:
    """An inference-only cell over float32 arrays, with packed weights: made by `cell.freeze()`.

    It is called as the live cell is and computes in float32, in the live cell's order of additions;
    the weights are its own, and writing into the live cell does not reach them. `weight_dtype`:

    - "float32": the same bits as the live cell.
    - "bfloat16", "float16": weights rounded to nearest even once; the same bits as a live cell that
      holds the rounded weights.
    - "int8": a weight is an integer from -127 to 127 times a float32 scale of its row, max|w| / 127
      rounded up to 16 bits; the dot product runs over the integers, in float32, and is scaled.

    Biases stay float32. The bits do not depend on the batch, on stepping or unrolling, on memory
    layout or on the instruction set.

    Args:
        weights: what is packed, copied; 16-bit floats are widened first, exactly.
        weight_dtype: how.

    Raises:
        ArgumentError: `weight_dtype` is none of the four, or a weight has no such form: too large
            for it, or not finite for "int8".
        DtypeError: the weights are float64.

    Example:
        >>> from onecell import LSTMCell
        >>> frozen = LSTMCell(10, 16, rng=0).freeze("bfloat16")
        >>> h, c = frozen(np.ones((3, 10), np.float32))
        >>> frozen
        FrozenCell(10, 16, weight_dtype='bfloat16')
    """

    __slots__ = ("__weakref__", "_biases", "_packed", "_quick", "_spec", "_weight_dtype")

    def __init__(self, weights: Weights, weight_dtype: WeightDtype = "float32") -> None:
        if weight_dtype not in WEIGHT_DTYPES:
            names = ", ".join(WEIGHT_DTYPES)
            raise ArgumentError(f"`weight_dtype` must be one of {names}, got {weight_dtype!r}.")
        spec = check_weights("weights", weights).spec
        if spec.dtype != np.float32:
            raise DtypeError(
                f"a frozen cell computes in float32, and the weights are {weights.dtype_name}. "
                "Round them first: weights.astype('float32')."
            )
        arrays = {n: np.ascontiguousarray(a) for n, a in weights.widened().arrays().items()}
        if weight_dtype in _BEYOND:
            _check_range(arrays, weight_dtype)
        where = (_address(arrays[n]) if n in arrays else 0 for n in PARAMETERS)
        example = _empty((1, 1), np.float32)
        self._packed = _kernel.Frozen(
            example, weight_dtype, spec.input_size, spec.hidden_size, *where
        )
        self._quick = self._packed.step
        self._spec = spec
        self._weight_dtype = weight_dtype
        self._biases = {name: arrays[name].copy() for name in BIASES if name in arrays}

    def __reduce__(self) -> tuple[type[Self], tuple[Weights, WeightDtype]]:
        # Freezing what is stored stores the same again.
        return type(self), (self.weights, self._weight_dtype)

    def __repr__(self) -> str:
        spec = self._spec
        bias = "" if spec.bias else "bias=False, "
        sizes = f"{spec.input_size}, {spec.hidden_size}"
        return f"{type(self).__name__}({sizes}, {bias}weight_dtype={self._weight_dtype!r})"

    @property
    def input_size(self) -> int:
        """I, the width of the input."""
        return self._spec.input_size

    @property
    def hidden_size(self) -> int:
        """H, the width of the state."""
        return self._spec.hidden_size

    @property
    def bias(self) -> bool:
        """Whether the cell has biases."""
        return self._spec.bias

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type of every array in and out: float32."""
        return self._spec.dtype

    @property
    def weight_dtype(self) -> WeightDtype:
        """How the weights are stored: "float32", "bfloat16", "float16" or "int8"."""
        return self._weight_dtype

    @property
    def nbytes(self) -> int:
        """The memory that the packed weights, scales and biases take, padding included."""
        return self._packed.nbytes()

    @property
    def weights(self) -> Weights:
        """A copy of what is stored, as float32, exactly: of an int8 row, integers times its scale.

        A live cell with these weights computes the same bits, but for "int8" a last bit where the
        scale is no power of two.
        """
        shapes = self._spec.shapes
        arrays = {name: _empty(shapes[name], np.float32) for name in WEIGHTS}
        self._packed.unpack(*map(_address, arrays.values()))
        return Weights(**arrays, **{name: a.copy() for name, a in self._biases.items()})

    def __call__(self, x: Array, hx: StateLike = None, c_0: Array | None = None) -> State:
        """Compute one step; arguments, results and errors are those of `LSTMCell`."""
        if type(hx) is tuple and len(hx) == 2 and c_0 is None and type(x) is np.ndarray:
            # The everyday call: everything is as it should be, and one look from C++ says so.
            h, c = hx
            shape = (*x.shape[:-1], self._spec.hidden_size)
            h_next, c_next = _empty(shape, x.dtype), _empty(shape, x.dtype)
            if self._quick(x, h, c, h_next, c_next):
                return h_next, c_next
        x, h, c = arrange_step(self._spec, x, hx, c_0)
        h_next, c_next = self._room(x), self._room(x)
        self._unroll(x[None], h, c, h_next, c_next)
        return h_next, c_next

    def unroll(
        self, x: Array, hx: StateLike = None, c_0: Array | None = None
    ) -> tuple[Array, State]:
        """Compute T steps in one call; arguments, results and errors are those of `LSTMCell`."""
        x, h, c = arrange_unroll(self._spec, x, hx, c_0)
        if len(x) and has_own_call(self, FrozenCell):
            return loop(self, x, h, c)
        h_all = self._room(x)
        c_last = _empty(h_all.shape[1:], h_all.dtype)
        self._unroll(x, h, c, h_all, c_last)
        if len(h_all):
            return h_all, (h_all[-1].copy(), c_last)
        return h_all, (np.zeros_like(c_last) if h is None else h.copy(), c_last)

    def stream(self, batch: int | None = 1) -> Stream:
        """Return a state of `batch` rows, or of one row without a batch axis, to step in place."""
        return Stream(self, batch)

    def vjp(self, *_: object, **__: object) -> NoReturn:
        """Raise `FrozenError`: a frozen cell has no gradient."""
        raise FrozenError("a frozen cell has no gradient. Ask the live cell that it was made from.")

    unroll_vjp = vjp

    def freeze(self, weight_dtype: WeightDtype = "float32") -> FrozenCell:
        """Return a frozen copy of what is stored; what rounding took does not come back."""
        check_call(self, FrozenCell, "freeze")
        return FrozenCell(self.weights, weight_dtype)

    def _stepper(self) -> _kernel.Step:
        check_call(self, FrozenCell, "stream")
        return self._packed

    def _room(self, x: Array) -> Array:
        return _empty((*x.shape[:-1], self._spec.hidden_size), x.dtype)

    def _unroll(
        self, x: Array, h: Array | None, c: Array | None, h_all: Array, c_last: Array
    ) -> None:
        batch = x.shape[1] if x.ndim == 3 else 1
        places = (0 if a is None else _address(a) for a in (x, h, c, h_all, c_last))
        self._packed.unroll(len(x), batch, *places)


def _check_range(arrays: dict[str, Array], weight_dtype: str) -> None:
    """Raise `ArgumentError` if rounding would make a weight infinite; int8 has no such number."""
    beyond = _BEYOND[weight_dtype]
    for name in WEIGHTS:
        size = np.abs(arrays[name])
        lost = ~(size < beyond)
        if weight_dtype != "int8":
            lost &= np.isfinite(size)
        if lost.any():
            raise ArgumentError(
                f"`{name}` must be below {beyond:.6g} in size to be frozen to {weight_dtype}, "
                f"got {float(size[lost].max()):.6g}. Freeze to float32."
            )
