"""What is allocated: each claim in a fresh process, with a probe in front of malloc."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench import probes
from bench.contenders import Missing
from bench.problem import Size

FLOAT_BYTES: Final = 4
SHORT, LONG = Size(50, 16, 128, 128), Size(400, 16, 128, 128)
TRAINED, TRAINED_LONGER = Size(50, 16, 128, 128), Size(150, 16, 128, 128)
STREAMED: Final = Size(1, 2, 128, 128)
MOST_KEPT: Final = 6
"""Values of size H that training may keep per row and step, the output among them."""
PAGES: Final = 0.01
"""An allocator rounds up, to pages where an array is large."""


def measure(tell: Callable[[str], None]) -> dict[str, Any]:
    """Return what was allocated, in the units of the claims, and whether each claim holds."""
    try:
        library = probes.build() / "libcount_memory.so"
    except Missing as gone:
        return {"missing": str(gone)}
    tell("memory")
    short, long = (_run(library, "unroll", size) for size in (SHORT, LONG))
    row = FLOAT_BYTES * SHORT.batch * SHORT.hidden
    beside = [(found["peak"] - found["output"]) / row for found in (short, long)]
    fewer, more = (_run(library, "train", size)["live"] for size in (TRAINED, TRAINED_LONGER))
    # The difference between two lengths: what each further step keeps, without what is kept once.
    kept = (more - fewer) / (row * (TRAINED_LONGER.steps - TRAINED.steps))
    claims: list[dict[str, Any]] = [
        {
            "claim": "unroll in inference allocates its output and O(N·H) beside it",
            "measured": f"{beside[0]:.1f} N·H beside the output at T = {SHORT.steps}, "
            f"{beside[1]:.1f} at T = {LONG.steps}",
            "met": (beside[1] - beside[0]) / (LONG.steps - SHORT.steps) <= PAGES,
        },
        {
            "claim": f"training keeps at most {MOST_KEPT} values of size H per row and step",
            "measured": f"{kept:.2f}, the output among them",
            "met": kept <= MOST_KEPT + PAGES,
        },
    ]
    stream = _run(library, "stream", STREAMED)
    claims.append(
        {"claim": "a stream allocates nothing per step", "measured": "no stream yet", "met": None}
        if "missing" in stream
        else {
            "claim": "a stream allocates nothing per step",
            "measured": f"{stream['allocations']} allocations in {stream['steps']} steps",
            "met": stream["allocations"] == 0,
        }
    )
    sizes = {
        "unroll": [list(SHORT), list(LONG)],
        "train": [list(TRAINED), list(TRAINED_LONGER)],
        "stream": list(STREAMED),
    }
    return {"claims": claims, "sizes": sizes}


def _run(library: Path, what: str, size: Size) -> dict[str, Any]:
    """Return what the subject tells of one thing done in a process of its own."""
    folder = str(Path(__file__).parents[1])
    environment = os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": folder}
    # So that Python's small objects come from malloc, too, and are counted.
    environment["PYTHONMALLOC"] = "malloc"
    command = [sys.executable, "-m", "bench.memory_subject", what, *map(str, size)]
    text = subprocess.check_output(command, text=True, env=environment)
    found: dict[str, Any] = json.loads(text)
    return found
