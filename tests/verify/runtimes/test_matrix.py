"""A port from every runtime to every other, through files, proved on both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.checkpoint.conversion import convert
from onecell.dialect import get_dialect
from onecell.spec import Spec
from onecell.verify import compare
from onecell.verify.comparing.cells_of_file import read_cells
from onecell.verify.runtimes.table import RUNTIMES
from onecell.weights import Weights

SIDES = ("torch", "mindspore", *RUNTIMES)


def proved(source: str, target: str, folder: Path) -> tuple[float, float, bool | None]:
    """Port a cell; return the largest error in limits, of a step, and whether it kept its bits."""
    drawn = Weights.random(Spec(5, 6, dtype=np.dtype("float32")), 7)
    # One bias: with two, what one alone cannot keep is no matter of how it is computed.
    weights = Weights(**drawn.arrays() | {"bias_hh": np.zeros_like(drawn.bias_hh)})
    first = folder / f"{source}{get_dialect(source).suffix}"
    second = folder / f"to_{target}{get_dialect(target).suffix}"
    save_checkpoint(first, weights.to_dialect(source, prefix="cell."), dialect=source, force=True)
    ported = convert(load_checkpoint(first).tensors, source, target).tensors
    save_checkpoint(second, ported, dialect=target)
    found = compare(read_cells(first, source), read_cells(second, target), steps=50)
    assert found.holds, found.diagnosis.text()
    for party, name in ((found.a, source), (found.b, target)):
        assert name in party.computed_by
    own = [r for q in found.quantities for r in q.readings if r.side in {source, target}]
    forward = [r.error for q in found.quantities if q.family == "forward" for r in q.readings]
    return max(r.excess for r in own), max(forward), found.same_bits


@pytest.mark.slow
@pytest.mark.parametrize("source", SIDES)
def test_a_port_from_each_runtime_to_each_is_proved_on_both(source: str, tmp_path: Path) -> None:
    for target in SIDES:
        if target != source:
            proved(source, target, tmp_path)
