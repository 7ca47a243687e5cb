"""`FrozenCell`: a cell whose weights were packed once, for inference alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final, NoReturn, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from onecell import _kernel
from onecell.arguments import arrange_step, arrange_unroll, check_call, has_own_call, loop
from onecell.errors import ArgumentError, CheckpointError, DtypeError, FrozenError, OnecellError
from onecell.packed import WEIGHT_DTYPES as WEIGHT_DTYPES  # noqa: PLC0414 - part of our names
from onecell.packed import Pieces, has_bias, is_integer, pieces_of, to_kernel
from onecell.packed import WeightDtype as WeightDtype  # noqa: PLC0414
from onecell.sized import Sized
from onecell.spec import BIASES, PARAMETERS, WEIGHTS, Spec
from onecell.stream import Stream
from onecell.weights import Weights, check_weights

Array: TypeAlias = npt.NDArray[Any]
State: TypeAlias = tuple[Array, Array]
StateLike: TypeAlias = Array | tuple[Array, Array] | list[Array] | tuple[None, None] | None

_BEYOND: Final = {
    "bfloat16": float.fromhex("0x1.FFp127"),
    "bfloat16_bfloat16": float.fromhex("0x1.FFp127"),
    "float16": 65520.0,
}
"""The least size that a weight may no longer have; of those that become integers, 2^127."""

_address: Final = _kernel.address
_empty: Final = np.empty


class FrozenCell(Sized):
    """An inference-only cell over float32 arrays, with packed weights: made by `cell.freeze()`.

    It is called as the live cell is and computes in float32; the weights are its own, and writing
    into the live cell does not reach them. `weight_dtype`:

    - "float32": the same bits as the live cell.
    - "bfloat16", "float16": weights rounded to nearest even once; the same bits as a live cell that
      holds the rounded weights.
    - "bfloat16_bfloat16": the same with x and h rounded to bfloat16 too, as other libraries do that
      compute in bfloat16; numbers smaller than 2^-56 count as zero. Quicker for many rows.
    - "int8": a weight is an integer from -127 to 127 times a float32 scale of its row, max|w| / 127
      rounded up to 16 bits. A row of x or h is rounded to integers up to 8128 for its product,
      which is exact and then scaled: next to what the weights lost, that is nothing.
    - "int8_int8": the same with rows of x and h rounded to integers up to 127, as quantised cells
      of other libraries do: quickest for many rows, and two to three times the error of "int8".

    Biases stay float32. The bits do not depend on the batch, on stepping or unrolling, on memory
    layout or on the instruction set. Copies share the packed weights; pickles have their size.

    Args:
        weights: what is packed, copied; 16-bit floats are widened first, exactly.
        weight_dtype: how.

    Raises:
        ArgumentError: `weight_dtype` is none of these, or a weight has no such form: too large
            for it, or not finite for integers.
        DtypeError: the weights are float64.

    Example:
        >>> from onecell import LSTMCell
        >>> frozen = LSTMCell(10, 16, rng=0).freeze("bfloat16")
        >>> h, c = frozen(np.ones((3, 10), np.float32))
        >>> frozen
        FrozenCell(10, 16, weight_dtype='bfloat16')
    """

    __slots__ = ("__weakref__", "_mapped", "_packed", "_quick", "_spec", "_weight_dtype")

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
        if weight_dtype != "float32":
            _check_range(arrays, weight_dtype)
        where = (_address(arrays[n]) if n in arrays else 0 for n in PARAMETERS)
        example = _empty((1, 1), np.float32)
        sizes = spec.input_size, spec.hidden_size
        self._adopt(_kernel.Frozen(example, weight_dtype, *sizes, *where), spec, weight_dtype)

    def _adopt(
        self, packed: _kernel.Frozen, spec: Spec, weight_dtype: WeightDtype, *, mapped: bool = False
    ) -> Self:
        self._packed = packed
        self._quick = packed.step
        self._spec = spec
        self._weight_dtype = weight_dtype
        self._mapped = mapped
        return self

    def __reduce__(self) -> tuple[Callable[..., FrozenCell], tuple[object, ...], object]:
        made = type(self), self._weight_dtype, self.input_size, self.hidden_size, self._pieces()
        return _unpickled, made, getattr(self, "__dict__", None)

    def __copy__(self) -> Self:
        return self._twin(getattr(self, "__dict__", {}))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._twin(deepcopy(getattr(self, "__dict__", {}), memo))

    def _twin(self, more: Mapping[str, object]) -> Self:
        """Return a cell over the same packed weights, which nobody can change."""
        twin = type(self).__new__(type(self))
        twin._adopt(self._packed, self._spec, self._weight_dtype, mapped=self._mapped)
        for name, value in more.items():
            setattr(twin, name, value)
        return twin

    @classmethod
    def _of_pieces(cls, weight_dtype: WeightDtype, spec: Spec, pieces: Pieces) -> Self:
        """Return a cell over a copy of packed weights, or raise where they are none."""
        packed = to_kernel(pieces, spec, weight_dtype, in_place=False)
        return cls.__new__(cls)._adopt(packed, spec, weight_dtype)

    def _pieces(self) -> dict[str, Array]:
        """Return the packed weights as read-only arrays, not a copy."""
        return pieces_of(self._packed, self._spec, self._weight_dtype)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the packed weights to a safetensors file, at their own size, whole or not at all.

        Args:
            path: the file; it ends in .safetensors. docs/en/guides/saving.md has the schema.
            force: replace a file that is there. Cells that map the old one keep it.

        Raises:
            OutputExistsError: a file is there and `force` is not set.
            ArgumentError: `path` has another suffix.
            OSError: the folder or the disk refuses.
        """
        from onecell.saved import save_frozen  # noqa: PLC0415 - readers of files load later

        save_frozen(path, self._spec, self._weight_dtype, self._pieces(), force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, mapped: bool = True) -> Self:
        """Return the cell that `save` wrote, to the same bits, on any machine.

        Args:
            path: the file.
            mapped: use the weights where they lie in the file, so that processes share them;
                False reads them into memory. A file that is mapped must not be written in place:
                cut off, it ends the process by SIGBUS at the next step. `save` never does that.

        Raises:
            CheckpointError: it is damaged, or holds no frozen cell.
            OSError: it cannot be opened or mapped.
        """
        from onecell.saved import load_frozen  # noqa: PLC0415

        found = load_frozen(path, mapped=mapped)
        try:
            packed = to_kernel(found.pieces, found.spec, found.weight_dtype, in_place=found.mapped)
        except OnecellError as error:
            raise CheckpointError(f"{path}: {error}") from error
        cell = cls.__new__(cls)
        return cell._adopt(packed, found.spec, found.weight_dtype, mapped=found.mapped)

    def __repr__(self) -> str:
        spec = self._spec
        bias = "" if spec.bias else "bias=False, "
        sizes = f"{spec.input_size}, {spec.hidden_size}"
        return f"{type(self).__name__}({sizes}, {bias}weight_dtype={self._weight_dtype!r})"

    @property
    def weight_dtype(self) -> WeightDtype:
        """How the weights are stored, one of `WeightDtype`."""
        return self._weight_dtype

    @property
    def nbytes(self) -> int:
        """The memory that the packed weights, scales and biases take, padding included."""
        return sum(piece.nbytes for piece in self._pieces().values())

    @property
    def mapped(self) -> bool:
        """Whether the packed weights lie in a file, from which `load` maps them."""
        return self._mapped

    @property
    def weights(self) -> Weights:
        """A copy of what is stored, as float32, exactly: of an int8 row, integers times its scale.

        A live cell with these weights computes the same bits, unless weights are integers or
        "bfloat16_bfloat16": then rows of x and h are rounded too.
        """
        shapes = self._spec.shapes
        arrays = {name: _empty(shapes[name], np.float32) for name in WEIGHTS}
        self._packed.unpack(*map(_address, arrays.values()))
        if self.bias:
            pieces, hidden = self._pieces(), self.hidden_size
            for name in BIASES:
                rows = pieces[f"packed_{name}"].transpose(1, 0, 2).reshape(4, -1)
                arrays[name] = rows[:, :hidden].flatten()
        return Weights(**arrays)

    def __call__(self, x: Array, hx: StateLike = None, c_0: Array | None = None) -> State:
        """Compute one step: `x` (N, I), state `hx` = (h, c) or h with `c_0`, (N, H) each, or None.

        Results and errors are those of `LSTMCell`.
        """
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
        """Compute T steps in one call: `x` (T, N, I), state `hx` = (h, c) or h with `c_0`, or None.

        Results and errors are those of `LSTMCell`.
        """
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
        """Return a frozen copy of what is stored, as `weight_dtype`.

        What rounding took does not come back.
        """
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


def _unpickled(
    kind: type[FrozenCell],
    weight_dtype: WeightDtype,
    input_size: int,
    hidden_size: int,
    pieces: Pieces,
) -> FrozenCell:
    """Return the cell that a pickle holds."""
    return kind._of_pieces(weight_dtype, Spec(input_size, hidden_size, has_bias(pieces)), pieces)


def _check_range(arrays: dict[str, Array], weight_dtype: WeightDtype) -> None:
    """Raise `ArgumentError` if rounding would make a weight infinite; integers have no such."""
    beyond = _BEYOND.get(weight_dtype, 2.0**127)
    for name in WEIGHTS:
        size = np.abs(arrays[name])
        lost = ~(size < beyond)
        if not is_integer(weight_dtype):
            lost &= np.isfinite(size)
        if lost.any():
            raise ArgumentError(
                f"`{name}` must be below {beyond:.6g} in size to be frozen to {weight_dtype}, "
                f"got {float(size[lost].max()):.6g}. Freeze to float32."
            )
