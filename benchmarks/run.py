"""Measure onecell beside its peers; write JSON, Markdown and pictures.

Everybody computes the same problem and is checked against the float64 reference before the clock
starts. Each library runs in a process of its own, stopped while another is measured, and rounds go
over all contenders in turn, so that a slow minute meets everyone. Figures are medians.

Examples:
  python benchmarks/run.py --quick                       what CI could afford: under 3 minutes
  python benchmarks/run.py --name main                   all of it, a quarter of an hour
  python benchmarks/run.py --only table --rows step      the rows whose names hold "step"
  python benchmarks/run.py --name main --update --only sweep --sweep-seconds 600
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import accuracy, curves, everyday_calls, machine, memory, result, sweep, table, tables
from bench.conductor import Conductor
from bench.figures import Pace
from bench.rows import ROWS, Row
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

QUICK_PACE = Pace(rounds=9, slice_seconds=0.01, row_seconds=5.0, least_rounds=3)
QUICK_LEAVES_OUT = frozenset({"torch.compile"})
"""It compiles for seconds where every other contender is ready at once."""
PARTS = ("table", "everyday", "steps", "threads", "memory", "accuracy", "sweep")
"""The sweep is last: it takes the time that is left."""
WHOLE_SECONDS = 840.0
QUICK_PARTS = ("table", "memory")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    cpus = len(os.sched_getaffinity(0))
    add("--name", help="the result is benchmarks/results/NAME.json (local, or quick)")
    add("--only", nargs="+", choices=PARTS, help="measure only these parts")
    add(
        "--rows",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="the table alone, rows with this in them",
    )
    add("--list", action="store_true", help="list the names of the rows and end")
    add("--rounds", type=int, help="rounds of each row of the table (15)")
    add("--threads", type=int, default=min(2, cpus), help="for everybody (2)")
    add("--quick", action="store_true", help="the quick rows, few rounds, no torch.compile")
    add("--update", action="store_true", help="keep the other parts of a result that is there")
    add("--sweep-seconds", type=float, help="after this the sweep ends (what 14 minutes leave)")
    add("--sweep-steps", type=int, nargs="+", default=[1], help="T of the sweep's shapes (1)")
    options = parser.parse_args()
    if options.rounds is not None and options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}.")
    if not 1 <= options.threads <= cpus:
        parser.error(f"--threads must be 1 to {cpus}, the CPUs there are, got {options.threads}.")
    return options


def _chosen(options: argparse.Namespace) -> list[Row]:
    """Return the rows that were asked for."""
    rows = [row for row in ROWS if row.quick or not options.quick]
    if options.rows:
        rows = [row for row in ROWS if any(text in row.name for text in options.rows)]
    return rows


def _pace(options: argparse.Namespace) -> Pace:
    pace = QUICK_PACE if options.quick else Pace()
    if options.rounds is not None:
        least = min(options.rounds, pace.least_rounds)
        pace = replace(pace, rounds=options.rounds, least_rounds=least)
    return pace


def _parts(
    options: argparse.Namespace, conductor: Conductor, rows: list[Row], tell: Callable[[str], None]
) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return each part's name and how it is measured."""
    leave_out = QUICK_LEAVES_OUT if options.quick else frozenset[str]()
    sizes = sweep.shapes(options.sweep_steps)
    begun = time.monotonic()

    def left() -> float:
        """Return how long the sweep may take, as told or as the other parts leave time for."""
        spent = time.monotonic() - begun
        return WHOLE_SECONDS - spent if options.sweep_seconds is None else options.sweep_seconds

    return {
        "table": lambda: table.measure(
            conductor, rows, _pace(options), options.threads, leave_out, tell
        ),
        "everyday": lambda: everyday_calls.measure(options.threads, tell),
        "steps": lambda: curves.over_steps(conductor, options.threads, tell),
        "threads": lambda: curves.over_threads(conductor, tell),
        "memory": lambda: memory.measure(tell),
        "accuracy": lambda: accuracy.measure(tell),
        "sweep": lambda: sweep.measure(conductor, sizes, left(), options.threads, tell),
    }


def _measure(options: argparse.Namespace, rows: list[Row], path: Path, console: Console) -> None:
    """Measure every part asked for, and write the result after each."""
    found = result.begin(path, machine.describe(), update=options.update)
    whole = QUICK_PARTS if options.quick else PARTS
    chosen = options.only or (("table",) if options.rows else whole)
    tasks = {
        "table": len(rows), "sweep": len(sweep.shapes(options.sweep_steps)),
        "steps": curves.points_over_steps(), "threads": curves.points_over_threads(),
        "everyday": 1, "memory": 1, "accuracy": 1,
    }  # fmt: skip
    total = sum(tasks[name] for name in chosen)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    # The bar moves when something begins, never by itself: its thread would disturb.
    with Conductor() as conductor, Progress(*columns, console=console, auto_refresh=False) as bar:
        task = bar.add_task("starting", total=total, completed=-1)

        def tell(words: str) -> None:
            bar.update(task, description=words, advance=1, refresh=True)

        for name, measure in _parts(options, conductor, rows, tell).items():
            if name in chosen:
                begun = time.monotonic()
                load = machine.busy()
                section = measure()
                section["load_before"] = round(load, 2)
                section["seconds"] = round(time.monotonic() - begun, 1)
                found["sections"][name] = section
                result.save(found, path)
        bar.update(task, completed=total, description="done", refresh=True)
    path.with_suffix(".md").write_text(tables.everything(found), encoding="utf-8")
    console.print(tables.targets(found), markup=False)
    console.print(f"{path} and {path.with_suffix('.md').name}", markup=False)


def main() -> int:
    """Measure as told; return the exit status."""
    options = _options()
    rows = _chosen(options)
    if options.list:
        print("\n".join(row.name for row in ROWS))
        return 0
    if options.rows and not rows:
        print(f"no row has {options.rows} in its name; --list shows them", file=sys.stderr)
        return 2
    console = Console()
    if machine.busy() > 0.5:
        console.print(f"[yellow]The machine is busy (load {machine.busy():.1f}): others disturb.")
    name = options.name or ("quick" if options.quick else "local")
    try:
        _measure(options, rows, result.RESULTS / f"{name}.json", console)
    except result.ResultError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
