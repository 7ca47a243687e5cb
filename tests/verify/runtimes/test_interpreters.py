"""Which Python is asked for a framework: the one that is named, this one, or none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from onecell.dialect import DIALECTS
from onecell.errors import ArgumentError
from onecell.verify.runtimes import Interpreter, find_interpreter, variable
from onecell.verify.runtimes.interpreters import LIBRARIES

NOT_RUN = {"burn", "coreml", "haste", "mxnet", "nam", "numpy", "rtneural"}
"""C++ or Rust programs read three of them, one is the kernel's own; MXNet wants NumPy before 1.24,
haste a CUDA compiler, and Core ML runs on Apple's systems alone."""


def test_every_dialect_has_a_library_or_is_said_to_have_none() -> None:
    assert LIBRARIES.keys() == DIALECTS.keys() - NOT_RUN


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for framework in LIBRARIES:
        monkeypatch.delenv(variable(framework), raising=False)


def test_what_is_installed_here_is_asked_here() -> None:
    assert find_interpreter("torch") == Interpreter(sys.executable, None)


def test_a_python_that_is_named_goes_before_this_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    monkeypatch.setenv("ONECELL_PYTHON_TORCH", str(other))
    # Not what the link leads to: beside the link lie the packages of its environment.
    assert find_interpreter("torch") == Interpreter(str(other), "ONECELL_PYTHON_TORCH")


def test_frameworks_of_one_engine_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONECELL_PYTHON_JAX", sys.executable)
    for framework in ("flax", "flax-nnx", "flax-nnx-optimized", "haiku", "equinox"):
        assert find_interpreter(framework) == Interpreter(sys.executable, "ONECELL_PYTHON_JAX")


def test_none_is_found_where_none_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onecell.verify.sides.is_installed", lambda _: False)
    assert find_interpreter("paddle") is None


def test_a_name_of_no_program_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ONECELL_PYTHON_PADDLE", str(tmp_path / "none"))
    with pytest.raises(ArgumentError, match="`ONECELL_PYTHON_PADDLE` must name a Python"):
        find_interpreter("paddle")


def test_a_framework_of_no_such_name_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="`framework` must be one of torch"):
        find_interpreter("caffe")
