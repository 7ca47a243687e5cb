"""`LSTMCell` for MindSpore."""

from __future__ import annotations

from typing import Any, Self

import mindspore as ms
from mindspore import Parameter, Tensor, nn

from onecell.errors import DtypeError
from onecell.mindspore import calls, graph, plain, routes
from onecell.mindspore.arguments import Dtype, StateLike, check_dtype, read_bias
from onecell.mindspore.stream import Stream
from onecell.spec import PARAMETERS, check_product

State = tuple[Tensor, Tensor]


class LSTMCell(nn.LSTMCell):
    """A long short-term memory cell, a drop-in for `mindspore.nn.LSTMCell` on onecell's kernel.

    Parameters, their names and fresh values, checkpoints, hooks, argument checks, repr and results
    are those of `mindspore.nn.LSTMCell`, whose subclass this is. On float32 and float64 CPU tensors
    the kernel computes: eager, recording a gradient, in `jit` and in graph mode, always to the same
    bits as `onecell.LSTMCell` over arrays. Elsewhere (other devices and element types, mixed
    precision, gradients of eager gradients) MindSpore's own operators do.

    Args:
        input_size: I, the width of the input.
        hidden_size: H, the width of the state.
        has_bias: False leaves both biases out; they are then None. Default: True.
        bias: the same, under the name that MindSpore has announced.
        dtype: element type of the parameters.

    Differences that are meant: a state of any shape but (N, H) raises, where MindSpore broadcasts
    (1, H), (N, 1) and unequal batches in silence; a state left out is zeros; a state may be a list,
    or two arguments; x may be (I,) beside a state (H,); float64 computes; no warning is logged at
    construction.

    `mindspore.export` writes MindSpore's own operators, which run where onecell is not. Transforms
    (`jvp`, `jacfwd`, `jacrev`, `vmap`, gradients of gradients) compute what they do on MindSpore's
    cell. Its `auto_mixed_precision` level O1 fails on this cell as it does on its own.

    What holds for MindSpore's cell and so for this one: a compiled graph binds its parameters when
    it is compiled; 2.10 then overlooks `set_data` and `load_param_into_net`, and with
    `capture_mode="bytecode"` the optimizer too. Eager calls always see the latest values. Eager
    MindSpore spins two threads; `mindspore.runtime.launch_blocking()` makes small models faster.

    Example:
        >>> cell = LSTMCell(10, 16)
        >>> h, c = cell(mindspore.ops.ones((3, 10)))
        >>> h.shape
        (3, 16)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        has_bias: bool | None = None,
        *,
        bias: bool | None = None,
        dtype: Dtype = ms.float32,
    ) -> None:
        has_bias = read_bias(has_bias, bias)
        check_dtype(dtype)
        if isinstance(input_size, int) and isinstance(hidden_size, int):
            check_product(input_size, hidden_size)  # the rest MindSpore checks by itself
        # MindSpore wraps its constructor to warn of an API of 2021, at every construction.
        make = nn.LSTMCell.__init__
        getattr(make, "__wrapped__", make)(self, input_size, hidden_size, has_bias, dtype)
        self.on_kernel = plain.on_cpu()

    _own_step = False
    _computes_weights = False

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a base takes
        super().__init_subclass__(**kwargs)
        steps = cls.construct is LSTMCell.construct and cls.__call__ is LSTMCell.__call__
        cls._own_step = not steps or hasattr(cls, "bprop")
        cls._computes_weights = (
            any(hasattr(cls, name) for name in PARAMETERS)
            or cls.__getattr__ is not nn.Cell.__getattr__
            or cls.__getattribute__ is not nn.Cell.__getattribute__
        )

    @classmethod
    def from_mindspore(cls, cell: nn.LSTMCell) -> Self:
        """Return a cell that shares the Parameter objects of `cell`: training one trains both.

        Raises:
            DtypeError: `cell` is no `mindspore.nn.LSTMCell`, or computes something of its own.
        """
        if not isinstance(cell, nn.LSTMCell):
            raise DtypeError(f"`cell` must be a mindspore.nn.LSTMCell, got {type(cell).__name__}.")
        _check_ordinary(cell, cls)
        dtype = cell.weight_ih.dtype
        mine = cls(cell.input_size, cell.hidden_size, cell.has_bias, dtype=dtype)
        for name in PARAMETERS:
            if (parameter := getattr(cell, name)) is not None:
                setattr(mine, name, parameter)
        return mine

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - hooks may return all
        """Compute one step as `construct` says, by the shortest way there is."""
        if plain.is_plain(self):
            if type(self).construct is _construct and not self._computes_weights:
                done = routes.quick_step(self, *args, **kwargs)
                if done is None:
                    done = routes.run(self, *args, **kwargs)
                if done is not None:
                    return done
        elif self.on_kernel and self.mixed_precision_type is not None:
            # Set by `to_float`, here or on a cell around this one: what follows must be operators.
            self.on_kernel = False
        if plain.is_eager():
            calls.check_made([*args, *kwargs.values()])
        return super().__call__(*args, **kwargs)

    def _call_custom_bprop(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Record a subclass's own `bprop`, to be given what the call was given."""
        if type(self).construct is not _construct or "construct" in self.__dict__:
            return super()._call_custom_bprop(*args, **kwargs)
        # MindSpore would add the defaults of `construct`, of which its own cell has none.
        with plain.no_grad():
            output = self.construct(*args, **kwargs)
        return plain.call_custom_bprop(self, output, *args, **kwargs)

    def construct(
        self,
        x: Tensor,
        hx: StateLike = None,
        c_0: Tensor | None = None,
        sequence: bool = False,
    ) -> tuple[Tensor, Tensor] | tuple[Tensor, State]:
        """Compute one step.

        Args:
            x: (N, I), or (I,) for one row without a batch axis.
            hx: the state (h, c), each (N, H) or (H,); or h alone with c as `c_0`; None for zeros.
            c_0: c, where `hx` is h.
            sequence: `unroll` instead; x then has a time axis in front.

        Returns:
            (h', c'), each (N, H) or (H,).

        Raises:
            StateError: the state is no pair; a TypeError and a ValueError.
            DtypeError: an argument is no tensor, or of a type that does not fit; a TypeError.
            ShapeError: a shape does not fit; a ValueError.
        """
        weights: tuple[Parameter, ...] = (self.weight_ih, self.weight_hh)
        if self.bias_ih is not None:
            weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        sizes = (self.input_size, self.hidden_size)
        if sequence:
            return graph.unroll(x, hx, c_0, weights, sizes, self.on_kernel)
        return graph.step(x, hx, c_0, weights, sizes, self.on_kernel)

    def unroll(
        self, x: Tensor, hx: StateLike = None, c_0: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Compute T steps in one call; bits and gradients are those of a loop over the cell.

        Args:
            x: (T, N, I), or (T, I) for one row without a batch axis.
            hx: the state before the first step, as in `construct`.
            c_0: as in `construct`.

        Returns:
            (h_all, (h, c)): h after every step (T, N, H) or (T, H), and the last state.

        Raises:
            StateError, DtypeError, ShapeError: as `construct`.
        """
        if plain.in_python():  # @jit.cond: False
            own = self._own_step or self.has_bprop or "construct" in self.__dict__
            if own and len(x) > 0:
                return self._loop(x, (hx, c_0) if c_0 is not None else hx)
            found: tuple[Tensor, State] = self(x, hx, c_0, True)
            return found
        if self._own_step:
            return self._loop(x, (hx, c_0) if c_0 is not None else hx)
        return self.construct(x, hx, c_0, True)

    def stream(self, batch: int | None = 1) -> Stream:
        """Return a state of `batch` rows, or of one row without a batch axis, to step."""
        return Stream(self, batch)

    def _loop(self, x: Tensor, state: StateLike) -> tuple[Tensor, State]:
        """Unroll a subclass that has a step of its own, by that step."""
        found: State = self._step(x[0], state)
        every = [found[0]]
        for t in range(1, len(x)):
            found = self._step(x[t], found)
            every.append(found[0])
        return ms.ops.stack(every), found

    def _step(self, x: Tensor, state: StateLike) -> State:
        if plain.in_python():  # @jit.cond: False
            found: State = self(x, state)
            return found
        return self.construct(x, state)


_construct = LSTMCell.construct
_STEPS = ("construct", "__call__", "bprop")
_KEPT = (
    "_lazy_forward_pre_hook",
    "_lazy_forward_hook",
    "_lazy_backward_pre_hook",
    "_lazy_backward_hook",
    "mixed_precision_type",
    "_shard_fn",
)


def _check_ordinary(cell: nn.LSTMCell, cls: type[LSTMCell]) -> None:
    """Raise `DtypeError` where a call of `cell` does what a call of a `cls` would not do."""
    for name in _STEPS:
        theirs = getattr(type(cell), name, None)
        known = [getattr(kind, name, None) for kind in (nn.LSTMCell, LSTMCell, cls)]
        if name in vars(cell) or theirs not in known:
            raise DtypeError(
                f"`cell` must compute what mindspore.nn.LSTMCell does, and {type(cell).__name__} "
                f"has a `{name}` of its own. Derive that class from onecell.mindspore.LSTMCell."
            )
    kept = [name for name in _KEPT if getattr(cell, name, None)]
    if kept:
        raise DtypeError(
            f"`cell` must have neither hooks nor mixed precision, got some in `{kept[0]}`, which "
            "the new cell has not. Set them on the new cell."
        )
