"""Time a step after a pause, as in a live stream: caches are cold, and threads asleep.

One row of 128 inputs and units. Every step is timed alone, after the pause; contenders take turns,
each in a process of its own. What counts is the median, and the 99th percentile.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from frozen import GROUPS, Problem

SIZE = (1, 1, 128, 128)
PAUSES = (0.0, 0.3, 5.0)
"""Milliseconds."""
CONTENDERS = {
    "onecell": ("onecell live", "onecell frozen float32", "onecell frozen int8"),
    "onnxruntime": ("onnxruntime",),
    "torch": ("torch LSTMCell",),
}


def work(group: str, pipe: Connection) -> None:
    """Time steps after pauses, whenever asked."""
    steps = {name: made[0] for name, made in GROUPS[group](Problem(*SIZE))}
    pipe.send(None)
    while (asked := pipe.recv()) is not None:
        name, pause, count = asked
        step, found = steps[name], []
        for _ in range(count):
            time.sleep(pause / 1e3) if pause else None
            begin = time.perf_counter()
            step()
            found.append((time.perf_counter() - begin) * 1e6)
        pipe.send(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=150, help="of one timing")
    options = parser.parse_args()
    context: Any = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for group in CONTENDERS:
        if importlib.util.find_spec(group) is None:
            print(f"({group} is not installed)")
            continue
        pipes[group], theirs = context.Pipe()
        processes.append(context.Process(target=work, args=(group, theirs)))
        processes[-1].start()
        pipes[group].recv()
    found: dict[tuple[str, float], list[float]] = {}
    for _ in range(options.rounds):
        for pause in PAUSES:
            for group, pipe in pipes.items():
                for name in CONTENDERS[group]:
                    pipe.send((name, pause, options.steps))
                    found.setdefault((name, pause), []).extend(pipe.recv())
    for pipe in pipes.values():
        pipe.send(None)
    for process in processes:
        process.join()
    print("µs a step (1, 1, 128, 128): median, 99th percentile\n")
    print(f"| after a pause of | {' | '.join(f'{pause:g} ms' for pause in PAUSES)} |")
    print(f"|---|{'---:|' * len(PAUSES)}")
    for name in (name for group in pipes for name in CONTENDERS[group]):
        cells = (np.percentile(found[name, pause], (50, 99)) for pause in PAUSES)
        print(f"| {name} | {' | '.join(f'{half:.1f}, {most:.1f}' for half, most in cells)} |")


if __name__ == "__main__":
    main()
