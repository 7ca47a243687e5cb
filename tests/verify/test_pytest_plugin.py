"""The fixture `assert_same_cell`, in suites of others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onecell import Weights
from onecell.pytest_plugin import AssertSameCell

from .wrong import reordered, right

SUITE = """
from onecell import Spec, Weights
from onecell.verify.mutation import swap_gates

RIGHT = Weights.random(Spec(5, 4), 0)

def test_same(assert_same_cell):
    assert assert_same_cell(RIGHT, RIGHT, steps=5).verdict == "same bits"

def test_swapped(assert_same_cell):
    assert_same_cell(RIGHT, swap_gates(RIGHT, "i", "g"), steps=5)
"""


def test_the_same_cell_passes_and_is_returned(assert_same_cell: AssertSameCell) -> None:
    assert assert_same_cell(right(), right(), steps=5).holds


def test_another_cell_fails_with_the_diagnosis(assert_same_cell: AssertSameCell) -> None:
    wrong = reordered(right(), (0, 3, 2, 1))
    with pytest.raises(pytest.fail.Exception, match="not the same cell: gates f and o are swapped"):
        assert_same_cell(right(), wrong, steps=5)


def test_what_cannot_fail_is_not_passed(assert_same_cell: AssertSameCell) -> None:
    shut = Weights(*(1e6 * array for array in right().arrays().values()))
    with pytest.raises(pytest.fail.Exception, match="not proved to be the same cell: not proved: "):
        assert_same_cell(shut, shut, steps=5)


def test_pytest_finds_the_fixture_by_itself(tmp_path: Path) -> None:
    (tmp_path / "test_port.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "1 failed, 1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "not the same cell: gates i and g are swapped" in ran.stdout
    assert "to repeat it: onecell.verify.compare" in ran.stdout


SHOW = """
import sys

def pytest_unconfigure(config):
    assert config.pluginmanager.has_plugin("onecell")
    loaded = {name.split(".")[0] for name in sys.modules} & {"numpy", "torch", "mindspore", "rich"}
    loaded |= {name for name in sys.modules if name.startswith("onecell.")}
    sys.stderr.write(f"loaded: {sorted(loaded)}")
"""


def test_starting_pytest_loads_nothing_but_the_plug_in(tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    (tmp_path / "test_theirs.py").write_text("def test_theirs(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "show", "-p", "no:cacheprovider"]
    command += ["-p", "no:jaxtyping"]  # loads NumPy, where Equinox is installed
    ran = subprocess.run(
        [*command, "test_theirs.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert ran.stderr.endswith("loaded: ['onecell.pytest_plugin']"), ran.stderr
