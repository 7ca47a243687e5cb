"""The program that a reader sees is whole: saved to a file, it prints the answer of the table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onecell.errors import ArgumentError
from onecell.verify.difference import Table, choose_rows
from onecell.verify.difference.claims import both, unasked
from onecell.verify.difference.programs import Probe, program
from onecell.verify.difference.row import ROWS, Row, row

TEXT = ("text", "文字")


@pytest.mark.parametrize("name", ["bias-name", "example-1", "gradients"])
@pytest.mark.parametrize("side", ["torch", "onecell.torch"])
def test_a_program_prints_the_answer(name: str, side: str, table: Table, tmp_path: Path) -> None:
    finding = table.get(name)
    assert finding is not None
    path = tmp_path / "shown.py"
    path.write_text(finding.code[side], encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    answer = finding.of(side)
    assert answer is not None
    assert done.stdout == f"{answer.value}\n"


@pytest.mark.parametrize("made", choose_rows(), ids=lambda made: made.id)
def test_programs_differ_by_side_and_compile(made: Row) -> None:
    for side in made.sides:
        text = made.program(side)
        compile(text, side, "exec")
        assert "noqa" not in text
        if "LSTMCell(" in text:
            framework = side.removeprefix("onecell.")
            module = f"{framework}.nn" if side == framework else side
            assert f"from {module} import LSTMCell\n" in text


def several_returns(LSTMCell: object) -> object:  # noqa: N803
    if LSTMCell:
        return 1
    return 2


def unknown_parameter(cell: object) -> object:
    return cell


def no_answer() -> None:
    print(1)


@pytest.mark.parametrize("probe", [several_returns, unknown_parameter, no_answer])
def test_a_probe_that_is_no_program_is_refused(probe: Probe) -> None:
    with pytest.raises(ArgumentError):
        program(probe, "torch")


def test_a_name_is_given_once() -> None:
    with pytest.raises(ArgumentError, match="again"):
        row(
            next(iter(ROWS)),
            "states",
            sources="",
            matter=TEXT,
            claim=both(*TEXT, 1),
            onecell=unasked(*TEXT),
        )


def test_a_section_must_exist() -> None:
    with pytest.raises(ArgumentError, match="section"):
        row(
            "new",
            "elsewhere",
            sources="",
            matter=TEXT,
            claim=both(*TEXT, 1),
            onecell=unasked(*TEXT),
        )


def test_unknown_rows_are_refused_by_name() -> None:
    with pytest.raises(ArgumentError, match="no-such-row"):
        choose_rows(["no-such-row"])


def test_importing_the_table_loads_no_framework() -> None:
    code = (
        "import sys, onecell.verify.difference\n"
        "assert not {'torch', 'mindspore', 'jinja2', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
