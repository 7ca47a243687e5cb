"""`Stream`: a cell with a state of its own, stepped one input at a time without allocating."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn, Protocol

import numpy as np
import numpy.typing as npt

from onecell import _kernel, lines
from onecell.arguments import ready, split_state
from onecell.errors import ArgumentError, DtypeError
from onecell.spec import LARGEST_ELEMENTS, Spec, check_shape, check_size

Array = npt.NDArray[Any]
State = tuple[Array, Array]


class Steps(Protocol):
    """A cell that a stream can run over."""

    @property
    def _spec(self) -> Spec: ...
    def _stepper(self) -> _kernel.Step:
        """Return what computes one step, and is good for as long as the cell lives."""


class Stream(_kernel.Stream):
    """A cell and its state (h, c), for live audio, decoders and agents: made by `cell.stream()`.

    Args:
        cell: an `LSTMCell` over arrays, or a frozen one.
        batch: N, the rows of the state; None for one row without a batch axis.

    Raises:
        DtypeError: `cell` is no such cell, or `batch` is not an integer.
        ArgumentError: `batch` is impossible.

    The state begins as zeros, in memory aligned to 64 bytes. `step(x)` moves it on by one step and
    allocates nothing. The bits are those of the cell's own step. A stream over a live cell reads
    the live parameters at each step; one over a frozen cell the packed ones. A stream belongs to
    one thread at a time: a second one gets `BusyError`. Streams over one cell share nothing. A
    copy runs over the same cell with a state of its own; a deep copy or a pickle has its own cell.

    Example:
        >>> from onecell import LSTMCell
        >>> stream = LSTMCell(10, 16, rng=0).stream(batch=3)
        >>> h = stream.step(np.ones((3, 10), np.float32))
        >>> h is stream.h
        True
    """

    __slots__ = ("_cell", "_next", "_shape", "_state", "_views")

    def __init__(self, cell: Steps, batch: int | None = 1) -> None:
        spec = getattr(cell, "_spec", None)
        if not isinstance(spec, Spec):
            raise DtypeError(
                "`cell` must be an onecell.LSTMCell over arrays or its frozen cell, "
                f"got {type(cell).__name__}."
            )
        rows = 1 if batch is None else check_size("batch", batch)
        if rows * spec.hidden_size > LARGEST_ELEMENTS:
            raise ArgumentError(
                f"`batch` = {rows} and `hidden_size` = {spec.hidden_size} ask for a state of "
                f"{rows * spec.hidden_size} elements; at most {LARGEST_ELEMENTS} are possible."
            )
        shape = (spec.hidden_size,) if batch is None else (rows, spec.hidden_size)
        # h, c and where the next two are computed: a row each, all of them aligned.
        room = _aligned_rows(4, rows * spec.hidden_size, spec.dtype)
        h, c, *after = (room[k, : rows * spec.hidden_size].reshape(shape) for k in range(4))
        views = h.view(), c.view()
        for view in views:
            view.flags.writeable = False
        x_shape = (*shape[:-1], spec.input_size)
        symbols = "N, " if len(shape) == 2 else ""
        super().__init__(
            cell, cell._stepper(), room, views[0],
            partial(_arrange, x_shape, f"({symbols}I)", spec.dtype),
            partial(_refuse, shape, f"({symbols}H)", spec.dtype),
            partial(_choose, spec, None if batch is None else rows),
            len(shape) == 2, rows, spec.input_size, spec.hidden_size,
        )  # fmt: skip
        self._cell = cell
        self._state = h, c
        self._next = after
        self._views = views
        self._shape = shape

    @property
    def h(self) -> Array:
        """The live h, a read-only view (N, H) or (H,): always the same array."""
        return self._views[0]

    @property
    def c(self) -> Array:
        """The live c, a read-only view (N, H) or (H,): always the same array."""
        return self._views[1]

    @property
    def cell(self) -> Steps:
        """The cell that is run."""
        return self._cell

    def __repr__(self) -> str:
        return f"{self._cell!r}.stream(batch={self._batch})"

    def __reduce__(self) -> tuple[Callable[..., Stream], tuple[object, ...], object]:
        # A shallow copy goes on over the same cell, with a state of its own.
        made = type(self), self._cell, self._batch, self.snapshot()
        return _again, made, getattr(self, "__dict__", None)

    @property
    def _batch(self) -> int | None:
        return self._shape[0] if len(self._shape) == 2 else None

    def reset(self, rows: Any = None) -> None:  # noqa: ANN401 - whatever chooses rows of an array
        """Make the state zero, of all rows or of those that `rows` chooses.

        Args:
            rows: an index, a slice, a list of indices or a mask (N,) of bools, as NumPy takes them.

        Raises:
            ArgumentError: there are no such rows; or the stream has no batch axis.
            BusyError: another thread is stepping this stream.
        """
        chosen = chosen_rows(self._batch, rows)
        if chosen is not ...:
            chosen = np.unique(chosen)
        self._move(chosen, (0, 0))

    def snapshot(self, rows: Any = None) -> State:  # noqa: ANN401
        """Return a copy of the state (h, c), each (N, H); or of K rows, as `reset` takes them.

        Raises:
            ArgumentError, BusyError: as `reset`.
        """
        chosen = chosen_rows(self._batch, rows)
        copy: State = self._hold(
            lambda: (self._state[0][chosen].copy(), self._state[1][chosen].copy()), 0, 0
        )
        return copy

    def restore(self, snapshot: State, rows: Any = None) -> None:  # noqa: ANN401
        """Go on from `snapshot`: a state (h, c) of this shape, from here or from anywhere.

        Args:
            snapshot: (h, c), each (N, H), or (H,) for a stream without a batch axis.
            rows: which K rows to write, the others staying: as in `reset`, none of them twice;
                `snapshot` has (K, H), or (H,) where `rows` is one index.

        Raises:
            ShapeError, DtypeError, ArgumentError: it is no such state; the state is as it was.
            BusyError: another thread is stepping this stream.
        """
        halves = split_state(snapshot, None)
        if halves[0] is None:
            raise ArgumentError("`snapshot` must be a state (h, c), got none. Use reset().")
        chosen = chosen_rows(self._batch, rows, once=True)
        shape = self._state[0][chosen].shape
        symbols = f"({'N' if rows is None else 'K'}, H)" if len(shape) == 2 else "(H,)"
        found = []
        for name, half, mine in zip(("h", "c"), halves, self._state, strict=True):
            if isinstance(half, np.ndarray):
                check_shape(name, half.shape, shape, symbols)
            found.append(ready(name, half, mine.dtype))
        self._move(chosen, found)

    def _move(self, chosen: Any, state: Sequence[Any]) -> None:  # noqa: ANN401
        """Let `state` be the state of the chosen rows, every one chosen once, at once."""

        def write() -> None:
            for after, half in zip(self._next, state, strict=True):
                after[chosen] = half

        indices = None if chosen is ... else np.array(chosen, np.int64)
        where = (0, -1) if indices is None else (_kernel.address(indices), indices.size)
        self._hold(write, *where)


def _again(kind: type[Stream], cell: Steps, batch: int | None, state: State) -> Stream:
    """Return the stream that a copy or a pickle holds."""
    stream = kind.__new__(kind)
    Stream.__init__(stream, cell, batch)
    stream.restore(state)
    return stream


def chosen_rows(batch: int | None, rows: Any, *, once: bool = False) -> Any:  # noqa: ANN401
    """Return what chooses `rows` of the state: everything for None, else indices from 0 to N - 1.

    Raises:
        ArgumentError: there are no such rows, no rows at all, or with `once` one of them twice.
    """
    if rows is None:
        return ...
    if batch is None:
        raise ArgumentError("`rows` must be None: this stream has no batch axis.")
    try:
        indices = np.arange(batch)[list(rows) if isinstance(rows, tuple) else rows]
    except (IndexError, TypeError, ValueError) as error:
        raise ArgumentError(f"`rows` must choose among the N = {batch} rows: {error}") from None
    if indices.ndim > 1:
        raise ArgumentError(
            f"`rows` must choose among the N = {batch} rows: an index, a slice, a list of indices "
            f"or a mask, got {rows!r}."
        )
    if once and indices.ndim and len(np.unique(indices)) < len(indices):
        raise ArgumentError(f"`rows` must have every row once, got {rows!r}.")
    return indices


def _choose(
    spec: Spec, batch: int | None, x: object, out: object, rows: object
) -> tuple[int, int, int, int, object, object]:
    """Return K, where the indices of `rows`, x and out lie, what to return, what to keep alive."""
    indices = np.array(chosen_rows(batch, rows, once=True), np.int64)
    symbols = "K, " if indices.ndim else ""
    x_ready = _arrange((*indices.shape, spec.input_size), f"({symbols}I)", spec.dtype, x)
    shape = (*indices.shape, spec.hidden_size)
    if out is None:
        out = np.empty(shape, spec.dtype)
    elif not _fits(out, shape, spec.dtype):
        _refuse(shape, f"({symbols}H)", spec.dtype, out)
    at, from_x, to = (_kernel.address(array) for array in (indices, x_ready, out))
    return indices.size, at, from_x, to, out, (indices, x_ready)


def _fits(out: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether a state of `shape` can be written into `out` as it lies."""
    if type(out) is not np.ndarray or out.dtype != dtype or out.shape != shape:
        return False
    flags = out.flags
    return bool(out.dtype.isnative and flags.c_contiguous and flags.aligned and flags.writeable)


def _aligned_rows(count: int, width: int, dtype: np.dtype[Any]) -> Array:
    """Return zeros (count, at least width), every row aligned."""
    row = -(-width * dtype.itemsize // lines.LINE) * lines.LINE
    rows = lines.empty((count, row // dtype.itemsize), dtype)
    rows[...] = 0
    return rows


def _arrange(want: tuple[int, ...], symbols: str, dtype: np.dtype[Any], x: object) -> Array:
    """Return `x` ready for the kernel, or raise."""
    if isinstance(x, np.ndarray):
        check_shape("x", x.shape, want, symbols)
    return ready("x", x, dtype)


def _refuse(want: tuple[int, ...], symbols: str, dtype: np.dtype[Any], out: object) -> NoReturn:
    """Say why nothing can be written into `out`."""
    name = "out"
    if type(out) is not np.ndarray or out.dtype != dtype or not out.dtype.isnative:
        came = f"an array of {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        raise DtypeError(f"`{name}` must be a NumPy array of {dtype}, got {came}.")
    check_shape(name, out.shape, want, symbols)
    problem = "read-only" if not out.flags.writeable else "strided or misaligned"
    raise ArgumentError(
        f"`{name}` must be dense, aligned and writeable, got one that is {problem}."
    )
