"""The kernel called on the memory of MindSpore tensors: addresses in, fresh tensors out.

`Tensor.data_ptr()` waits until whatever writes to the tensor is done, so what an optimizer or
`set_data` has queued is what the kernel reads. Results are NumPy memory that the tensors adopt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from mindspore import Parameter, Tensor, float32, float64, ops

from onecell import _kernel

Array: TypeAlias = npt.NDArray[Any]

_address: Final = _kernel.address
_adopt: Final = Tensor.from_numpy
_empty: Final = np.empty


# Plain classes: `jit(capture_mode="bytecode")` of 2.10 takes a NamedTuple for a tuple.
@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel's functions for one element type."""

    step: Any
    unroll: Any
    backward: Any
    dtype: np.dtype[Any]
    misaligned: int
    """The bits of an address that must be 0."""


FLOAT32: Final = Kernel(
    _kernel.step_f32, _kernel.unroll_f32, _kernel.backward_f32, np.dtype(np.float32), 3
)
FLOAT64: Final = Kernel(
    _kernel.step_f64, _kernel.unroll_f64, _kernel.backward_f64, np.dtype(np.float64), 7
)


def _quick() -> Any:  # noqa: ANN401 - a method of the kernel's
    """Return the step of everyday calls, or None where MindSpore's private names for it are gone.

    The names are those that the properties and methods of `Tensor` and `Parameter` call.
    """
    try:
        from mindspore._c_expression import TensorPy  # noqa: PLC0415 - private, may be gone

        questions = (
            TensorPy._dtype,
            TensorPy._shape,
            TensorPy.device,
            TensorPy.is_contiguous,
            TensorPy._data_ptr,
        )
        examples = (_empty((1, 1), np.float32), _empty((1, 1), np.float64))
        # Every Parameter made of a Tensor is of one class that MindSpore derives from both.
        classes = (Tensor, Parameter._get_base_class(Tensor))
        kinds = (float32, float64, *examples)
        return _kernel.AskedStep(*classes, questions, TensorPy.from_numpy, *kinds).step
    except (ImportError, AttributeError, TypeError):
        return None


quick: Final = _quick()


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of one call: T (1 for a step), N, I, H, and the shape of h after every step."""

    steps: int
    batch: int
    input: int
    hidden: int
    after: tuple[int, ...]

    def four(self) -> tuple[int, int, int, int]:
        """Return T, N, I and H."""
        return self.steps, self.batch, self.input, self.hidden


@dataclass(frozen=True, slots=True)
class Trace:
    """What the way back needs of the way forth, in memory that nobody else can write."""

    kernel: Kernel
    sizes: Sizes
    h_all: Array
    c_all: Array
    gates: Array


def in_memory(tensors: Iterable[Tensor]) -> bool:
    """Whether all have memory, or no elements; one made with `init=` has none until `init_data`."""
    return all(tensor.data_ptr() != 0 or tensor.size == 0 for tensor in tensors)


def check_made(tensors: Iterable[object]) -> None:
    """Raise what MindSpore's operators raise, of tensors that have yet to be made by `init_data`.

    Its custom operators take them for memory.
    """
    for tensor in tensors:
        if isinstance(tensor, (tuple, list)):
            check_made(tensor)
        elif isinstance(tensor, Tensor) and tensor.has_init:
            ops.mul(tensor, 1)


def dense(tensor: Tensor, kernel: Kernel) -> Tensor:
    """Return `tensor`, or a copy where it is strided, misaligned or elsewhere."""
    if not tensor.is_contiguous():
        tensor = tensor.contiguous()
    address = tensor.data_ptr()
    if address == 0 or address & kernel.misaligned:
        tensor = _adopt(np.array(tensor.asnumpy(), kernel.dtype, order="C"))
    return tensor


def addresses(
    x: Tensor, h: Tensor | None, c: Tensor | None, weights: Sequence[Tensor]
) -> tuple[int, ...]:
    """Return the addresses of weight_ih, weight_hh, bias_ih, bias_hh, x, h, c; 0 where absent."""
    biases = (0, 0) if len(weights) == 2 else (weights[2].data_ptr(), weights[3].data_ptr())
    return (
        weights[0].data_ptr(),
        weights[1].data_ptr(),
        *biases,
        x.data_ptr(),
        0 if h is None else h.data_ptr(),
        0 if c is None else c.data_ptr(),
    )


def zeros(kernel: Kernel, shape: tuple[int, ...]) -> Tensor:
    """Return a state of zeros."""
    return _adopt(np.zeros(shape, kernel.dtype))


def step(
    kernel: Kernel,
    batch: int,
    input_size: int,
    hidden: int,
    after: tuple[int, ...],
    where: tuple[int, ...],
) -> tuple[Tensor, Tensor]:
    """Compute one step on the arrays at `where` and return (h', c'), of shape `after`."""
    h_next, c_next = _empty(after, kernel.dtype), _empty(after, kernel.dtype)
    kernel.step(batch, input_size, hidden, *where, _address(h_next), _address(c_next), 0)
    return _adopt(h_next), _adopt(c_next)


def unroll(kernel: Kernel, sizes: Sizes, where: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Compute T steps, T ≥ 1, and return h after every step, the last h and the last c."""
    h_all = _empty(sizes.after, kernel.dtype)
    c_last = _empty(sizes.after[1:], kernel.dtype)
    kernel.unroll(*sizes.four(), *where, _address(h_all), _address(c_last), 0)
    return _adopt(h_all), _adopt(h_all[-1].copy()), _adopt(c_last)


def forward(kernel: Kernel, sizes: Sizes, where: tuple[int, ...]) -> Trace:
    """Compute T steps, T ≥ 1, and return all that the way back needs."""
    h_all, c_all = _empty(sizes.after, kernel.dtype), _empty(sizes.after, kernel.dtype)
    gates = _empty((*sizes.after[:-1], 4 * sizes.hidden), kernel.dtype)
    kernel.unroll(*sizes.four(), *where, _address(h_all), _address(c_all), _address(gates))
    return Trace(kernel, sizes, h_all, c_all, gates)


def results(trace: Trace, sequence: bool) -> tuple[Tensor, ...]:
    """Return what `step` or `unroll` returns, as copies: a caller may write into a result."""
    arrays: tuple[Array, ...] = (trace.h_all, trace.c_all)
    if sequence:
        arrays = (trace.h_all, trace.h_all[-1], trace.c_all[-1])
    return tuple(_adopt(array.copy()) for array in arrays)


def backward(
    trace: Trace,
    where: tuple[int, ...],
    grads: tuple[int, int, int],
    needs: Sequence[bool],
    shapes: Sequence[tuple[int, ...]],
) -> list[Tensor | None]:
    """Compute the gradients by x, h, c and the weights that are needed.

    Args:
        trace: what `forward` left.
        where: the addresses that `forward` was given, of arrays that have not changed.
        grads: addresses of the gradients by h after every step, by the last h, by the last c; or 0.
        needs: for x, h, c and each weight, whether its gradient is wanted.
        shapes: of x, h, c and each weight.
    """
    kernel, sizes, saved = trace.kernel, trace.sizes, (trace.h_all, trace.c_all, trace.gates)
    weight_ih, weight_hh, _, _, *inputs = where
    found: list[Array | None] = [None] * len(needs)
    for index in range(5):
        if needs[index]:
            found[index] = _empty(shapes[index], kernel.dtype)
    bias = _empty(shapes[5], kernel.dtype) if any(needs[5:]) else None
    kernel.backward(
        *sizes.four(), weight_ih, weight_hh, *inputs, *map(_address, saved), *grads,
        *(0 if a is None else _address(a) for a in (*found[:5], bias)),
    )  # fmt: skip
    if bias is not None:
        # Both biases have this gradient; each tensor gets memory of its own.
        found[5:] = [bias if needs[5] else None, bias.copy() if needs[6] else None]
    return [None if array is None else _adopt(array) for array in found]
