"""Measure one step of the cell, ours beside the frameworks' own, and write a table.

Everyone computes the same problem and is checked against the float64 reference first. Then rounds
go over all contenders in turn, so that a slow minute of the machine meets everyone; a round is as
many calls as fit some milliseconds, a figure is the median over rounds. The frameworks run in
processes of their own, which sleep while another is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import signal
import statistics
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from contenders import CONTENDERS, Problem, Size, Step
from rich.console import Console
from rich.progress import track
from rich.table import Table

import onecell
from onecell import reference

SIZES: list[Size] = [(1, 10, 16), (3, 10, 16), (1, 128, 128)]
ROUND_SECONDS = 0.02
# One rounding a gate, but for MindSpore's own tanh, which is off by up to 1e-4.
CLOSE = {True: 2e-4, False: 2e-6}


def work(connection: Connection) -> None:
    """Make and time contenders as told over the connection, until None comes."""
    made: dict[tuple[str, Size], Step] = {}
    while (message := connection.recv()) is not None:
        name, size = message
        if (name, size) not in made:
            step, read = CONTENDERS[name][1](Problem(size))
            made[name, size] = step
            connection.send(read(step()))
            continue
        step = made[name, size]
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < ROUND_SECONDS:
            step()
            calls += 1
        connection.send((time.perf_counter() - start) / calls * 1e6)


class Workers:
    """One process for each group of contenders, started when first asked."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._open: dict[str, tuple[int, Connection]] = {}

    def ask(self, name: str, size: Size) -> Any:  # noqa: ANN401 - a result first, then a time
        """Return what the contender computed, the first time, and µs a call from then on."""
        group = CONTENDERS[name][0]
        if group not in self._open:
            mine, theirs = self._context.Pipe()
            process = self._context.Process(target=work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()  # so that the end of a worker is the end of its connection here too
            assert process.pid is not None
            self._open[group] = process.pid, mine
        pid, connection = self._open[group]
        # Idle threads of a framework spin and would slow the others: stop them in between.
        os.kill(pid, signal.SIGCONT)
        connection.send((name, size))
        answer = connection.recv()
        os.kill(pid, signal.SIGSTOP)
        return answer

    def close(self) -> None:
        """Let every process end."""
        for pid, connection in self._open.values():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)
                connection.send(None)


def check(workers: Workers, name: str, size: Size) -> None:
    """Raise unless the contender computes what the reference does."""
    p = Problem(size)
    want = reference.step(p.weights, p.x, p.h, p.c)[0]
    error = float(np.abs(workers.ask(name, size) - want).max())
    if error > CLOSE[name.startswith("mindspore")]:
        raise SystemExit(f"{name} at {size} is off by {error:.1e}: not timed.")


def measure(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return µs a call of every round, by contender and size."""
    workers = Workers()
    pairs = [(name, size) for size in SIZES for name in CONTENDERS]
    for name, size in track(pairs, "checking"):
        check(workers, name, size)
    times: dict[str, dict[str, list[float]]] = {name: {} for name in CONTENDERS}
    for _ in track(range(rounds), "measuring"):
        for name, size in pairs:
            times[name].setdefault(str(size), []).append(workers.ask(name, size))
    workers.close()
    return times


def machine() -> dict[str, Any]:
    """Return what a reader needs to know to compare."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "isa": onecell.isa(),
        **{name: importlib.metadata.version(name) for name in ("numpy", "torch", "mindspore")},
    }


def main() -> None:
    """Measure, print, and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    options = parser.parse_args()
    times = measure(options.rounds)
    columns = [str(size) for size in SIZES]
    table = Table(title="µs a call: median ± half the quartiles' distance, at (B, I, H)")
    lines = ["| cell | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for column in ["cell", *columns]:
        table.add_column(column, justify="left" if column == "cell" else "right")
    for name, by_size in times.items():
        cells = []
        for column in columns:
            low, middle, high = statistics.quantiles(by_size[column], n=4)
            cells.append(f"{middle:.1f} ± {(high - low) / 2:.1f}")
        table.add_row(name, *cells)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    Console().print(table)
    options.out.mkdir(parents=True, exist_ok=True)
    record = {"machine": machine(), "rounds": options.rounds, "microseconds": times}
    (options.out / "step.json").write_text(json.dumps(record, indent=1))
    (options.out / "step.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
