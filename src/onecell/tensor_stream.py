"""`TensorStream`: streams over a framework's tensors; each front end says how its tensors move."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Generic, TypeVar

from onecell.errors import BusyError, DtypeError
from onecell.spec import check_shape, check_size
from onecell.stream import chosen_rows

Tensor = TypeVar("Tensor")
"""Of the framework."""
Half = TypeVar("Half")
"""What h, or c, of all rows is kept in."""


class TensorStream(ABC, Generic[Tensor, Half]):
    """A cell and its state (h, c): the `onecell.Stream` of tensors, made by `cell.stream()`.

    A step is a call of the cell, whatever that runs, without recording a gradient; so the bits are
    the cell's, and what the cell refuses is refused. Rows move on at what they cost, whatever the
    stream holds. What is returned is new, and nobody else's. A stream belongs to one thread at a
    time: a second one gets `BusyError`. A copy runs over the same cell with a state of its own; a
    deep copy or a pickle has its own cell.

    Args:
        cell: the module.
        batch: N, the rows of the state, which begins as zeros; None for one row without a batch
            axis.

    Raises:
        DtypeError, ArgumentError: `batch` is no possible number of rows.
    """

    def __init__(self, cell: Any, batch: int | None = 1) -> None:  # noqa: ANN401 - a module
        self._cell = cell
        self._batch = None if batch is None else check_size("batch", batch)
        rows = () if self._batch is None else (self._batch,)
        self._shape = (*rows, cell.hidden_size)
        self._state: tuple[Half, Half] = self._zeros(), self._zeros()
        self._lock, self._process = Lock(), os.getpid()

    @abstractmethod
    def _zeros(self) -> Half:
        """Return a half of the state, of `_shape`, as zeros."""

    @abstractmethod
    def _take(self, half: Half, chosen: Any) -> Tensor:  # noqa: ANN401 - as `chosen_rows` returns
        """Return a copy of the chosen rows."""

    @abstractmethod
    def _put(self, half: Half, chosen: Any, value: Tensor | int) -> None:  # noqa: ANN401
        """Write the chosen rows."""

    @abstractmethod
    def _run(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the cell's step, without recording a gradient."""

    @abstractmethod
    def _pair(self, snapshot: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401 - whatever came
        """Return the two tensors of a state, or raise the framework's error."""

    @property
    def cell(self) -> Any:  # noqa: ANN401
        """The module that is run."""
        return self._cell

    @property
    def h(self) -> Tensor:
        """A copy of h, (N, H) or (H,)."""
        return self.snapshot()[0]

    @property
    def c(self) -> Tensor:
        """A copy of c, (N, H) or (H,)."""
        return self.snapshot()[1]

    def step(self, x: Tensor, rows: Any = None) -> Tensor:  # noqa: ANN401 - as `onecell.Stream`
        """Move on by one step and return h', a new tensor.

        Args:
            x: (N, I), or (I,) for a stream without a batch axis.
            rows: which K rows move on, as `onecell.Stream.step` takes them; `x` is then (K, I), and
                h' (K, H).

        Raises:
            ArgumentError: there are no such rows, or one of them twice.
            BusyError: another thread is stepping this stream.
            ...: what the cell raises; the state is as it was.
        """
        chosen = self._choose(rows, once=True)
        with self._claim():
            h, c = (self._take(half, chosen) for half in self._state)
            after = self._run(x, (h, c))
            self._check(after, h)
            for half, value in zip(self._state, after, strict=True):
                self._put(half, chosen, value)
        return after[0]

    def reset(self, rows: Any = None) -> None:  # noqa: ANN401
        """Make the state zero, of all rows or of those that `rows` chooses.

        Raises:
            ArgumentError, BusyError: as `step`.
        """
        chosen = self._choose(rows)
        with self._claim():
            for half in self._state:
                self._put(half, chosen, 0)

    def snapshot(self, rows: Any = None) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        """Return a copy of the state (h, c), each (N, H); or of K rows.

        Raises:
            ArgumentError, BusyError: as `step`.
        """
        chosen = self._choose(rows)
        with self._claim():
            h, c = self._state
            return self._take(h, chosen), self._take(c, chosen)

    def restore(self, snapshot: tuple[Tensor, Tensor], rows: Any = None) -> None:  # noqa: ANN401
        """Go on from `snapshot`, of this shape; or K `rows` from one of K rows.

        Raises:
            ShapeError, DtypeError, ArgumentError: it is no such state; the state is as it was.
            BusyError: as `step`.
        """
        pair = self._pair(snapshot)
        chosen = self._choose(rows, once=True)
        with self._claim():
            self._check(pair, self._take(self._state[0], chosen))
            for half, value in zip(self._state, pair, strict=True):
                self._put(half, chosen, value)

    def _choose(self, rows: Any, *, once: bool = False) -> Any:  # noqa: ANN401
        """Return what chooses rows, which may be a tensor, as `chosen_rows` does."""
        read = getattr(rows, "asnumpy", getattr(rows, "numpy", None))
        return chosen_rows(self._batch, rows if read is None else read(), once=once)

    def _check(self, pair: tuple[Any, Any], like: Any) -> None:  # noqa: ANN401
        """Raise unless both halves of a state are as `like`."""
        for name, half in zip("hc", pair, strict=True):
            check_shape(name, tuple(half.shape), tuple(like.shape), "the rows, H")
            if half.dtype != like.dtype:
                raise DtypeError(f"`{name}` must be of {like.dtype}, got {half.dtype}.")

    @contextmanager
    def _claim(self) -> Iterator[None]:
        """Be the only one in here."""
        if self._process != os.getpid():  # a fork's child: whoever was in here is not
            self._lock, self._process = Lock(), os.getpid()
        lock = self._lock
        if not lock.acquire(blocking=False):
            raise BusyError(
                "a stream must be used by one thread at a time; another is stepping it. "
                "Give every thread a stream of its own: cell.stream()."
            )
        try:
            yield
        finally:
            lock.release()

    def __repr__(self) -> str:
        return f"{self._cell!r}.stream(batch={self._batch})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return _again, (type(self), self._cell, self._batch, self.snapshot())


def _again(
    kind: Callable[[Any, int | None], TensorStream[Any, Any]],
    cell: object,
    batch: int | None,
    state: tuple[Any, Any],
) -> TensorStream[Any, Any]:
    """Return the stream that a copy or a pickle holds."""
    stream = kind(cell, batch)
    stream.restore(state)
    return stream
