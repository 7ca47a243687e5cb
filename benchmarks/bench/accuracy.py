"""How far every cell is from the float64 reference: `benchmarks/parity.py`, as a part of a run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).parents[1] / "parity.py"


def measure(tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the largest error of every cell by quantity, from a process of its own.

    It needs torch and MindSpore; without them the section says why there is nothing.
    """
    tell("accuracy")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "errors.json"
        command = [sys.executable, str(PROGRAM), "--json", str(path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            return {"missing": (done.stderr.strip().splitlines() or ["no reason given"])[-1]}
        return {"errors": json.loads(path.read_text())}
