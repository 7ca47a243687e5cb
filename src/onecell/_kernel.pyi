"""The compiled kernel: addresses and sizes in, nothing out. Only the front ends call it.

Every array argument is the address of a C-contiguous, element-aligned array in native byte order,
alive and of the stated shape for the whole call; 0 stands for "absent" where that is allowed. The
caller has checked all of it: nothing here can. The GIL is released while the kernel computes, but
for the tiniest steps of `StepReader`.
N batch, T steps, I input, H hidden, G = 4H. Every `*_f32` has a twin `*_f64`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, overload

import numpy as np

def step_f32(
    batch: int,
    input_size: int,
    hidden_size: int,
    weight_ih: int,  # (G, I)
    weight_hh: int,  # (G, H)
    bias_ih: int,  # (G,), or 0 together with bias_hh
    bias_hh: int,  # (G,)
    x: int,  # (N, I)
    h: int,  # (N, H), or 0 for zeros
    c: int,  # (N, H), or 0 for zeros
    h_next: int,  # out (N, H); must not overlap h
    c_next: int,  # out (N, H); may be c itself
    trace: int,  # out (N, G): the activated gates, for `backward`; or 0
    /,
) -> None:
    """Compute one step of the cell."""

def unroll_f32(
    steps: int,
    batch: int,
    input_size: int,
    hidden_size: int,
    weight_ih: int,
    weight_hh: int,
    bias_ih: int,
    bias_hh: int,
    x: int,  # (T, N, I)
    h: int,  # (N, H), or 0
    c: int,  # (N, H), or 0
    h_all: int,  # out (T, N, H): h after every step
    c_all: int,  # out (T, N, H) with a trace; (N, H), the last c only, without
    trace: int,  # out (T, N, G), or 0
    /,
) -> None:
    """Compute T steps, each from the state that the one before left; the bits are the step's."""

def backward_f32(
    steps: int,
    batch: int,
    input_size: int,
    hidden_size: int,
    weight_ih: int,
    weight_hh: int,
    x: int,  # (T, N, I)
    h: int,  # (N, H), the initial state, or 0
    c: int,  # (N, H), or 0
    h_all: int,  # (T, N, H), as `unroll` wrote it (for one step: h_next)
    c_all: int,  # (T, N, H) (for one step: c_next)
    trace: int,  # (T, N, G)
    grad_h_all: int,  # (T, N, H): gradient of the loss by every h; or 0 for zeros
    grad_h_last: int,  # (N, H): added to the gradient of the last h; or 0
    grad_c_last: int,  # (N, H): gradient by the last c; or 0
    grad_x: int,  # out (T, N, I), or 0 if not wanted
    grad_h: int,  # out (N, H), or 0
    grad_c: int,  # out (N, H), or 0
    grad_weight_ih: int,  # out (G, I), or 0
    grad_weight_hh: int,  # out (G, H), or 0
    grad_bias: int,  # out (G,): the gradient of bias_ih and of bias_hh alike, or 0
    /,
) -> None:
    """Compute gradients through T steps (T = 1: of one step). Outputs are overwritten."""

def sigmoid_f32(count: int, x: int, y: int, /) -> None:
    """Compute sigmoid of `count` elements at x into y, as the cell does."""

def tanh_f32(count: int, x: int, y: int, /) -> None:
    """Compute tanh of `count` elements at x into y, as the cell does."""

step_f64 = step_f32
unroll_f64 = unroll_f32
backward_f64 = backward_f32
sigmoid_f64 = sigmoid_f32
tanh_f64 = tanh_f32

class ArrayStepF32:
    """The step of one cell on NumPy arrays, whose parameters stay where they are."""

    def __init__(
        self,
        example: np.ndarray,  # any writeable array of two axes; the class and type to read
        input_size: int,
        hidden_size: int,
        weight_ih: int,
        weight_hh: int,
        bias_ih: int,
        bias_hh: int,
        /,
    ) -> None: ...
    def step(
        self,
        x: object,  # (N, I)
        hx: object,  # (h, c), each (N, H)
        /,
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Compute one step into new arrays (h', c'); None where anything does not fit."""

ArrayStepF64 = ArrayStepF32

class Step:
    """One step of some cell: what a `Stream` runs."""

class LiveStepF32(Step):
    """The step of a cell whose parameters stay where they are for as long as this lives."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        weight_ih: int,
        weight_hh: int,
        bias_ih: int,
        bias_hh: int,
        /,
    ) -> None: ...

class LiveStepF64(LiveStepF32): ...

class Frozen(Step):
    """The packed weights of one cell, float32 in and out, and what can be computed with them."""

    @overload
    def __init__(
        self,
        example: np.ndarray,  # any writeable float32 array of two axes; the class and type to read
        storage: str,  # one of WEIGHT_DTYPES of `packed`
        input_size: int,
        hidden_size: int,
        weight_ih: int,  # float32, read during the call only; so all below
        weight_hh: int,
        bias_ih: int,  # 0 together with bias_hh
        bias_hh: int,
        /,
    ) -> None: ...
    @overload
    def __init__(
        self,
        example: np.ndarray,
        storage: str,
        input_size: int,
        hidden_size: int,
        parts: Sequence[int],  # as `parts` returns them
        owner: object,  # kept alive, and the parts used where they lie; None: copied
        /,
    ) -> None: ...
    def step(
        self,
        x: object,  # (N, I)
        h: object,  # (N, H)
        c: object,  # (N, H)
        h_next: object,  # out (N, H)
        c_next: object,  # out (N, H)
        /,
    ) -> bool:
        """Compute one step; False where an array does not fit, and then nothing was done."""

    def unroll(
        self,
        steps: int,
        batch: int,
        x: int,  # (T, N, I)
        h: int,  # (N, H), or 0
        c: int,  # (N, H), or 0
        h_all: int,  # out (T, N, H)
        c_last: int,  # out (N, H)
        /,
    ) -> None:
        """Compute T steps; the bits are those of T steps."""

    def unpack(
        self,
        weight_ih: int,  # out (G, I), float32
        weight_hh: int,  # out (G, H), float32
        /,
    ) -> None:
        """Write the weights that are stored, exactly."""

    def parts(self) -> list[int]:
        """Return where the pieces lie: weight_ih, weight_hh, scales of both, biases; 0 for none."""

class FrozenReader:
    """The step of frozen cells on tensors of exactly two classes; see `StepReader`."""

    def __init__(
        self, exchange_api: object, tensor: type, parameter: type, size: int, offset: int, /
    ) -> None: ...
    def step(
        self,
        cell: Frozen,
        x: object,  # (N, I)
        h: object,  # (N, H)
        c: object,  # (N, H)
        h_next: object,  # out (N, H)
        c_next: object,  # out (N, H)
        /,
    ) -> bool:
        """Compute one step; False where anything does not fit, and then nothing was done."""

class Stream:
    """A state of one cell, stepped in place without allocating."""

    def __init__(
        self,
        owner: object,  # kept alive
        step: Step,
        room: np.ndarray,  # (4, at least N * H): h, c, and room for the next two
        h: np.ndarray,  # what `step` returns: room[0] under the shape of the state
        arrange: Callable[[Any], np.ndarray],  # makes x ready, or raises
        refuse: Callable[[Any], NoReturn],  # raises for an `out` that does not fit
        # of x, out and rows: how many, where indices, x and out lie, what to return, what to keep
        choose: Callable[[Any, Any, Any], tuple[int, int, int, int, object, object]],
        batched: bool,
        batch: int,
        input_size: int,
        hidden_size: int,
        /,
    ) -> None: ...
    def step(
        self,
        x: np.ndarray,
        out: np.ndarray | None = None,
        rows: Any = None,  # noqa: ANN401 - whatever chooses rows of an array
    ) -> np.ndarray:
        """Compute one step, of all rows or of some, and return h', in `out` if that is given."""

    def _hold(self, work: Callable[[], Any], indices: int, count: int, /) -> Any:  # noqa: ANN401
        """Return `work()`, while no other thread can step; BusyError if one is stepping.

        `count` rows of the state move on, whose indices (int64, every one once) lie at the address
        `indices`: -1 for all of them, 0 for none. `work` has to write their next state into the
        last two rows of `room`, which then becomes theirs at once; where it raises, they stay.
        """

class EverydayCall:
    """Whether calling a module of exactly one class runs its forward and nothing else.

    `around` says where to look. `methods`: pairs of a class and a function's name, which must
    still be found as it was. `hooks`: dicts that must be empty. `own`: names of a module's
    attributes that must be empty dicts. `absent`: names of attributes that a module must not have
    itself, or be None.
    """

    def __init__(self, kind: type, around: object, /) -> None: ...

class StepSums:
    """Gradients of weights, summed over steps, the last step first; rule 4 of cell.h."""

    def __init__(self, weight_ih: bool, weight_hh: bool, bias: bool, once: bool, /) -> None:
        """Say which are wanted, `bias` by bias_ih and bias_hh alike; `once` of one step only."""

class StepReader:
    """Steps on tensors of exactly two classes, read in place through DLPack.

    The first argument of the constructor is a `dlpack_exchange_api` capsule of these classes.
    Classes, device, element types, shapes, strides, alignment and storages are checked here; `size`
    and `offset` are addresses of functions of torch's C interface that tell of a storage, or 0. For
    what DLPack does not show, `framework` has functions to ask: `negated(tensor)`, whether a
    negation is pending; `recording()`, whether gradients are recorded; `modes`, functions all false
    in everyday life, and `dual`, a dict with `_current_level`, below 0 then; `must_run()`, asked
    where that is not so, whether the framework's own operators must compute (None: and something
    has to see the call first); and
    `empty_like(tensor)`, `new_empty(tensor, *sizes)` and `contiguous(tensor)`.
    """

    def __init__(
        self,
        exchange_api: object,
        tensor: type,
        parameter: type,
        size: int,
        offset: int,
        framework: object,
        /,
    ) -> None: ...
    def step(
        self,
        parameters: object,  # a dict of weight_ih, weight_hh, bias_ih and bias_hh; biases or None
        hidden_size: object,
        x: object,  # (N, I), or (I) for one row without a batch axis; of any strides
        hx: object,  # a tuple or list of h and c (N, H), or (H); or None
        /,
    ) -> Any:  # noqa: ANN401 - tensors, of which this file knows nothing
        """Compute one step: (h', c'), and more where it must be recorded for a gradient.

        Then the gates follow, and (x, h, c, *parameters) as they were read. None where anything is
        out of the ordinary: no tensor of the two classes, another shape, an empty one, one that
        shares no memory. False where it is only that the framework's operators must compute.
        """

    def call(self, everyday: EverydayCall, module: object, arguments: tuple[Any, ...], /) -> Any:  # noqa: ANN401
        """Compute the step that a call of `module` is, with (x), (x, hx) or (x, h, c), as `step`.

        None also where there is more to the call than the step.
        """

    def back(
        self,
        by_x: bool,  # which gradients are wanted
        by_h: bool,
        by_c: bool,
        saved: tuple[Any, ...],  # x, h, c, the four parameters, and the gates
        grad_h_next: object,  # (N, H), of any strides, or None for zeros
        grad_c_next: object,
        sums: StepSums | None,  # takes what the step adds to the gradients of the weights
        own: StepSums | None,  # so does this, for weights that are this step's own
        /,
    ) -> Any:  # noqa: ANN401
        """Return the gradients by x, h and c, None where not wanted.

        None in place of all where anything is out of the ordinary, and then nothing was done.
        """

    def totals(self, sums: StepSums, /) -> Any:  # noqa: ANN401
        """Return the sums by weight_ih, weight_hh and a bias; None for what no step added to.

        RuntimeError if an x or h was written since its step's way back.
        """

    def run(self, tensors: list[Any], program: str, /) -> list[Any] | None:
        """Compute a program, and return the tensors that it gives.

        A program is words and numbers with a space between them. `tensors` are the values 0, 1, …;
        what an instruction makes are the next ones; -1 is a value that is left out. States and x
        are one step's, and all is of one element type; of which strides does not matter.

        - `step x h c weight_ih weight_hh bias_ih bias_hh` makes h' and c'.
        - `record` with the same makes h', c' and the gates.
        - `back which c weight_ih weight_hh gates by_h by_c` makes gradients by x, h and c, those of
          them whose bit 1, 2 or 4 is in `which`, and by z, from those by h' and c'.
        - `sums which by_z… x… h…` makes the gradients by the four parameters, those whose bit is in
          `which`, over steps of one cell, the last step first.
        - `add a b` makes the sum of two matrices.
        - `pick a axis place` makes one of the matrices along an axis of three.
        - `give …` ends the program, with the results that are returned.

        None where a tensor is out of the ordinary or of another shape than it should be.
        ValueError if the text is no program.
        """

class AskedStep:
    """One step on tensors that can only be asked what they are, of exactly two classes.

    `questions` are five of the classes' base: element type, shape and device (descriptors), whether
    it is dense, and its address (methods). `adopt` makes a tensor of an array.
    """

    def __init__(
        self,
        tensor: type,
        parameter: type,
        questions: tuple[object, object, object, object, object],
        adopt: Callable[[np.ndarray], Any],
        float32: object,
        float64: object,
        example32: np.ndarray,  # any writeable array of two axes
        example64: np.ndarray,
        /,
    ) -> None: ...
    def step(
        self,
        cell: object,  # with `_params`, `input_size` and `hidden_size`
        x: object,  # (N, I)
        hx: object,  # (h, c), each (N, H)
        /,
    ) -> tuple[Any, Any] | None:
        """Compute one step into new tensors (h', c'); None where anything does not fit."""

def address(array: object, /) -> int:
    """Return the address of the first element of a C-contiguous buffer, such as a NumPy array."""

def outlive_interpreter() -> None:
    """Keep daemon threads that end in a framework's operators from ending the process by SIGABRT.

    Process-wide, once: before 3.14, the interpreter ends a thread that comes back to it too late by
    unwinding its stack, which C++ that is in the way answers with `std::terminate`.
    """

def isa() -> str:
    """Return the instruction set in use: "portable", "avx2", "avx512" or "neon"."""

def available_isas() -> tuple[str, ...]:
    """Return the instruction sets that this machine can run, slowest first."""

def set_isa(name: str, /) -> None:
    """Use another instruction set from now on, process-wide; ValueError if it cannot be had."""

def num_threads() -> int:
    """Return how many threads a call may use at most, the caller's included."""

def set_num_threads(count: int, /) -> None:
    """Use at most `count` threads from now on, process-wide; 0 to choose no number.

    ValueError unless it is from 0 to 64.
    """

def follow_threads(theirs: int, /) -> None:
    """Use as many threads as the `int()` at an address says, where nobody chose a number."""

def lend_threads(parallel: int, /) -> None:
    """Let calls from this thread use another library's: the address of its `GOMP_parallel`."""

def library_path() -> str:
    """Return the path of the shared library that carries the C entry points."""
