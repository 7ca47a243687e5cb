"""The main job from end to end: train in torch, port, run everywhere, and agree on every image."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from digits import load
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
READERS = {
    "torch.nn": ("read_with_torch.py", "digits.pt"),
    "onecell.torch": ("read_with_torch.py", "digits.pt"),
    "mindspore.nn": ("read_with_mindspore.py", "digits.ckpt"),
    "onecell.mindspore": ("read_with_mindspore.py", "digits.ckpt"),
    "onecell, arrays": ("read_with_arrays.py", "digits.ckpt"),
}
ENOUGH = 0.95
"""The accuracy below which something went wrong in training."""
console = Console()


def python(*arguments: str | Path) -> None:
    """Run Python, or end the demo as it ended; what it complains of is shown only then.

    MindSpore writes pages of warnings on NumPy 2, and works.
    """
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)


def read_all(out: Path) -> dict[str, dict[str, Any]]:
    """Run every reader and return what it reports, by name."""
    found = {}
    for name, (program, checkpoint) in READERS.items():
        result = out / "result.json"
        choice = [] if name.endswith("arrays") else ["--cell", name]
        python(HERE / program, out / checkpoint, result, *choice)
        found[name] = json.loads(result.read_text())
        result.unlink()
    return found


def show(found: dict[str, dict[str, Any]]) -> bool:
    """Print accuracy, agreement and time; return whether all agree, and read well enough."""
    right = load()[1].labels
    first = np.array(found["torch.nn"]["labels"])
    table = Table(title=f"{len(right)} test images", title_justify="left")
    for column in ("cell", "accuracy", "agrees with torch.nn", "time for all"):
        table.add_column(column, justify="left" if column == "cell" else "right")
    agreed = True
    for name, result in found.items():
        labels = np.array(result["labels"])
        same, accuracy = int((labels == first).sum()), (labels == right).mean()
        agreed = agreed and same == len(right) and accuracy >= ENOUGH
        milliseconds = f"{1e3 * result['seconds']:.2f} ms"
        table.add_row(name, f"{accuracy:.1%}", f"{same} of {len(right)}", milliseconds)
    console.print(table)
    return agreed


def main() -> int:
    """Run the demo; return the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=HERE / "out", help="where files go")
    out = arguments.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    console.rule("1 · train with torch.nn.LSTMCell")
    python(HERE / "train_in_torch.py", out / "digits.pt")
    console.rule("2 · onecell port digits.pt --to mindspore")
    python("-m", "onecell", "port", out / "digits.pt", "--to", "mindspore", "--out", out, "--force")
    console.rule("3 · read the test images with every cell")
    agreed = show(read_all(out))
    verdict = "every cell agrees on every image" if agreed else "NOT AS IT SHOULD BE"
    console.print(f"[bold]{verdict}[/]; the files are in {os.path.relpath(out)}")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
