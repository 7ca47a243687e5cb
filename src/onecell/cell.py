"""`LSTMCell` over NumPy arrays: the compiled cell with no framework around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from onecell import _kernel, lines
from onecell.arguments import (
    arrange_step,
    arrange_unroll,
    check_call,
    has_own_call,
    loop,
    ready,
    ready_gradient,
)
from onecell.errors import ArgumentError, DtypeError
from onecell.frozen import FrozenCell, WeightDtype
from onecell.gradients import Gradients, StepPullback, UnrollPullback
from onecell.sized import Sized
from onecell.spec import Spec, check_dtype, check_shape
from onecell.stream import Stream
from onecell.weights import Weights, check_weights

Array: TypeAlias = npt.NDArray[Any]
State: TypeAlias = tuple[Array, Array]
Value = TypeVar("Value", Array, Array | None)
StateLike: TypeAlias = Array | tuple[Array, Array] | list[Array] | tuple[None, None] | None

_KERNELS: Final = {
    np.dtype(np.float32): (_kernel.ArrayStepF32, _kernel.unroll_f32, _kernel.backward_f32),
    np.dtype(np.float64): (_kernel.ArrayStepF64, _kernel.unroll_f64, _kernel.backward_f64),
}
_address: Final = _kernel.address
_empty: Final = np.empty
_LARGE: Final = 4096  # elements from which on it pays that what comes of them begins a line


class _Live(Generic[Value]):
    """A parameter of a cell: reading gives the live array, assigning copies the values in."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type[LSTMCell], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, cell: None, owner: type[LSTMCell]) -> Self: ...
    @overload
    def __get__(self, cell: LSTMCell, owner: type[LSTMCell]) -> Value: ...
    def __get__(self, cell: LSTMCell | None, owner: type[LSTMCell]) -> Self | Value:
        if cell is None:
            return self
        parameter: Any = getattr(cell._parameters, self._name)
        # A view: giving it another shape, or asking it to move, changes the view and not the cell.
        live: Any = parameter if parameter is None else parameter.view()
        return cast("Value", live)

    def __set__(self, cell: LSTMCell, value: Value) -> None:
        cell._assign(self._name, value)


class LSTMCell(Sized):
    """A long short-term memory cell over NumPy arrays.

    Args:
        input_size: I, the width of the input.
        hidden_size: H, the width of the state.
        bias: False leaves both biases out; they are then None.
        dtype: float32 or float64, of the parameters and of every array in and out.
        rng: a generator or a seed for the fresh parameters, uniform(-1/√H, 1/√H).

    `weight_ih` (4H, I), `weight_hh` (4H, H), `bias_ih` (4H,) and `bias_hh` (4H,) are the live
    parameters, gates in the order i f g o: writing into one, or assigning to it, is seen by the
    next call.

    Raises:
        DtypeError: a size is not an integer, or the dtype is not one of the two.
        ArgumentError: a size is impossible.

    Example:
        >>> cell = LSTMCell(10, 16, rng=0)
        >>> h, c = cell(np.ones((3, 10), np.float32))
        >>> h.shape
        (3, 16)
    """

    __slots__ = (
        "__weakref__",
        "_backward",
        "_parameters",
        "_quick",
        "_spec",
        "_unroll",
        "_where",
    )

    weight_ih = _Live[Array]("The live input weights (4H, I).")
    weight_hh = _Live[Array]("The live recurrent weights (4H, H).")
    bias_ih = _Live[Array | None]("The live bias beside the input weights (4H,), or None.")
    bias_hh = _Live[Array | None]("The live bias beside the recurrent weights (4H,), or None.")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike = np.float32,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        spec = Spec(input_size, hidden_size, bias, check_dtype("dtype", dtype))
        self._adopt(_placed(Weights.random(spec, rng)))

    @classmethod
    def from_weights(cls, weights: Weights) -> Self:
        """Return a cell with a copy of `weights`; 16-bit floats are widened to float32, exactly."""
        cell = cls.__new__(cls)
        widened = check_weights("weights", weights).widened()
        dtype = widened.spec.dtype
        copies = {name: lines.copy(a, dtype) for name, a in widened.arrays().items()}
        cell._adopt(Weights(**copies))
        return cell

    def _adopt(self, weights: Weights) -> None:
        """Take over `weights`, which nobody else may hold: their addresses stay for life."""
        self._spec = weights.spec
        self._parameters = weights
        make_step, self._unroll, self._backward = _KERNELS[self._spec.dtype]
        ih, hh = _address(weights.weight_ih), _address(weights.weight_hh)
        self._where = (ih, hh, _at(weights.bias_ih), _at(weights.bias_hh))
        sizes = self.input_size, self.hidden_size
        example = _empty((1, 1), self._spec.dtype.type)  # NumPy's own float32, not an equal of it
        self._quick = make_step(example, *sizes, *self._where).step

    def __reduce__(self) -> tuple[Callable[[Weights], Self], tuple[Weights], object]:
        # What a subclass keeps beside the parameters comes along.
        return type(self).from_weights, (self._parameters,), getattr(self, "__dict__", None)

    def __repr__(self) -> str:
        spec = self._spec
        words = [str(spec.input_size), str(spec.hidden_size)]
        words += [] if spec.bias else ["bias=False"]
        words += [] if spec.dtype == np.float32 else [f"dtype={spec.dtype.name}"]
        return f"{type(self).__name__}({', '.join(words)})"

    @property
    def weights(self) -> Weights:
        """The live parameters as one value, not a copy. Assigning copies the values in."""
        return Weights(**{name: a.view() for name, a in self._parameters.arrays().items()})

    @weights.setter
    def weights(self, weights: Weights) -> None:
        if check_weights("weights", weights).spec != self._spec:
            raise ArgumentError(f"`weights` are of {weights.spec}, the cell is of {self._spec}.")
        for name, array in weights.widened().arrays().items():
            self._assign(name, array)

    def _assign(self, name: str, value: object) -> None:
        """Copy `value` into the live parameter `name`, or raise and leave it as it was."""
        parameter: Array | None = getattr(self._parameters, name)
        if parameter is None or value is None:
            if parameter is value:
                return
            raise ArgumentError(f"`{name}`: a cell gains or loses its biases only by a new cell.")
        array = ready(name, value, self._spec.dtype)
        symbols = {"weight_ih": "(4H, I)", "weight_hh": "(4H, H)"}.get(name, "(4H,)")
        check_shape(name, array.shape, parameter.shape, symbols)
        parameter[...] = array

    def __call__(self, x: Array, hx: StateLike = None, c_0: Array | None = None) -> State:
        """Compute one step.

        Args:
            x: (N, I), or (I,) for one row without a batch axis.
            hx: the state (h, c), each (N, H) or (H,); or h alone with c as `c_0`; None for zeros.
            c_0: c, where `hx` is h.

        Returns:
            (h', c'), new arrays, each (N, H) or (H,).

        Raises:
            ShapeError: a shape does not fit; the message names the argument.
            DtypeError: an argument is not an array of the cell's dtype.
            ArgumentError: only one half of the state is there.
        """
        if c_0 is None:
            # The everyday call: everything is as it should be, and one look from C++ says so.
            done = self._quick(x, hx)
            if done is not None:
                return done
        return self._careful_step(x, hx, c_0)

    def _careful_step(self, x: Array, hx: StateLike, c_0: Array | None) -> State:
        """Compute one step of anything that the cell accepts, or say what is wrong with it."""
        x, h, c = arrange_step(self._spec, x, hx, c_0)
        h_next, c_next = self._after(x), self._after(x)
        self._forward(x[None], h, c, h_next, c_next, None)
        return h_next, c_next

    def unroll(
        self, x: Array, hx: StateLike = None, c_0: Array | None = None
    ) -> tuple[Array, State]:
        """Compute T steps in one call; the bits are those of a loop over `__call__`.

        Args:
            x: (T, N, I), or (T, I) for one row without a batch axis.
            hx: the state before the first step, as in `__call__`.
            c_0: as in `__call__`.

        Returns:
            (h_all, (h, c)): h after every step (T, N, H) or (T, H), and the last state.

        A subclass that has a `__call__` of its own is called, step by step.
        """
        x, h, c = arrange_unroll(self._spec, x, hx, c_0)
        if len(x) and has_own_call(self, LSTMCell):
            return loop(self, x, h, c)
        h_all = self._after(x)
        c_last = _empty(h_all.shape[1:], h_all.dtype)
        self._forward(x, h, c, h_all, c_last, None)
        return h_all, (_last(h_all, h), c_last)

    def freeze(self, weight_dtype: WeightDtype = "float32") -> FrozenCell:
        """Return an inference-only copy with packed weights; later writes here do not reach it.

        Args:
            weight_dtype: how weights are stored: "float32" (the same bits as this cell),
                "bfloat16", "float16", "int8" (by rows), "int8_int8" or
                "bfloat16_bfloat16"; see `FrozenCell`.

        Raises:
            DtypeError: the cell is float64; frozen cells compute in float32.
            ArgumentError: a weight has no such form; or the cell is of a subclass that has a
                `__call__` of its own, which a packed cell would not run.
        """
        check_call(self, LSTMCell, "freeze")
        if self._spec.dtype != np.float32:
            raise DtypeError(
                f"a frozen cell computes in float32, and this cell is {self._spec.dtype}. Round it "
                "first: LSTMCell.from_weights(cell.weights.astype('float32'))."
            )
        return FrozenCell(self._parameters, weight_dtype)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the parameters to a safetensors file, whole or not at all.

        torch, MindSpore and every verb of `onecell` read it, as a checkpoint of one LSTM cell.

        Args:
            path: the file; it ends in .safetensors. docs/en/guides/saving.md has the schema.
            force: replace a file that is there.

        Raises:
            OutputExistsError: a file is there and `force` is not set.
            ArgumentError: `path` has another suffix.
            OSError: the folder or the disk refuses.
        """
        from onecell.saved import save_live  # noqa: PLC0415 - readers of files load later

        save_live(path, self._parameters, force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the cell that `save` wrote to `path`, bit for bit.

        A checkpoint of torch's or MindSpore's own cell, alone in its file, is read too; 16-bit
        floats are widened to float32, exactly.

        Raises:
            CheckpointError: it is damaged, or holds no live cell or more than that.
            OSError: it cannot be opened.
        """
        from onecell.saved import load_live  # noqa: PLC0415

        return cls.from_weights(load_live(path))

    def stream(self, batch: int | None = 1) -> Stream:
        """Return a state of `batch` rows, or of one row without a batch axis, to step in place.

        Raises:
            ArgumentError: the cell is of a subclass that has a `__call__` of its own.
        """
        return Stream(self, batch)

    def _stepper(self) -> _kernel.Step:
        check_call(self, LSTMCell, "stream")
        step = _kernel.LiveStepF32 if self._spec.dtype == np.float32 else _kernel.LiveStepF64
        return step(self.input_size, self.hidden_size, *self._where)

    def vjp(
        self, x: Array, hx: StateLike = None, c_0: Array | None = None
    ) -> tuple[State, StepPullback]:
        """Compute one step and the function that pulls gradients back through it.

        Args:
            x: input, (N, I).
            hx: state (h, c), both (N, H); or h alone, with `c_0`; None for zeros.
            c_0: cell state, where `hx` is h alone.

        Returns:
            ((h', c'), pullback), where `pullback(grad_h, grad_c)` returns `Gradients` and may be
            called again. Inputs are copied; the parameters are not: pull back before changing them.

        Raises:
            ArgumentError: the cell is of a subclass that has a `__call__` of its own.
        """
        check_call(self, LSTMCell, "vjp")
        x, h, c = arrange_step(self._spec, x, hx, c_0)
        (_, state), pull = self._vjp(x[None], h, c)

        def pullback(grad_h: Array | None = None, grad_c: Array | None = None) -> Gradients:
            gradients = pull(None, grad_h, grad_c)
            return replace(gradients, x=gradients.x[0])

        return state, pullback

    def unroll_vjp(
        self, x: Array, hx: StateLike = None, c_0: Array | None = None
    ) -> tuple[tuple[Array, State], UnrollPullback]:
        """Compute T steps and the function that pulls gradients back through all of them.

        Args:
            x: inputs, (T, N, I).
            hx: state (h, c), both (N, H); or h alone, with `c_0`; None for zeros.
            c_0: cell state, where `hx` is h alone.

        Returns:
            ((h_all, (h, c)), pullback): as `unroll` and `vjp`; `pullback(grad_h_all, grad_h_last,
            grad_c_last)`, each of the shape of its namesake.

        Raises:
            ArgumentError: the cell is of a subclass that has a `__call__` of its own.
        """
        check_call(self, LSTMCell, "unroll_vjp")
        return self._vjp(*arrange_unroll(self._spec, x, hx, c_0))

    def _vjp(
        self, x: Array, h: Array | None, c: Array | None
    ) -> tuple[tuple[Array, State], UnrollPullback]:
        # The caller may write into what it gave and what it gets; the pullback keeps its own.
        x, h, c = x.copy(), _copy(h), _copy(c)
        h_all = self._after(x)
        c_all, trace = _empty(h_all.shape, h_all.dtype), self._after(x, gates=4)
        self._forward(x, h, c, h_all, c_all, trace)
        last = (_last(h_all, h), _last(c_all, c))

        def pullback(
            grad_h_all: Array | None = None,
            grad_h_last: Array | None = None,
            grad_c_last: Array | None = None,
        ) -> Gradients:
            inward = (
                ready_gradient("grad_h_all", grad_h_all, h_all),
                ready_gradient("grad_h_last", grad_h_last, last[0]),
                ready_gradient("grad_c_last", grad_c_last, last[1]),
            )
            matrices = (self._parameters.weight_ih, self._parameters.weight_hh)
            outward = [_empty(a.shape, a.dtype) for a in (x, *last, *matrices)]
            bias = _empty(len(matrices[0]), x.dtype) if self.bias else None
            self._backward(
                *self._sizes(x), *self._where[:2],
                *(_at(a) for a in (x, h, c, h_all, c_all, trace, *inward, *outward, bias)),
            )  # fmt: skip
            grad_x, grad_h, grad_c, grad_ih, grad_hh = outward
            return Gradients(grad_x, grad_h, grad_c, grad_ih, grad_hh, bias, _copy(bias))

        return (h_all.copy(), (last[0].copy(), last[1].copy())), pullback

    def _forward(
        self,
        x: Array,
        h: Array | None,
        c: Array | None,
        h_all: Array,
        c_all: Array,
        trace: Array | None,
    ) -> None:
        self._unroll(*self._sizes(x), *self._where, *map(_at, (x, h, c, h_all, c_all, trace)))

    def _sizes(self, x: Array) -> tuple[int, int, int, int]:
        """Return T, N, I and H for x (T, N, I) or (T, I)."""
        return len(x), x.shape[1] if x.ndim == 3 else 1, self.input_size, self.hidden_size

    def _after(self, x: Array, gates: int = 1) -> Array:
        """Return an array for what comes of every row of x: (..., gates * H)."""
        shape = (*x.shape[:-1], gates * self.hidden_size)
        large = x.size // x.shape[-1] * shape[-1] >= _LARGE
        return lines.empty(shape, x.dtype) if large else _empty(shape, x.dtype)


def _placed(weights: Weights) -> Weights:
    """Return the weights in arrays that begin a line of memory: those there, or copies."""
    held = weights.arrays().items()
    return Weights(**{n: a if lines.begins_a_line(a) else lines.copy(a, a.dtype) for n, a in held})


def _at(array: Array | None) -> int:
    return 0 if array is None else _address(array)


def _copy(array: Array | None) -> Array | None:
    return None if array is None else array.copy()


def _last(after: Array, before: Array | None) -> Array:
    """Return a copy of the state after the last step, or of the one before the first if T = 0."""
    if len(after):
        last: Array = after[-1]
        return last.copy()
    return np.zeros(after.shape[1:], after.dtype) if before is None else before.copy()
