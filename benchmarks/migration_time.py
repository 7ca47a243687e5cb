"""Measure what `onecell migrate` takes, as the ratio to its limit: 0.5 s and 15 ms a kilobyte.

The whole command is timed, from the start of Python to its end, on generated files in which every
line is a use: models of layers around cells, and the same with a training step after each. The way
back starts from what the way there has made. A folder holds as many kilobytes in several files.
Example: python benchmarks/migration_time.py --repeat 7
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (1, 5, 20, 60)
"""Kilobytes, roughly: files are made of whole models."""
START = 0.5
PER_KILOBYTE = 0.015
FILES = 12
"""In the folder."""

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
MODEL = '''

class Model{n}(nn.Module):
    """Model {n}."""

    def __init__(self, vocabulary, width=64, layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.levels = nn.ModuleList([nn.LSTMCell(width, width, bias=True) for _ in range(layers)])
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens, state=None):
        x = self.embedding(tokens)
        outputs = []
        for t in range(x.shape[0]):
            h = x[t]
            for cell in self.levels:
                h, c = cell(h, (torch.zeros(3, 64), torch.zeros(3, 64)))
            outputs.append(self.head(self.dropout(torch.tanh(h))))
        return torch.stack(outputs, dim=0)
'''
STEP = """

def fit{n}(batches):
    model = Model{n}(50)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for tokens, wanted in batches:
        scores = model(tokens)
        loss = F.cross_entropy(scores.reshape(-1, 50), wanted.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def source(kilobytes: float, *, steps: bool) -> str:
    """Return a module of about that size, in torch."""
    text, number = HEAD, 0
    while number == 0 or len(text) < kilobytes * 1024:
        text += MODEL.format(n=number) + (STEP.format(n=number) if steps else "")
        number += 1
    return text


def seconds(path: Path, to: str, repeat: int) -> float:
    """Return the median time of the whole command; the first run, which compiles, is not in it."""
    command = [sys.executable, "-m", "onecell", "migrate", str(path), "--to", to, "--diff"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    taken = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        taken.append(time.perf_counter() - start)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout, "nothing was rewritten"
    return statistics.median(taken[1:])


def ported(path: Path) -> Path:
    """Return what the way there makes of a file or folder, beside it."""
    out = path.with_name(f"{path.stem}_ported")
    command = [sys.executable, "-m", "onecell", "migrate", str(path), "--to", "mindspore"]
    subprocess.run([*command, "--out", str(out)], capture_output=True, check=True)
    return out if path.is_dir() else out / path.name


def row(name: str, path: Path, repeat: int) -> str:
    """Measure both ways, and return a line of the table."""
    cells = [name]
    for to, place in (("mindspore", path), ("torch", ported(path))):
        files = [place] if place.is_file() else [*place.rglob("*.py")]
        size = sum(each.stat().st_size for each in files) / 1024
        limit = START + PER_KILOBYTE * size
        taken = seconds(place, to, repeat)
        cells.append(f"{size:.1f} KB: {taken:.2f} s of {limit:.2f} s, {taken / limit:.2f}")
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=7, help="runs of which the median is taken")
    repeat = parser.parse_args().repeat
    print("| what | to MindSpore: size, time, limit, ratio | to torch |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for steps in (False, True):
            kind = "with steps" if steps else "models"
            for size in SIZES:
                path = Path(folder) / f"{'steps' if steps else 'models'}{size}.py"
                path.write_text(source(size, steps=steps))
                print(row(f"{kind}, {size} KB", path, repeat), flush=True)
            tree = Path(folder) / f"tree_{steps}"
            tree.mkdir()
            for number in range(FILES):
                text = source(SIZES[-1] / FILES, steps=steps)
                (tree / f"part{number}.py").write_text(text)
            print(row(f"{kind}, {FILES} files", tree, repeat), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
