"""The demo is a test: trained, ported, run on every cell, with the same predictions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "digits" / "demo.py"


def test_the_demo_holds(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, DEMO, "--out", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HOLDS: 1 cell" in done.stdout
    assert done.stdout.count("360 of 360") == 5
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"digits.pt", "digits.ckpt", "digits.proof.json", "digits.report.html"}
