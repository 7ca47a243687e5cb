"""How near a time comes to the machine's ceilings."""

from __future__ import annotations

from typing import Any

from bench.figures import Figure
from bench.problem import Size


def of_threads(ceilings: dict[str, Any], threads: int) -> dict[str, Any]:
    """Return the run of the probe on `threads` threads."""
    runs: list[dict[str, Any]] = ceilings["runs"]
    return next(run for run in runs if run["threads"] == threads)


def fractions(size: Size, figures: dict[str, Figure], ours: str = "onecell") -> dict[str, float]:
    """Return GFLOP/s and GB/s of a forward pass, and their shares of the two ceilings.

    The ceilings were timed in the same rounds, in turns with everyone: the time that the
    multiply-adds alone would take, and the time of reading alone the weights that each step reads.
    """
    microseconds = figures[ours].median
    found = {
        "gflops": 2e-3 * size.multiply_adds / microseconds,
        "gbytes": 4e-3 * size.read_each_step * size.steps / microseconds,
    }
    for share, ceiling in (("of_fma", "multiply-adds alone"), ("of_bandwidth", "reading alone")):
        if ceiling in figures:
            found[share] = figures[ceiling].median / microseconds
    return {name: round(value, 3) for name, value in found.items()}
