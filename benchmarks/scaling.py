"""The constants of docs/en/guides/scaling.md on this machine, and how well its formula foretells.

    python benchmarks/scaling.py

It takes a quarter of a minute on an idle machine. The constants are those of one core.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import onecell
from onecell import FrozenCell, LSTMCell

GIGA = 1e9
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Machine:
    """What one core does."""

    call: float
    """Seconds that a step of nothing takes."""
    unit: float
    """Seconds a unit of a row: activations and the state."""
    rate: float
    """Multiplications and additions a second, of many rows."""
    near: float
    """Bytes of weights a second that one row reads where they lie in a cache."""
    far: float
    """The same where they come from memory."""
    far_together: float
    """The same by all cores together."""
    caches: int
    """Bytes that lie near."""


def weight_bytes(inputs: int, units: int, size: float = 4) -> float:
    """Return W, the bytes of both matrices, `size` bytes a weight."""
    return 4 * units * (inputs + units) * size


def step_time(
    m: Machine, rows: int, inputs: int, units: int, size: float = 4, threads: int = 1
) -> float:
    """Return the seconds of one step: the formula of docs/en/guides/scaling.md."""
    weights = weight_bytes(inputs, units, size)
    speed = m.near * threads if weights <= m.caches else min(m.far * threads, m.far_together)
    computing = 2 * rows * weight_bytes(inputs, units, 1) / m.rate
    return m.call + rows * units * m.unit / threads + max(weights / speed, computing / threads)


def gradient_bytes(inputs: int, units: int) -> float:
    """Return what a worker of data-parallel training sends a step."""
    return 4 * 4 * units * (inputs + units + 2)


def efficiency(step: float, gradient: float, machines: int, network: float) -> float:
    """Return the share of N times one machine's speed that N machines reach.

    A ring of N sends 2 (N - 1) / N times the gradient through each machine's link of `network`
    bytes a second; nothing of it is taken to overlap with computing.
    """
    return step / (step + 2 * (machines - 1) / machines * gradient / network)


def best(work: Callable[[], object], seconds: float = 0.15) -> float:
    """Return the seconds of one `work()`, the best of a few rounds."""
    work()
    start = time.perf_counter()
    work()
    count = max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(count):
            work()
        found.append((time.perf_counter() - start) / count)
    return min(found)


def step(rows: int, inputs: int, units: int, kind: str = "live") -> float:
    """Measure one step of a stream."""
    cell: LSTMCell | FrozenCell = LSTMCell(inputs, units, rng=0)
    if kind != "live":
        cell = cell.freeze(kind)  # type: ignore[arg-type]
    stream = cell.stream(rows)
    x = np.ones((rows, inputs), np.float32)
    return best(lambda: stream.step(x))


def train(steps: int, rows: int, inputs: int, units: int) -> float:
    """Measure one pass forth and back."""
    cell = LSTMCell(inputs, units, rng=0)
    x = np.ones((steps, rows, inputs), np.float32)
    ones = np.ones((steps, rows, units), np.float32)
    return best(lambda: cell.unroll_vjp(x)[1](ones))


def measure() -> Machine:
    """Return the constants of this machine."""
    onecell.set_num_threads(1)
    call = step(1, 1, 1)
    # Two sizes of one shape tell a unit's share and a multiplication's apart.
    small, large = (step(256, 16, units) for units in (64, 256))
    flop = [2 * 256 * weight_bytes(16, units, 1) for units in (64, 256)]
    unit = (small * flop[1] - large * flop[0]) / (256 * (64 * flop[1] - 256 * flop[0]))
    rate = flop[1] / (large - 256 * 256 * unit)
    near = weight_bytes(512, 512) / step(1, 512, 512)
    far = weight_bytes(4096, 4096) / step(1, 4096, 4096)
    onecell.set_num_threads(0)
    together = weight_bytes(4096, 4096) / step(1, 4096, 4096)
    return Machine(call, max(unit, 0.0), rate, near, far, max(far, together), cached())


def cached() -> int:
    """Return half of the last cache, which others share, as far as Linux tells its size."""
    found = Path("/sys/devices/system/cpu/cpu0/cache/index3/size")
    return int(found.read_text().rstrip("K\n")) * 512 if found.exists() else 8 << 20


def _work(seconds: float) -> int:
    onecell.set_num_threads(1)
    stream = LSTMCell(256, 256, rng=0).stream(64)
    x = np.ones((64, 256), np.float32)
    end, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        stream.step(x)
        done += 1
    return done


def processes(count: int) -> float:
    """Return the steps a second of so many processes, (64, 256, 256), one thread each."""
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        pool.map(_work, [0.1] * count)
        return sum(pool.map(_work, [1.0] * count, chunksize=1))


def print_training(cores: int) -> None:
    """Print how training grows with machines, from a step's time and its gradient's bytes."""
    print(f"\n| T | N | H | forth and back, ms, {cores} threads | gradient, MB | Gbit/s |", end="")
    machines = 2, 8, 64
    print("".join(f" {count} machines |" for count in machines))
    print("|" + "---:|" * (6 + len(machines)))
    onecell.set_num_threads(0)
    for steps, rows, units in TRAININGS:
        spent, gradient = train(steps, rows, units, units), gradient_bytes(units, units)
        for network in (1, 10, 100):
            shares = (efficiency(spent, gradient, n, network * GIGA / 8) for n in machines)
            told = f"{spent * 1e3:.3g} | {gradient / 1e6:.3g} | {network}"
            found = " | ".join(f"{share:.0%}" for share in shares)
            print(f"| {steps} | {rows} | {units} | {told} | {found} |")


TRAININGS = [(20, 16, 128), (50, 64, 512)]
SHAPES = [
    *((rows, 256, 256) for rows in (1, 4, 16, 64, 256, 1024)),
    *((1, units, units) for units in (16, 64, 128, 512, 1024, 2048)),
    *((64, units, units) for units in (16, 64, 512, 1024)),
]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    machine = measure()
    if options.json:
        print(json.dumps(asdict(machine)))
        return
    print(f"a call     {machine.call * 1e6:8.2f} us")
    print(f"a unit     {machine.unit * 1e9:8.2f} ns a row")
    print(f"a core     {machine.rate / GIGA:8.0f} GFLOP/s")
    print(f"near       {machine.near / GIGA:8.0f} GB/s of weights, to {machine.caches:,} bytes")
    print(f"far        {machine.far / GIGA:8.0f} GB/s of weights")
    print(f"far        {machine.far_together / GIGA:8.0f} GB/s by all cores together")
    onecell.set_num_threads(0)
    cores = onecell.get_num_threads()
    print(f"\n| N | I | H | 1 thread, us | formula | {cores} threads | formula | rows a second |")
    print("|" + "---:|" * 8)
    for shape in SHAPES:
        found, told = [], []
        for threads in (1, cores):
            onecell.set_num_threads(threads)
            found.append(step(*shape) * 1e6)
            told.append(step_time(machine, *shape, threads=threads) * 1e6)
        columns = (f"{found[0]:.3g}", f"{told[0]:.3g}", f"{found[1]:.3g}", f"{told[1]:.3g}")
        print(f"| {' | '.join(map(str, shape))} | {' | '.join(columns)}", end=" | ")
        print(f"{shape[0] / min(found) * 1e6:,.0f} |")
    onecell.set_num_threads(1)
    kinds = (f"{k} {step(1, 1024, 1024, k) * 1e6:.0f}" for k in ("float32", "bfloat16", "int8"))
    print("\none frozen row of 1024 units, one thread, us:", *kinds)
    print_training(cores)
    counts = sorted({1, 2, cores})
    print("processes, (64, 256, 256), steps/s:", *(f"{n}: {processes(n):,.0f}" for n in counts))


if __name__ == "__main__":
    main()
