"""Thousands of live sessions over the rows of one batched stream: the logic, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onecell import FrozenCell
from onecell.checkpoint import load_checkpoint, save_checkpoint

Array = npt.NDArray[np.float32]


LONGEST_NAME = 200


class RefusedError(Exception):
    """A session cannot be let in, or an input not be taken."""


class Kept(NamedTuple):
    """What a session is while nobody steps it: h and c (H,), and how many steps made them."""

    h: Array
    c: Array
    steps: int


@dataclass(slots=True)
class Live:
    """A session that is here."""

    row: int
    steps: int
    waits: tuple[Array, asyncio.Future[Array]] | None = None


@dataclass(slots=True)
class Snapshot:
    """The states of all sessions at one moment, copied."""

    names: list[str] = field(default_factory=list)
    states: list[Kept] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write it beside the old file, which it then replaces: whole or not at all."""
        if not self.names:
            path.unlink(missing_ok=True)
            return
        h, c, steps = zip(*self.states, strict=True)
        tensors = {"h": np.stack(h), "c": np.stack(c), "steps": np.array(steps)}
        save_checkpoint(path, tensors, metadata={"names": json.dumps(self.names)}, force=True)


class Sessions:
    """Sessions that come, step when they have input, go, and come back with their state.

    Each has a row of one stream. Whatever inputs are there when the event loop comes round are
    stepped together, and only their rows move on: the busier it is, the larger the batches and the
    less a step costs. A row's bits do not depend on the batch, so neither does an answer.

    Args:
        cell: what is stepped.
        rows: how many sessions can be here at once.
        most_away: how many that left are remembered; those that left first are forgotten first.
    """

    def __init__(self, cell: FrozenCell, rows: int = 4096, most_away: int = 20_000) -> None:
        self.cell = cell
        self._stream = cell.stream(batch=rows)
        self._free = list(range(rows))
        self._live: dict[str, Live] = {}
        self._away: dict[str, Kept] = {}
        self._most_away = most_away
        self._waiting: list[Live] = []
        self.batches = 0
        """How many batches were stepped."""

    def __len__(self) -> int:
        return len(self._live)

    def enter(self, name: str) -> int:
        """Let a session in, with the state that it left or a new one; return its steps so far.

        Raises:
            RefusedError: all rows are taken, or the session is here already.
            ValueError: its name is too long.
        """
        if len(name) > LONGEST_NAME:
            raise ValueError(f"a name may have {LONGEST_NAME} characters")
        if name in self._live:
            raise RefusedError("this session is live already")
        if not self._free:
            raise RefusedError("all rows are taken; try again later")
        row = self._free.pop()
        kept = self._away.pop(name, None)
        if kept is None:
            self._stream.reset(row)
        else:
            self._stream.restore((kept.h, kept.c), row)
        self._live[name] = Live(row, 0 if kept is None else kept.steps)
        return self._live[name].steps

    def leave(self, name: str) -> None:
        """Keep the state of a session and give its row to others; an input that waits is lost."""
        session = self._live.pop(name)
        if session.waits is not None:
            self._waiting.remove(session)
        self._away[name] = Kept(*self._stream.snapshot(session.row), session.steps)
        self._free.append(session.row)
        while len(self._away) > self._most_away:
            del self._away[next(iter(self._away))]

    async def step(self, name: str, x: Array) -> Array:
        """Return h (H,) after one input x (I,) of a session, which must wait for it.

        Raises:
            RefusedError: its last input is not answered yet.
            ValueError: x has another size.
        """
        session, x = self._live[name], np.asarray(x, np.float32)
        if session.waits is not None:
            raise RefusedError("one input at a time: wait for the answer")
        if x.shape != (self.cell.input_size,):
            raise ValueError(f"an input must have {self.cell.input_size} numbers, got {x.size}.")
        loop = asyncio.get_running_loop()
        session.waits = x, loop.create_future()
        if not self._waiting:
            loop.call_soon(self._step_all)  # after all that the loop has already heard of
        self._waiting.append(session)
        return await session.waits[1]

    def _step_all(self) -> None:
        """Step the sessions that have input, and answer them."""
        batch, self._waiting = self._waiting, []
        asked = [session.waits for session in batch if session.waits is not None]
        if not asked:
            return
        rows = [session.row for session in batch]
        h = self._stream.step(np.stack([x for x, _ in asked]), rows=rows)
        self.batches += 1
        for session, (_, answer), mine in zip(batch, asked, h, strict=True):
            session.waits = None
            session.steps += 1
            if not answer.done():  # else whoever asked has gone
                answer.set_result(mine)

    def snapshot(self) -> Snapshot:
        """Return a copy of all states, of those who are here and of those who left."""
        h, c = self._stream.snapshot([session.row for session in self._live.values()])
        steps = [session.steps for session in self._live.values()]
        states = self._away | dict(zip(self._live, map(Kept, h, c, steps), strict=True))
        return Snapshot(list(states), list(states.values()))

    def load(self, path: Path) -> int:
        """Remember the sessions of a snapshot, if there is one; return how many.

        Raises:
            ValueError: it is of another cell, or no snapshot.
        """
        if not path.exists():
            return 0
        found = dict(read_snapshot(path))
        for kept in found.values():
            if kept.h.shape != (self.cell.hidden_size,):
                raise ValueError(
                    f"{path} has states of {kept.h.size}, the cell has H = {self.cell.hidden_size}."
                )
        self._away.update(found)
        return len(found)


def read_snapshot(path: Path) -> Iterator[tuple[str, Kept]]:
    """Yield the sessions of a file that `Snapshot.save` wrote."""
    file = load_checkpoint(path)
    if "names" not in file.metadata or not {"h", "c", "steps"} <= file.tensors.keys():
        raise ValueError(f"{path} is no snapshot of sessions.")
    names = json.loads(file.metadata["names"])
    columns = (file.tensors[name] for name in ("h", "c", "steps"))
    for name, h, c, steps in zip(names, *columns, strict=True):
        yield name, Kept(h, c, int(steps))
