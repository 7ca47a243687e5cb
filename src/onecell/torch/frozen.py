"""`FrozenLSTMCell`: a frozen cell as a torch module, for inference."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.autograd import profiler as _profiler

from onecell import _kernel
from onecell.dtypes import BFLOAT16
from onecell.errors import ArgumentError
from onecell.frozen import FrozenCell, WeightDtype
from onecell.torch.arguments import AnyState, State, check_ranks, check_sizes, read_state
from onecell.torch.calls import addresses
from onecell.torch.errors import CellDtypeError, CellFrozenError
from onecell.torch.overrides import hooks, loop, must_loop, override, remember
from onecell.torch.plain import are_plain, check_memory, mode_is_on
from onecell.torch.reading import make_reader
from onecell.torch.routes import shown
from onecell.torch.stream import Stream

_EXTRA: Final = ("weight_dtype", "input_size", "hidden_size", "bias")
_empty_like: Final = torch.empty_like
_grad_enabled: Final = torch.is_grad_enabled
_negated: Final = Tensor.is_neg
_needs_grad: Final = attrgetter("requires_grad")
_reader: Final = make_reader(_kernel.FrozenReader)


class FrozenLSTMCell(torch.nn.Module):
    """An inference-only cell with packed weights: made by `onecell.torch.LSTMCell.freeze()`.

    It is called as the live cell is, on float32 CPU tensors, and gives the bits of
    `onecell.FrozenCell`. It has no parameters and no gradient: while gradients are recorded, an
    input that requires one is refused. Its `state_dict` and its pickle hold the packed weights, at
    their own size. Under torch.compile it runs outside the graph.

    Args:
        cell: the frozen cell over arrays; shared, since nothing can change it:
            `FrozenLSTMCell(onecell.FrozenCell.load(path))` computes on a mapped file.
    """

    def __init__(self, cell: FrozenCell) -> None:
        super().__init__()
        self._cell = cell
        self.train(mode=False)

    @property
    def input_size(self) -> int:
        """I, the width of the input."""
        return self._cell.input_size

    @property
    def hidden_size(self) -> int:
        """H, the width of the state."""
        return self._cell.hidden_size

    @property
    def bias(self) -> bool:
        """Whether the cell has biases."""
        return self._cell.bias

    @property
    def weight_dtype(self) -> WeightDtype:
        """How the weights are stored, one of `WeightDtype`."""
        return self._cell.weight_dtype

    @property
    def nbytes(self) -> int:
        """The memory that the packed weights, scales and biases take, padding included."""
        return self._cell.nbytes

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of the repr."""
        return repr(self._cell).partition("(")[2][:-1]

    def forward(
        self,
        input: Tensor,  # noqa: A002 - torch's name
        hx: AnyState = None,
        c_0: Tensor | None = None,
    ) -> State:
        """Compute one step: `input` (N, I), state `hx` = (h, c) or h with `c_0`, or None for zeros.

        Raises:
            CellFrozenError: a gradient is asked for, or a tensor is not plain CPU memory.
            CellDtypeError: a tensor is not float32.
        """
        if type(hx) is tuple and c_0 is None and not torch.compiler.is_compiling():
            done = self._quick(input, hx)
            if done is not None:
                return done
        state = read_state(hx, c_0)
        check_ranks(input, state)
        check_sizes(input, state, self.input_size, self.hidden_size)
        rows = input if input.dim() == 2 else input.unsqueeze(0)
        rows = rows.unsqueeze(0)
        h_all, c_last = shown("onecell::lstm_cell", self._run, rows, input, state)
        if input.dim() == 2:
            return h_all.squeeze(0), c_last
        return h_all.squeeze(0).squeeze(0), c_last.squeeze(0)

    def unroll(
        self,
        input: Tensor,  # noqa: A002 - torch's name
        hx: AnyState = None,
        c_0: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Compute T steps: `input` (T, N, I), state `hx` = (h, c) or h with `c_0`, or None.

        Raises:
            CellFrozenError, CellDtypeError: as `forward`.
        """
        state = read_state(hx, c_0)
        check_ranks(input, state, time=True)
        check_sizes(input, state, self.input_size, self.hidden_size, time=True)
        if must_loop(self, FrozenLSTMCell) and len(input) > 0:
            return loop(self, input, state)
        rows = input if input.dim() == 3 else input.unsqueeze(1)
        h_all, c = shown("onecell::lstm", self._run, rows, input, state)
        if len(h_all):
            h = h_all[-1].clone()
        else:
            h = torch.zeros_like(c) if state is None else state[0].reshape(c.shape).clone()
        if input.dim() == 3:
            return h_all, (h, c)
        return h_all.squeeze(1), (h.squeeze(0), c.squeeze(0))

    def stream(self, batch: int | None = 1) -> Stream:
        """Return a state of `batch` rows, or of one row without a batch axis, to step."""
        return Stream(self, batch)

    def _quick(self, x: Any, hx: Any) -> State | None:  # noqa: ANN401 - whatever came
        """Compute one step of an everyday call; None where anything is out of the ordinary."""
        if _reader is None or len(hx) != 2 or _profiler._is_profiler_enabled or mode_is_on():
            return None
        h, c = hx
        tensors = x, h, c
        try:
            if any(map(_negated, tensors)) or (_grad_enabled() and any(map(_needs_grad, tensors))):
                return None
            h_next, c_next = _empty_like(h), _empty_like(c)
        except (TypeError, AttributeError):  # no tensor
            return None
        done = _reader.step(self._cell._packed, x, h, c, h_next, c_next)
        return (h_next, c_next) if done else None

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _run(self, x: Tensor, given: Tensor, state: State | None) -> tuple[Tensor, Tensor]:
        """Compute x (T, N, I), `given` otherwise; return h (T, N, H) and the last c (N, H)."""
        h, c = (None, None) if state is None else state
        tensors = (given,) if h is None or c is None else (given, h, c)
        _check_inference(tensors)
        steps, batch, _ = x.shape
        h_all = x.new_empty((steps, batch, self.hidden_size))
        c_last = x.new_empty((batch, self.hidden_size))
        places, _alive = addresses((x, h, c, h_all, c_last))
        self._cell._packed.unroll(steps, batch, *places)
        return h_all, c_last

    def get_extra_state(self) -> dict[str, Any]:
        """Return copies of the packed weights as tensors, at their own size, and what they are of.

        Names, types and shapes are those of the file that `onecell.FrozenCell.save` writes.
        """
        found = {name: _to_tensor(piece) for name, piece in self._cell._pieces().items()}
        return {name: getattr(self, name) for name in _EXTRA} | found

    def set_extra_state(self, state: Any) -> None:  # noqa: ANN401 - torch's signature
        """Take over `state`, which `get_extra_state` of a cell of the same sizes returned.

        Raises:
            ArgumentError, ShapeError, DtypeError: it is of another cell, or of none.
            CellMemoryError: a tensor's storage was freed or shrunk.
        """
        kept = dict(state)
        told = {name: kept.pop(name, None) for name in _EXTRA}
        for name in _EXTRA[1:]:
            if told[name] != getattr(self, name):
                raise ArgumentError(
                    f"the state is of {name}={told[name]}, the cell is of {getattr(self, name)}."
                )
        pieces = {name: _to_array(name, tensor) for name, tensor in kept.items()}
        self._cell = FrozenCell._of_pieces(told["weight_dtype"], self._cell._spec, pieces)


def check_freezable(cell: torch.nn.Module, kind: type[torch.nn.Module]) -> None:
    """Raise unless a call of `cell`, a module of `kind` or a subclass, is the cell's own step.

    Raises:
        CellFrozenError: it is not.
    """
    name = override(cell, kind)
    if name is not None:
        raise CellFrozenError(
            f"a frozen cell computes an LSTM cell's step, and {type(cell).__name__} has its own "
            f"`{name}`. Freeze a plain LSTMCell, and do the rest around it."
        )
    name = hooks(cell, sharding=False)
    if name is not None and "forward" in name:
        raise CellFrozenError(
            f"a frozen cell runs no hooks, and the cell has some in `{name}`. If they compute "
            "weights, make these permanent (prune.remove, remove_weight_norm, "
            "remove_spectral_norm); else register them on the frozen cell."
        )


def as_array(name: str, weight: Tensor) -> Any:  # noqa: ANN401 - an array of any shape
    """Return a copy of a parameter as float32, of which nothing is shared with it.

    Raises:
        CellFrozenError: it is not ordinary memory, as where each process has a shard of it.
        CellMemoryError: its storage was freed or shrunk.
    """
    value = weight.detach()
    flat = value.dim() != (2 if name.startswith("weight") else 1)  # as older FSDP keeps a shard
    if flat or type(value) is not Tensor or value.layout is not torch.strided or value.is_meta:
        raise CellFrozenError(
            f"`{name}` must be whole and in memory to be frozen, got a {type(value).__name__} "
            f"{tuple(value.shape)} on {value.device}. Gather a sharded cell first: "
            "cell.unshard(), or summon_full_params."
        )
    check_memory(f"`{name}`", value)
    return torch.empty_like(value, dtype=torch.float32, device="cpu").copy_(value).numpy()


def _to_tensor(piece: Any) -> Tensor:  # noqa: ANN401 - an array of any shape
    """Return a copy of a piece of packed weights."""
    if piece.dtype == BFLOAT16:  # which NumPy has not
        return torch.from_numpy(piece.view(np.int16).copy()).view(torch.bfloat16)
    return torch.from_numpy(piece.copy())


def _to_array(name: str, tensor: Tensor) -> Any:  # noqa: ANN401
    """Return the memory of such a tensor."""
    check_memory(f"`{name}`", tensor)
    dense = tensor.detach().cpu().contiguous()
    if dense.dtype == torch.bfloat16:
        return dense.view(torch.int16).numpy().view(BFLOAT16)
    return dense.numpy()


def _check_inference(tensors: tuple[Tensor, ...]) -> None:
    """Raise unless the kernel may read these tensors and nobody wants a gradient."""
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        raise CellFrozenError(
            "a frozen cell has no gradient, and an input requires one. "
            "Call it under torch.no_grad(), or detach the input."
        )
    for tensor in tensors:
        if tensor.dtype != torch.float32:
            raise CellDtypeError(
                f"a frozen cell computes on torch.float32, got {tensor.dtype}. Use tensor.float()."
            )
    if mode_is_on() or not are_plain(tensors):
        raise CellFrozenError(
            "a frozen cell computes on plain CPU tensors, outside torch.func, tracing and other "
            f"modes; got {type(tensors[0]).__name__} on {tensors[0].device}."
        )


FrozenLSTMCell.__module__ = "onecell.torch"
remember(FrozenLSTMCell)
