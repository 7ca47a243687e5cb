"""Tables in terminals of any width: numbers, and names that are to be typed, are never broken."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from onecell.cli.diff_table import print_table
from onecell.cli.migrate_table import print_migration
from onecell.cli.quantities import new_table
from onecell.migrate import migrate_paths
from onecell.verify.difference import stored_table

from .conftest import Run

WIDTHS = [40, 60, 80, 100, 160]
TO = ("--to", "mindspore", "--sides", "arrays,reference", "--rollout", "5", "--no-report")


def page(width: int, *, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, force_terminal=terminal)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_and_names_are_whole_at_every_width(width: int) -> None:
    table = new_table("largest error in")
    names = [f"side-{number}" for number in range(7)]
    for name in names:
        table.add_column(f"{name}\n.ckpt", justify="right")
    table.add_column("")
    numbers = [[f"{row + 1}.{column}e-0{column}" for column in range(7)] for row in range(3)]
    for row, each in enumerate(numbers):
        table.add_row(f"  quantity-{row}", *each, "holds")
    console = page(width)
    console.print(table)
    lines = text(console).splitlines()
    words = text(console).split()
    assert all(len(line) <= width for line in lines)
    assert all(words.count(number) == 1 for each in numbers for number in each)
    assert words.count("holds") == 3
    assert all(words.count(name) == 1 for name in names)
    # A row's numbers stand beside its name, in whichever of the tables.
    for row, each in enumerate(numbers):
        beside = [line for line in lines if f"quantity-{row}" in line]
        assert [word for line in beside for word in line.split()[1:]] == [*each, "holds"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_ids_of_the_difference_table_are_whole(width: int, language: str) -> None:
    table = stored_table()
    console = page(width)
    print_table(table, console, "zh" if language == "zh" else "en")
    words = text(console).split()
    assert [each.id for each in table.findings if each.id not in words] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_places_of_a_migration_are_whole(width: int, tmp_path: Path) -> None:
    source = tmp_path / "a_module_with_a_name.py"
    source.write_text("from torch import nn\n\ncell = nn.LSTMCell(3, 4)\n")
    done = migrate_paths([source], to="mindspore")
    console = page(width, terminal=True)
    print_migration(done, console, written=None, check=False)
    assert f"{source}:3" in text(console)


def test_a_proof_is_one_row_a_cell_and_all_of_it_on_demand(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = run("port", model, *TO, "--out", tmp_path / "a").out
    assert "steps of Adam" not in short
    assert [line.split()[-1] for line in short.splitlines() if line.startswith("cell ")][1:] == [
        "holds"
    ]
    monkeypatch.setenv("COLUMNS", "40")
    full = run("port", model, *TO, "--out", tmp_path / "b", "-v").out
    assert "steps of Adam" in full
    assert "…" not in full
    assert all(len(line) <= 40 for line in full.splitlines() if "e-" in line)
