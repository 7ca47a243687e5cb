"""Measured times as figures: a median and its spread, and rounds in turns until it stands."""

from __future__ import annotations

import importlib.metadata
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from bench import problem
from bench.conductor import Conductor, WorkerLostError
from bench.contenders import CONTENDERS
from bench.problem import Size, Work
from bench.worker import Failed, Prepare, Ready, Time

Json: TypeAlias = dict[str, Any]
Rounds: TypeAlias = dict[str, list[float]]
"""µs a call of every round, by contender."""
UNSURE = 0.25
"""A figure whose quartiles lie further apart than this part of its median is no result."""


@dataclass(frozen=True)
class Figure:
    """µs a call over rounds."""

    median: float
    low: float
    high: float
    best: float
    rounds: int

    @classmethod
    def of(cls, times: Sequence[float]) -> Figure:
        """Return the median and the quartiles of at least one time."""
        if len(times) == 1:
            return cls(times[0], times[0], times[0], times[0], 1)
        low, _, high = statistics.quantiles(times, n=4, method="inclusive")
        return cls(statistics.median(times), low, high, min(times), len(times))


def is_unsure(figure: Mapping[str, float]) -> bool:
    """Say whether a figure, as JSON holds it, is not to be trusted."""
    return "low" in figure and is_spread(figure["median"], figure["high"] - figure["low"])


def is_spread(median: float, spread: float) -> bool:
    """Say whether quartiles are too far apart for a median to be a result."""
    return spread > UNSURE * median


@dataclass(frozen=True)
class Pace:
    """How long to measure."""

    rounds: int = 15
    least_rounds: int = 5
    slice_seconds: float = 0.02
    row_seconds: float = 25.0
    """After this the rounds of one row end, but not before `least_rounds`."""
    warm_seconds: float = 0.1
    """How long each contender runs before it is first timed."""


@dataclass
class Measured:
    """What one problem gave: figures and errors by contender, and who was not timed, and why."""

    figures: dict[str, Figure] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    excluded: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        """Return it as JSON holds it."""
        found = asdict(self)
        found["figures"] = {
            name: {key: round(value, 4) for key, value in asdict(figure).items()}
            for name, figure in self.figures.items()
        }
        return found


def measure(
    conductor: Conductor,
    contenders: Sequence[str],
    size: Size,
    work: Work,
    pace: Pace,
    threads: int,
    *,
    explicit_threads: int = 0,
    still: Callable[[Rounds], frozenset[str]] | None = None,
) -> Measured:
    """Check every contender against the reference, then time them in turns.

    The order moves on by one each round, so that nobody always follows the same neighbour.

    `still` says who is to be timed again, by the rounds that there were; nobody ends them.
    """
    found = Measured()
    for name in contenders:
        order = Prepare(name, size, work, pace.warm_seconds, explicit_threads)
        _admit(conductor, name, order, threads, found)
    here = list(found.errors)
    times: Rounds = {name: [] for name in here}
    start = time.monotonic()
    for index in range(pace.rounds):
        if index >= pace.least_rounds and time.monotonic() - start > pace.row_seconds:
            break
        wanted = frozenset(here) if still is None or index == 0 else still(times)
        if not wanted:
            break
        turn = index % len(here) if here else 0
        for name in here[turn:] + here[:turn]:
            if name in found.excluded or name not in wanted:
                continue
            try:
                times[name].append(conductor.ask(name, threads, Time(name, pace.slice_seconds)))
            except WorkerLostError as lost:
                found.excluded[name] = str(lost)
    found.figures = {
        name: Figure.of(times[name]) for name in here if name not in found.excluded and times[name]
    }
    conductor.forget()
    return found


def _admit(conductor: Conductor, name: str, order: Prepare, threads: int, found: Measured) -> None:
    """Prepare a contender and check it, and note who cannot be timed, and why."""
    library = CONTENDERS[name].library
    try:
        importlib.metadata.version(library)
        answer: Ready | Failed = conductor.ask(name, threads, order)
    except importlib.metadata.PackageNotFoundError:
        found.missing[name] = f"{library} is not installed (the extra `bench` has the peers)"
        return
    except WorkerLostError as lost:
        found.excluded[name] = str(lost)
        return
    if isinstance(answer, Failed):
        (found.missing if answer.missing else found.excluded)[name] = answer.why
        return
    found.settings[name] = answer.settings
    if not CONTENDERS[name].computes:
        found.errors[name] = 0.0
        return
    try:
        off = problem.error(answer.outputs, problem.right(order.size, order.work))
    except ValueError as wrong:
        found.excluded[name] = f"wrong: {wrong}"
        return
    close = CONTENDERS[name].close
    if not off <= close:
        found.excluded[name] = f"wrong: off by {off:.1e}, more than {close:.0e}"
        return
    found.errors[name] = off
