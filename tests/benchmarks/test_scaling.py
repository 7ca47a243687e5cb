"""docs/en/guides/scaling.md: what it foretells follows from the constants that it gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import scaling

PAGE = (Path(__file__).parents[2] / "docs/en/guides/scaling.md").read_text()
MACHINE = scaling.Machine(
    call=0.20e-6, unit=4.0e-9, rate=231e9, near=93e9, far=32e9, far_together=41e9, caches=16 << 20
)


def rows(columns: int) -> list[list[str]]:
    """Return the rows of numbers of the page's tables that have so many columns."""
    found = [line[1:-1].split("|") for line in PAGE.splitlines() if line.startswith("|")]
    cells = [[cell.strip().rstrip("%") for cell in row] for row in found if len(row) == columns]
    return [row for row in cells if re.fullmatch(r"[\d.]*", row[-1].replace(",", ""))]


def test_the_page_has_these_constants() -> None:
    told = ("0.20 µs", "4.0 ns", "231 GFLOP/s", "p × 93 GB/s", "32 GB/s, at most 41", "16 MiB")
    assert [constant for constant in told if constant not in PAGE] == []


@pytest.mark.parametrize("row", rows(8), ids=lambda row: "-".join(row[:3]))
def test_the_formula_gives_what_the_page_says(row: list[str]) -> None:
    n, i, h = map(int, row[:3])
    assert scaling.step_time(MACHINE, n, i, h) * 1e6 == pytest.approx(float(row[4]), rel=0.02)
    if row[6]:
        both = scaling.step_time(MACHINE, n, i, h, threads=2) * 1e6
        assert both == pytest.approx(float(row[6]), rel=0.02)


def test_training_on_many_machines_follows_from_its_step_and_its_gradient() -> None:
    table = rows(9)
    assert len(table) == 6
    for number, row in enumerate(table):
        units, spent = table[number // 3 * 3][2:4]
        size = scaling.gradient_bytes(int(units), int(units))
        for count, told in zip((2, 8, 64), row[6:], strict=True):
            got = scaling.efficiency(float(spent) / 1e3, size, count, int(row[5]) * 1e9 / 8)
            assert got * 100 == pytest.approx(float(told), abs=0.6)
