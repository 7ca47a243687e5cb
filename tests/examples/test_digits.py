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
    assert done.stdout.count("\nHOLDS: 1 cell (4 of 6 tensors) proved in ") == 2
    assert done.stdout.count("HOLDS: 1 cell (4 of 6 tensors) proved, nothing of torch left") == 2
    assert done.stdout.count("360 of 360") == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits.pt", "native", "onecell"]


def test_the_mindspore_rows_run_migrated_code(tmp_path: Path) -> None:
    for target, cell in (
        ("onecell", "from onecell.mindspore import LSTMCell"),
        ("native", "from mindspore import nn"),
    ):
        out = tmp_path / target
        paths: list[str | Path] = [DEMO.parent / "torch_project", "--out", out]
        words = ["--to", "mindspore", "--target", target]
        command = [sys.executable, "-m", "onecell", "migrate", *words, *paths]
        subprocess.run(command, capture_output=True, check=False)
        text = (out / "reader.py").read_text()
        assert cell in text
        assert "torch" not in text
