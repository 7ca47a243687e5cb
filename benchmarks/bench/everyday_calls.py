"""Calls as people write them, measured by a program of its own: both cells take turns in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).parents[1] / "everyday.py"
ROUNDS = 7


def measure(threads: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return every row's work, size, and torch's time divided by ours."""
    tell("everyday calls")
    order = [PROGRAM, "--json", "--threads", threads, "--rounds", ROUNDS]
    done = subprocess.run(
        [sys.executable, *map(str, order)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{PROGRAM.name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return {"threads": threads, "rounds": ROUNDS, "rows": json.loads(done.stdout)}
