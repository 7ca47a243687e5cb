"""`LSTMCell` for PyTorch."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Self

import torch
from torch import Tensor
from torch.autograd import profiler as _profiler

from onecell.frozen import FrozenCell, WeightDtype
from onecell.spec import PARAMETERS
from onecell.torch import calls, composite, reading, script
from onecell.torch.apart import forget, record_step
from onecell.torch.arguments import (
    AnyState,
    State,
    check_constructor,
    check_devices,
    check_ranks,
    check_sizes,
    check_whole,
    read_state,
)
from onecell.torch.errors import CellDtypeError
from onecell.torch.frozen import FrozenLSTMCell, as_array, check_freezable
from onecell.torch.overrides import (
    check_shareable,
    class_computes_weights,
    hides_weights,
    loop,
    must_loop,
    remember,
)
from onecell.torch.routes import finish, quick_step, run, shown
from onecell.torch.stream import Stream
from onecell.weights import Weights


class LSTMCell(torch.nn.LSTMCell):
    """A long short-term memory cell, a drop-in for `torch.nn.LSTMCell` on onecell's kernel.

    Parameters, their names and fresh values, checkpoints, hooks, errors' types and results are
    those of `torch.nn.LSTMCell`, whose subclass this is. On plain float32 and float64 CPU tensors
    the kernel computes, eager, recording a gradient, and under torch.compile, always to the same
    bits as `onecell.LSTMCell` over arrays. Elsewhere (other devices and types, torch.func, dual
    numbers, autocast, export, tracing, gradients of gradients, training on small sizes under
    torch.compile) torch's own operators do.

    Args:
        input_size: I, the width of the input.
        hidden_size: H, the width of the state.
        bias: False leaves both biases out; they are then None.
        device: where the parameters live.
        dtype: element type of the parameters; real.

    Differences that are meant: a state whose rank is not the input's raises, where torch ends the
    process on some and returns wrong shapes for others; so do freed memory and mixed devices;
    complex types are refused; every input of a recorded call, the biases too, is kept for the way
    back, so none may be written in place before that.

    Tools that look at classes: torch.fx keeps the cell as one `call_module` node; torch.jit.script
    and torch.jit.trace compile torch's operator; torch.export and ONNX get standard operators, so
    the program runs where onecell is not; dynamic quantisation, which wants torch's exact class,
    leaves the cell as it is. Second gradients of a cell inside torch.compile are refused by torch.

    Example:
        >>> cell = LSTMCell(10, 16)
        >>> h, c = cell(torch.ones(3, 10))
        >>> h.shape
        torch.Size([3, 16])
    """

    _computes_weights: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a base takes
        super().__init_subclass__(**kwargs)
        cls._computes_weights = class_computes_weights(cls)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_constructor(input_size, hidden_size, dtype)
        super().__init__(input_size, hidden_size, bias, device, dtype)

    @classmethod
    def from_torch(cls, module: torch.nn.LSTMCell) -> Self:
        """Return a cell that shares the Parameter objects of `module`: training one trains both.

        Raises:
            CellTypeError: `module` is no `torch.nn.LSTMCell`; or a call of it runs more than the
                cell's step, a subclass's `forward` or hooks; or its parameters are computed from
                others (parametrized, weight-normed, pruned) and cannot be shared.
        """
        check_shareable(module, torch.nn.LSTMCell, LSTMCell, cls, names=PARAMETERS)
        cell = cls.__new__(cls)
        torch.nn.Module.__init__(cell)
        cell.input_size, cell.hidden_size = module.input_size, module.hidden_size
        cell.bias = module.bias
        for name in PARAMETERS:
            cell.register_parameter(name, module._parameters[name])
        return cell.train(module.training)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever is called
        """Run `forward` and the hooks around it; at once where there are none."""
        if not (kwargs or _in_dynamo() or _profiler._is_profiler_enabled):
            reader = reading.step_reader
            done = None if reader is None else reader.call(_everyday, self, args)
            if done:
                if len(done) == 2:
                    return done
                h_next, c_next, gates, inputs = done
                return record_step(h_next, c_next, gates, inputs, self)
            if done is False and len(args) < 3:
                found = finish(done, self._parameters, *args, *(None,) * (2 - len(args)))
                if found is not None:
                    return found
        return super().__call__(*args, **kwargs)

    def forward(
        self,
        input: Tensor,  # noqa: A002 - torch's name
        hx: tuple[Tensor, Tensor] | None = None,
        c_0: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Compute one step.

        Args:
            input: (N, I), or (I,) for one row without a batch axis.
            hx: the state (h, c), each (N, H) or (H,); or h alone with c as `c_0`; None for zeros.
            c_0: c, where `hx` is h.

        Returns:
            (h', c'), each (N, H) or (H,).

        Raises:
            CellShapeError: a shape does not fit; a RuntimeError and a ValueError.
            CellDtypeError: complex elements; a RuntimeError and a TypeError.
            CellTypeError: an argument is no tensor or no pair; a TypeError and an AttributeError.
            RuntimeError: from torch's operators, for what else they refuse.
        """
        if not torch.jit.is_scripting():  # type: ignore[attr-defined]
            return self._forward(input, hx, c_0)
        return script.step(
            input, hx, c_0, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )

    def _forward(self, x: Any, hx: AnyState, c_0: Tensor | None) -> State:  # noqa: ANN401 - proxies
        return shown("onecell::lstm_cell", self._step, x, hx, c_0)

    def _step(self, x: Any, hx: AnyState, c_0: Tensor | None) -> State:  # noqa: ANN401 - proxies
        computed = False
        if not torch.compiler.is_compiling():
            computed = self._computes_weights or hides_weights(self)
            if not computed:
                pair = hx if c_0 is None else (hx, c_0)
                done = quick_step(self._parameters, self.hidden_size, x, pair)
                if done is not None:
                    return done
                computed = not self._parameters.keys() >= _NAMES
            if isinstance(x, torch.fx.Proxy):
                leaf: State = self._as_leaf(x, hx, c_0)
                return leaf
        state = read_state(hx, c_0)
        check_ranks(x, state)
        # To compare sizes would draw warnings from the tracer.
        if torch.jit.is_tracing():  # type: ignore[attr-defined,no-untyped-call]
            return super().forward(x, state)
        check_sizes(x, state, self.input_size, self.hidden_size)
        h, c = (None, None) if state is None else state
        alone = x.dim() == 1
        if alone:
            x, h, c = x.unsqueeze(0), _unsqueeze(h), _unsqueeze(c)
        # Once only: a parametrization may change with every look at it.
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        done = None
        if computed:
            named = dict(zip(PARAMETERS, weights, strict=True))
            done = quick_step(named, self.hidden_size, x, None if h is None else (h, c))
        h_next, c_next = self._run(x, h, c, weights) if done is None else done
        return (h_next.squeeze(0), c_next.squeeze(0)) if alone else (h_next, c_next)

    def _run(
        self, x: Tensor, h: Tensor | None, c: Tensor | None, weights: calls.Weights | None = None
    ) -> tuple[Tensor, ...]:
        """Compute one step of x (N, I), or all of x (T, N, I), wherever it can be computed."""
        if weights is None:
            weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        done = run(x, h, c, weights)
        if done is None:
            check_devices(x, (h, c, *weights))
            if x.dim() == 3:
                check_whole(weights)
            done = composite.outputs(x, h, c, *weights)
        return done

    def unroll(
        self,
        input: Tensor,  # noqa: A002 - as in forward
        hx: AnyState = None,
        c_0: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Compute T steps in one call; bits and gradients are those of a loop over the cell.

        Where a call would run more than the cell's own step (a subclass's `forward`, hooks, among
        them those by which pruning computes weights), it is that loop. Weights that are
        parametrized are computed once for all steps, as under `parametrize.cached()`. A cell that
        is sharded by itself gathers its weights once after
        `register_fsdp_forward_method(cell, "unroll")`, else at every step.

        Args:
            input: (T, N, I), or (T, I) for one row without a batch axis.
            hx: the state before the first step, as in `forward`.
            c_0: as in `forward`.

        Returns:
            (h_all, (h, c)): h after every step (T, N, H) or (T, H), and the last state.

        Raises:
            CellShapeError, CellDtypeError, CellTypeError, RuntimeError: as `forward`.
        """
        given: Any = input
        if isinstance(given, torch.fx.Proxy):
            tracer: Any = given.tracer
            found: Any = tracer.create_proxy("get_attr", tracer.path_of_module(self), (), {})
            traced: tuple[Tensor, State] = found.unroll(given, hx, c_0)
            return traced
        state = read_state(hx, c_0)
        check_ranks(input, state, time=True)
        if must_loop(self, LSTMCell) and len(input) > 0:
            return loop(self, input, state)
        return shown("onecell::lstm", self._steps, input, state)

    def _steps(self, input: Tensor, state: State | None) -> tuple[Tensor, State]:  # noqa: A002
        check_sizes(input, state, self.input_size, self.hidden_size, time=True)
        h, c = (None, None) if state is None else state
        if input.dim() == 3:
            h_all, h, c = self._run(input, h, c)
            return h_all, (h, c)
        h_all, h, c = self._run(input.unsqueeze(1), _unsqueeze(h), _unsqueeze(c))
        return h_all.squeeze(1), (h.squeeze(0), c.squeeze(0))

    def freeze(self, weight_dtype: WeightDtype = "float32") -> FrozenLSTMCell:
        """Return an inference-only copy with packed weights; later writes here do not reach it.

        Args:
            weight_dtype: how weights are stored: "float32" (the same bits as this cell),
                "bfloat16", "float16", "int8" (by rows), "int8_int8" or
                "bfloat16_bfloat16"; see `onecell.FrozenCell`.

        Raises:
            CellDtypeError: the cell is float64; frozen cells compute in float32.
            CellFrozenError: a call runs more than the cell's own step: a subclass's `forward`, or
                hooks; or a parameter is not whole on this machine.
            CellMemoryError: a parameter's storage was freed or shrunk.
            ArgumentError: a weight has no such form.
        """
        check_freezable(self, LSTMCell)
        parameters = {name: getattr(self, name) for name in PARAMETERS}
        if self.weight_ih.dtype == torch.float64:
            raise CellDtypeError(
                "a frozen cell computes in float32, and this cell is float64. "
                "Round it first: cell.float()."
            )
        arrays = {n: as_array(n, p) for n, p in parameters.items() if p is not None}
        return FrozenLSTMCell(FrozenCell(Weights(**arrays), weight_dtype))

    def stream(self, batch: int | None = 1) -> Stream:
        """Return a state of `batch` rows, or of one row without a batch axis, to step."""
        return Stream(self, batch)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401 - as torch has them
        """Convert the parameters, as `to`, `double` and the like do."""
        super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]
        forget()
        return self

    def _load_from_state_dict(self, *args: Any) -> None:  # noqa: ANN401
        """Take parameters from a checkpoint, which torch may do by swapping tensors."""
        super()._load_from_state_dict(*args)
        forget()

    def _as_leaf(self, *arguments: Any) -> Any:  # noqa: ANN401
        """Return a call of this module as one node of a torch.fx graph, as torch's own cell is."""
        tracer = arguments[0].tracer
        return tracer.create_proxy("call_module", tracer.path_of_module(self), arguments, {})


def _unsqueeze(tensor: Tensor | None) -> Tensor | None:
    """Return `tensor` with a batch axis of one in front."""
    return None if tensor is None else tensor.unsqueeze(0)


_NAMES: Final = frozenset(PARAMETERS)
_everyday: Final = reading.everyday_call(LSTMCell)
_in_dynamo: Final = torch.compiler.is_dynamo_compiling

# Where users find it, and pickles look for it.
LSTMCell.__module__ = "onecell.torch"
remember(LSTMCell)
