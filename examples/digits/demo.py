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
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
PROJECT = HERE / "torch_project"
PORTS = {"onecell.mindspore": "onecell", "mindspore.nn": "native"}
"""Row of the table → the `--target` of its port, and the folder that the port goes to."""
ENOUGH = 0.95
"""The accuracy below which something went wrong in training."""
console = Console()


def python(*arguments: str | Path) -> None:
    """Run Python, or end the demo as it ended; what it complains of is shown only then.

    MindSpore writes pages of warnings on NumPy 2, and works.
    """
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)


def port(out: Path, target: str) -> None:
    """Port the project and its checkpoint into the folder `target` of `out`."""
    paths: list[str | Path] = [PROJECT, out / "digits.pt"]
    words = ["--to", "mindspore", "--target", target, "--exclude", "train_*", "--force"]
    python("-m", "onecell", "port", *paths, *words, "--out", out / target)


def read_all(out: Path) -> dict[str, dict[str, Any]]:
    """Run every reader and return what it reports, by name."""
    readers: dict[str, tuple[str | Path, ...]] = {
        "torch.nn": (PROJECT / "read_digits.py", out / "digits.pt"),
        "onecell.torch": (HERE / "read_with_onecell.py", out / "digits.pt"),
    }
    for name, target in PORTS.items():
        ported = out / target
        program = (HERE / "past_first_operator.py", ported / "read_digits.py")
        readers[name] = (*program, ported / "digits.ckpt")
    readers["onecell, arrays"] = (HERE / "read_with_arrays.py", out / "onecell" / "digits.ckpt")
    found = {}
    for name, command in readers.items():
        result = out / "result.json"
        python(*command, result)
        found[name] = json.loads(result.read_text())
        result.unlink()
    return found


def show(found: dict[str, dict[str, Any]]) -> bool:
    """Print accuracy, agreement and time; return whether all agree, and read well enough."""
    first = np.array(found["torch.nn"]["labels"])
    right = np.array(found["torch.nn"]["right"])
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
    python(PROJECT / "train_digits.py", out / "digits.pt")
    for number, target in enumerate(PORTS.values(), 2):
        shown = "onecell port torch_project digits.pt --to mindspore --target"
        console.rule(f"{number} · {shown} {target}")
        port(out, target)
    console.rule("4 · read the test images with every cell")
    agreed = show(read_all(out))
    verdict = "every cell agrees on every image" if agreed else "NOT AS IT SHOULD BE"
    console.print(f"[bold]{verdict}[/]; the files are in {os.path.relpath(out)}")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
