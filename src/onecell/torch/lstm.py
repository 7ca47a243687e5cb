"""`LSTM` for PyTorch: layers and directions of one cell, over whole sequences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from types import FunctionType, SimpleNamespace
from typing import Any, Final, Self, TypeAlias

import torch
from torch import Tensor
from torch.autograd import profiler as _profiler
from torch.nn.modules import rnn

from onecell.spec import PARAMETERS
from onecell.torch import calls
from onecell.torch.arguments import State
from onecell.torch.overrides import check_shareable, remember
from onecell.torch.routes import compute, kernel_may_run, quick_step, run, shown

_FIRST: Final = tuple(f"{name}_l0" for name in PARAMETERS)
"""The parameters of the lowest layer."""

Pass: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""What a layer made in one direction: h after every step, the last h, the last c."""


class LSTM(torch.nn.LSTM):
    """Layers of a long short-term memory, a drop-in for `torch.nn.LSTM` on onecell's kernel.

    Constructor, parameters, their names and fresh values, checkpoints, calls, errors and the random
    numbers of dropout are those of `torch.nn.LSTM`, whose subclass this is and whose `forward` runs
    but for its operator. On plain float32 and float64 CPU tensors the kernel computes, to the bits
    of stepping `onecell.torch.LSTMCell` layer by layer; elsewhere (other devices and types,
    projections, autocast, torch.func, torch.compile, export, tracing) torch's own operator does.

    torch.fx keeps it as one `call_module` node; under torch.compile it runs between two graphs, as
    torch's does; torch.jit.script compiles a `torch.nn.LSTM` of the same parameters, and leaves
    that in the model; dynamic quantisation, which wants torch's exact class, passes it over.

    Example:
        >>> lstm = LSTM(10, 16, num_layers=2, batch_first=True)
        >>> h_all, (h, c) = lstm(torch.ones(3, 5, 10))
        >>> h_all.shape, h.shape
        (torch.Size([3, 5, 16]), torch.Size([2, 3, 16]))
    """

    @classmethod
    def from_torch(cls, module: torch.nn.LSTM) -> Self:
        """Return one that shares the Parameter objects of `module`: training one trains both.

        Raises:
            CellTypeError: `module` is no `torch.nn.LSTM`; or a call of it runs more than torch's
                `forward`; or its parameters are computed from others and cannot be shared.
        """
        check_shareable(module, torch.nn.LSTM, LSTM, cls, names=_names(module))
        made: Self = _twin(module, cls)
        return made

    def forward(self, input: Any, hx: Any = None) -> Any:  # noqa: A002, ANN401 - torch's overloads
        """Compute all steps of all layers.

        Args:
            input: (T, N, I), (N, T, I) with `batch_first`, (T, I), or a PackedSequence.
            hx: the state (h, c), each (layers · directions, N, H), without N for an input without;
                None for zeros.

        Returns:
            (h_all, (h, c)): the last layer's h after every step, directions side by side, packed
            as the input was, and the last states of all layers.

        Raises:
            ValueError, RuntimeError: from torch's own `forward`, for what does not fit.
        """
        if isinstance(input, torch.fx.Proxy):
            tracer: Any = input.tracer
            place = tracer.path_of_module(self)
            return tracer.create_proxy("call_module", place, (input, hx), {})
        if torch.compiler.is_exporting():
            return super().forward(input, hx)
        if torch.compiler.is_dynamo_compiling():
            # As torch's own: the compiler leaves a gap in its graph.
            return torch.compiler.disable(_forward)(self, input, hx)
        everyday = type(self) is LSTM and not _profiler._is_profiler_enabled
        done = _everyday(self, input, hx) if everyday else None
        return _forward(self, input, hx) if done is None else done

    def __prepare_scriptable__(self) -> torch.nn.LSTM:
        """Return what torch.jit.script compiles in place of this."""
        made: torch.nn.LSTM = _twin(self, torch.nn.LSTM)
        return made


def _names(module: torch.nn.LSTM) -> list[str]:
    return [*getattr(module, "_flat_weights_names", ())]


def _twin(module: torch.nn.LSTM, kind: type[Any]) -> Any:  # noqa: ANN401 - of that type
    """Return a module of `kind` that shares the parameters of `module`."""
    made = kind(
        module.input_size,
        module.hidden_size,
        module.num_layers,
        module.bias,
        module.batch_first,
        module.dropout,
        module.bidirectional,
        module.proj_size,
        device="meta",
    )
    for name in _names(module):
        setattr(made, name, getattr(module, name))
    return made.train(module.training)


def _lstm(*given: Any) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ANN401 - torch's two forms
    """Compute what `torch._VF.lstm` would, padded or packed, on the kernel where it can."""
    packed = isinstance(given[1], Tensor)
    batch_sizes: Any = given[1]
    x, (state, weights, *options) = given[0], given[2:] if packed else given[1:]
    bias, layers, dropout, training, bidirectional = options[:5]
    directions = 2 if bidirectional else 1
    group = 4 if bias else 2
    batch_first = not packed and options[5]
    there = (x, *state, *weights)
    # Projections have a weight more.
    if not (
        len(weights) == layers * directions * group
        and all(isinstance(t, Tensor) for t in there)
        and x.numel() > 0
        and kernel_may_run(there)
    ):
        return _torchs(*given)
    starts = range(0, len(weights), group)
    each: list[Any] = [(*weights[i : i + group], None, None)[:4] for i in starts]
    _check_widths(x, each, directions)
    sizes: list[int] | None = batch_sizes.tolist() if packed else None
    rows = sizes[0] if sizes else x.shape[0 if batch_first else 1]
    if not _begins(state, (layers * directions, rows, weights[1].shape[1]), len(x), sizes):
        return _torchs(*given)
    below = x.transpose(0, 1) if batch_first else x
    drops = dropout if training else 0.0
    h_all, h, c = shown("onecell::lstm", _layers, below, sizes, state, each, directions, drops)
    return h_all.transpose(0, 1) if batch_first else h_all, h, c


def _layers(
    below: Tensor,
    sizes: list[int] | None,
    state: State,
    each: list[calls.Weights],
    directions: int,
    dropout: float,
) -> Pass:
    """Compute all layers over x (T, N, I), or packed rows of these sizes."""
    h_n, c_n = [], []
    for layer in range(len(each) // directions):
        if layer > 0 and dropout > 0:
            below = torch.nn.functional.dropout(below, dropout)
        passes = []
        for place in range(layer * directions, (layer + 1) * directions):
            begin, backwards = (state[0][place], state[1][place]), place % directions == 1
            if sizes is None:
                done = _pass(below, begin, each[place], backwards=backwards)
            else:
                done = _packed(below, sizes, begin, each[place], backwards=backwards)
            passes.append(done[0])
            h_n.append(done[1])
            c_n.append(done[2])
        below = passes[0] if directions == 1 else torch.cat(passes, -1)
    return below, _stacked(h_n), _stacked(c_n)


_forward: Final[Any] = FunctionType(
    torch.nn.LSTM.forward.__code__,
    {**rnn.__dict__, "_VF": SimpleNamespace(lstm=_lstm)},
    "forward",
    torch.nn.LSTM.forward.__defaults__,
)
"""torch's own `forward`, which checks, sorts and unpacks, with `_lstm` for the operator."""


def _everyday(module: LSTM, x: Any, hx: Any) -> Any:  # noqa: ANN401
    """Compute one layer in one direction over x (T, N, I) without torch's checks; None for others.

    What does not fit in every respect is for torch's own `forward`, which says why.
    """
    if module.num_layers != 1 or module.bidirectional or module.proj_size or type(x) is not Tensor:
        return None
    weights = [module._parameters.get(name) for name in _FIRST]
    fits = x.dim() == 3 and x.shape[2] == module.input_size and x.numel() > 0
    state = None if hx is None else _lone(hx)
    if not fits or (state is None and hx is not None):
        return None
    if any(weight is None for weight in weights[: 4 if module.bias else 2]):
        return None  # computed from others
    x = x.transpose(0, 1) if module.batch_first else x
    if len(x) == 1:
        named = dict(zip(PARAMETERS, weights, strict=True))
        step = quick_step(named, module.hidden_size, x[0], state)
        done = None if step is None else (_apart(step[0].unsqueeze(0)), *step)
    else:
        h_0, c_0 = (None, None) if state is None else state
        done = run(x, h_0, c_0, tuple(weights))  # type: ignore[arg-type, assignment]
    if done is None:
        return None
    h_all, h, c = done
    return h_all.transpose(0, 1) if module.batch_first else h_all, (h.unsqueeze(0), c.unsqueeze(0))


def _lone(hx: Any) -> State | None:  # noqa: ANN401
    """Return the state of one layer, without its axis; None for anything else."""
    if type(hx) is not tuple or len(hx) != 2 or any(type(t) is not Tensor for t in hx):
        return None
    h, c = hx
    return (h[0], c[0]) if h.dim() == c.dim() == 3 and len(h) == len(c) == 1 else None


def _run(x: Tensor, state: State, weights: calls.Weights) -> Pass:
    """Compute T ≥ 1 steps of x (T, N, I); one goes the way of a step."""
    h, c = state
    if len(x) > 1:
        h_all, h, c = compute(x, h, c, weights)
        return h_all, h, c
    named = dict(zip(PARAMETERS, weights, strict=True))
    step = quick_step(named, h.shape[-1], x[0], (h, c)) or compute(x[0], h, c, weights)
    h, c = step
    return _apart(h.unsqueeze(0)), h, c


def _apart(h_all: Tensor) -> Tensor:
    """Return memory of its own: to write in the last h must not change what all steps gave."""
    return h_all.clone()


def _pass(x: Tensor, state: State, weights: calls.Weights, *, backwards: bool) -> Pass:
    """Compute x (T, N, I) in one direction; h comes in the order of x."""
    if not backwards:
        return _run(x, state, weights)
    h_all, h, c = _run(x.flip(0), state, weights)
    return h_all.flip(0), h, c


def _packed(
    x: Tensor, sizes: list[int], state: State, weights: calls.Weights, *, backwards: bool
) -> Pass:
    """Compute x (rows of all steps, I), of which step t has the first `sizes[t]` sequences.

    Steps of one size go together; between them sequences end, or, backwards, begin.
    """
    stretches = _stretches(sizes)
    parts = x.split([steps * size for steps, size in stretches])
    begin_h, begin_c = state
    h, c = (begin_h[:0], begin_c[:0]) if backwards else state
    made: list[Tensor] = []
    ended: list[State] = []
    each = list(zip(stretches, parts, strict=True))
    for (steps, size), part in reversed(each) if backwards else each:
        if backwards and size > len(h):
            begun = slice(len(h), size)
            h, c = torch.cat([h, begin_h[begun]]), torch.cat([c, begin_c[begun]])
        elif size < len(h):
            ended.append((h[size:], c[size:]))
            h, c = h[:size], c[:size]
        h_all, h, c = _pass(part.view(steps, size, -1), (h, c), weights, backwards=backwards)
        made.append(h_all.reshape(steps * size, -1))
    last = (
        _joined([h, *(h for h, _ in reversed(ended))]),
        _joined([c, *(c for _, c in reversed(ended))]),
    )
    return _joined(made[::-1] if backwards else made), *last


def _torchs(*given: Any) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ANN401 - torch's two forms
    found: tuple[Tensor, Tensor, Tensor] = torch._VF.lstm(*given)
    return found


def _check_widths(x: Tensor, each: Sequence[calls.Weights], directions: int) -> None:
    """Raise unless the weights fit each other and x, of which torch's operator reads past the end.

    torch's `forward` looks at x alone, and not if it is packed.
    """
    first, hidden = each[0][0].shape[-1], each[0][1].shape[-1]
    for place, weights in enumerate(each):
        width = first if place < directions else directions * hidden
        want = [(4 * hidden, width), (4 * hidden, hidden), *[(4 * hidden,)] * 2]
        got = [tuple(w.shape) for w in weights if w is not None]
        if got != want[: len(got)]:
            want = want[: len(got)]
            raise RuntimeError(
                f"the weights of layer {place // directions} must have shapes {want}, got {got}."
            )
    if x.shape[-1] != first:
        raise RuntimeError(
            f"input.size(-1) must be equal to input_size. Expected {first}, got {x.shape[-1]}"
        )


def _begins(
    state: Sequence[Tensor], shape: tuple[int, ...], rows: int, sizes: list[int] | None
) -> bool:
    """Whether the state is of this shape, and steps of these sizes have so many rows together."""
    packs = sizes is None or (
        sum(sizes) == rows and min(sizes) > 0 and sizes == sorted(sizes, reverse=True)
    )
    return packs and [t.shape for t in state] == [shape, shape]


def _stretches(sizes: Iterable[int]) -> list[tuple[int, int]]:
    """Return (how many steps, of which size) for every run of equal sizes."""
    return [(len(list(alike)), size) for size, alike in groupby(sizes)]


def _stacked(parts: list[Tensor]) -> Tensor:
    return parts[0].unsqueeze(0) if len(parts) == 1 else torch.stack(parts)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


# Where users find it, and pickles look for it.
LSTM.__module__ = "onecell.torch"
remember(LSTM)
