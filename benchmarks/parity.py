"""Print how far every cell is from the float64 reference, on the same cases, side by side.

The cases are those of `onecell port`'s proof, over several sizes and seeds, float32, weights as
freshly drawn; each figure is the largest absolute error over all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from onecell import Spec, Weights
from onecell.verify.quantities.cases import make_case
from onecell.verify.sides import SIDES, Side

SIZES = [(10, 16), (8, 64), (128, 128), (33, 57)]
SEEDS = range(3)
OURS_AND_THEIRS = ("arrays", "onecell.torch", "onecell.mindspore", "torch", "mindspore")


def results(side: Side, weights: Weights, seed: int) -> dict[str, np.ndarray]:
    """Return everything that a side makes of one case."""
    case = make_case(weights, seed=seed, rollout_steps=50)
    h, c = side.step(case.x[0], case.h, case.c)
    h_all, _ = side.rollout(case.rollout_x, case.h, case.c)
    gradients = side.gradients(case.x, case.h, case.c, case.grad_h_all, case.grad_c_last)
    found = {"h'": h, "c'": c, "h over 50 steps": h_all}
    return found | {f"gradient of {name}": array for name, array in gradients.items()}


def measure() -> dict[str, dict[str, float]]:
    """Return the largest error of every side, by quantity and side."""
    worst: dict[str, dict[str, float]] = {}
    for size, seed in track([(size, seed) for size in SIZES for seed in SEEDS], "comparing"):
        weights = Weights.random(Spec(*size), seed)
        want = results(SIDES["reference"].open(weights), weights, seed)
        for name in OURS_AND_THEIRS:
            got = results(SIDES[name].open(weights), weights, seed)
            for quantity, right in want.items():
                error = float(np.abs(got[quantity] - right).max())
                row = worst.setdefault(quantity, {})
                row[name] = max(row.get(name, 0.0), error)
    return worst


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    out: Path | None = parser.parse_args().json
    os.environ.setdefault("GLOG_v", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onecell.verify.sides.mindspore import take_process  # noqa: PLC0415 - after GLOG_v

        take_process()
        worst = measure()
    table = Table(title="largest absolute error against float64")
    for column in ("", *OURS_AND_THEIRS):
        table.add_column(column, justify="right" if column else "left")
    for quantity, row in worst.items():
        cells = [f"{row[name]:.1e}" for name in OURS_AND_THEIRS]
        table.add_row(quantity, *cells)
    Console().print(table)
    if out is not None:
        out.write_text(json.dumps(worst))


if __name__ == "__main__":
    main()
