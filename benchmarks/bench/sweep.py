"""Many shapes of one step: where ours loses, and where its cost jumps between neighbours."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from bench import figures
from bench.conductor import Conductor
from bench.figures import Pace
from bench.problem import Size, Work

BATCHES: Final = (1, 2, 3, 4, 7, 8, 16, 32, 64, 128, 256)
HIDDEN: Final = (8, 16, 33, 64, 100, 128, 256, 384, 512, 1024)
INPUTS: Final = (1, 10, None)
"""None is as wide as the state."""

PEERS: Final = ("torch.nn.LSTMCell", "torch.nn.LSTM", "onnxruntime", "JAX", "OpenVINO")
"""torch.compile takes seconds to compile each shape: it is in the table only."""
OURS: Final = "onecell"
LOSES: Final = 0.95
WORST: Final = 12
CLIFF: Final = 1.3
PACE: Final = Pace(
    rounds=9, slice_seconds=0.006, row_seconds=8.0, least_rounds=3, warm_seconds=0.02
)
LEAST_ROUNDS: Final = 3
CLOSE: Final = (0.8, 1.2)
"""A ratio between these gets all rounds, whichever way it leans; any other is clear after a few."""
HOPELESS: Final = 2.0
"""Who has taken so many times the best peer's time is not timed again."""
FAR: Final = 1.25
"""The same, once there were `LEAST_ROUNDS`."""
GLANCE: Final = replace(PACE, rounds=1, least_rounds=1)
SLOWER: Final = "takes longer than ours twice over even for the smallest shape"


@dataclass(frozen=True)
class Cliff:
    """A shape that costs more a multiply-add than its neighbours on both sides lead to expect."""

    size: Size
    along: str
    times: float


def shapes(steps: Iterable[int] = (1,)) -> list[Size]:
    """Return all shapes, in an order (the same each time) that leaves no region for the end."""
    found = [
        Size(t, n, h if i is None else i, h)
        for t in steps for n in BATCHES for h in HIDDEN for i in INPUTS
    ]  # fmt: skip
    random.Random(0).shuffle(found)  # noqa: S311 - an order, not a secret
    return found


def measure(
    conductor: Conductor,
    sizes: list[Size],
    seconds: float,
    threads: int,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Measure as many shapes as fit; return them, the losses, the cliffs, and who is left over."""
    start, points = time.monotonic(), []
    least = {steps: _glance(conductor, PEERS, Size(steps, 1, 1, 8), threads)
             for steps in sorted({size.steps for size in sizes})}  # fmt: skip
    for size in sizes:
        if time.monotonic() - start > seconds:
            break
        tell(f"sweep {size}")
        ours = _glance(conductor, (OURS,), size, threads).get(OURS, math.inf)
        names = (OURS, *rivals(least[size.steps], ours))
        found = figures.measure(conductor, names, size, _work(size), PACE, threads, still=undecided)
        slower = {name: SLOWER for name in PEERS if name not in names}
        ratio, best = _ratio(found)
        median = {name: round(f.median, 3) for name, f in found.figures.items()}
        spread = {name: round(f.high - f.low, 3) for name, f in found.figures.items()}
        points.append({
            "size": list(size), "median": median, "spread": spread, "ratio": ratio, "best": best,
            "not_timed": found.missing | found.excluded | slower,
        })  # fmt: skip
    return {
        "threads": threads,
        "peers": list(PEERS),
        "points": sorted(points, key=lambda point: point["size"]),
        "not_reached": sorted(list(size) for size in sizes[len(points) :]),
        **analyse(points),
    }


def _work(size: Size) -> Work:
    return "step" if size.steps == 1 else "unroll"


def _glance(
    conductor: Conductor, names: Sequence[str], size: Size, threads: int
) -> dict[str, float]:
    """Return about how many µs each takes, of those that can be timed."""
    found = figures.measure(conductor, names, size, _work(size), GLANCE, threads)
    return {name: figure.median for name, figure in found.figures.items()}


def rivals(least: Mapping[str, float], ours: float) -> tuple[str, ...]:
    """Return the peers that may come near ours, or else the one that comes nearest.

    To make a peer ready takes longer than to time it, and what it takes for the smallest shape it
    takes for all.

    Args:
        least: µs that each peer takes for the smallest shape; who is not there is tried.
        ours: µs.
    """
    near = tuple(name for name in PEERS if least.get(name, 0.0) <= HOPELESS * ours)
    return near or (min(PEERS, key=lambda name: least[name]),)


def undecided(times: figures.Rounds) -> frozenset[str]:
    """Return who is to be timed in another round: ours and its rivals; nobody once it is clear."""
    medians = {name: statistics.median(each) for name, each in times.items() if each}
    ours = medians.pop(OURS, None)
    if ours is None or not medians:
        return frozenset()
    best = min(medians.values())
    rounds = len(times[OURS])
    if rounds >= LEAST_ROUNDS and not CLOSE[0] < best / ours < CLOSE[1]:
        return frozenset()
    most = (FAR if rounds >= LEAST_ROUNDS else HOPELESS) * best
    return frozenset({OURS} | {name for name in medians if min(times[name]) <= most})


def _ratio(found: figures.Measured) -> tuple[float | None, str | None]:
    peers = {name: f.median for name, f in found.figures.items() if name != OURS}
    if OURS not in found.figures or not peers:
        return None, None
    best = min(peers, key=lambda name: peers[name])
    return round(peers[best] / found.figures[OURS].median, 3), best


def analyse(points: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the points say: how many, how many lost, the worst first, and the cliffs."""
    known = [p for p in points if p["ratio"] is not None]
    judged = sorted((p for p in known if not _is_unsure(p)), key=lambda p: p["ratio"])
    worst = [{key: p[key] for key in ("size", "ratio", "best")} for p in judged[:WORST]]
    times = {
        Size(*p["size"]): p["median"][OURS]
        for p in points
        if OURS in p["median"] and not figures.is_spread(p["median"][OURS], p["spread"][OURS])
    }
    return {
        "judged": len(judged),
        "unsure": len(known) - len(judged),
        "lost": sum(p["ratio"] < LOSES for p in judged),
        "worst": worst,
        "cliffs": [asdict(cliff) | {"size": list(cliff.size)} for cliff in cliffs(times)],
    }


def _is_unsure(point: dict[str, Any]) -> bool:
    """Say whether the ratio rests on a figure that is not to be trusted."""
    sides = (OURS, point["best"])
    return any(figures.is_spread(point["median"][name], point["spread"][name]) for name in sides)


def cliffs(times: Mapping[Size, float]) -> list[Cliff]:
    """Return where a time a multiply-add exceeds `CLIFF` times what both neighbours predict.

    The neighbours are the next shapes that differ in H alone, or in N alone; the prediction is the
    straight line between them on logarithmic axes.

    Args:
        times: µs by shape.
    """
    cost = {size: us / size.multiply_adds for size, us in times.items()}
    found = []
    for along in ("hidden", "batch"):
        lines: dict[tuple[Any, ...], list[Size]] = {}
        for size in cost:
            wide = "H" if size.input == size.hidden else size.input
            other = size.batch if along == "hidden" else size.hidden
            lines.setdefault((size.steps, wide, other), []).append(size)
        for line in lines.values():
            line.sort(key=lambda size: getattr(size, along))
            for left, here, right in zip(line, line[1:], line[2:], strict=False):
                a, b, c = (math.log(getattr(size, along)) for size in (left, here, right))
                part = (b - a) / (c - a)
                expected = (1 - part) * math.log(cost[left]) + part * math.log(cost[right])
                times_more = cost[here] / math.exp(expected)
                if times_more > CLIFF:
                    found.append(Cliff(here, along, round(times_more, 2)))
    return sorted(found, key=lambda cliff: -cliff.times)
