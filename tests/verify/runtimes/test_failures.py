"""A runtime that is not there, refuses, crashes or hangs: said in a line, and never "the same"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from onecell import Weights
from onecell.checkpoint import save_checkpoint
from onecell.errors import NotACellError, RuntimeMissingError
from onecell.spec import Spec
from onecell.verify import compare, compare_files
from onecell.verify.child import Child
from onecell.verify.comparing.comparison_record import comparison_to_json
from onecell.verify.runtimes import side
from onecell.verify.runtimes.table import RUNTIMES, Runtime

PROGRAM = """
import numpy as np

def load(dialect):
    {load}
    return "a framework 1.0"

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

class Cell:
    def __init__(self, dialect, arrays, dtype):
        self.held = arrays
        {open}

    def step(self, x, h, c):
        {step}
        z = x @ self.held["kernel"] + h @ self.held["recurrent_kernel"] + self.held["bias"]
        i, f, g, o = np.split(z, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def gradients(self, *given):
        raise NotImplementedError("not today")
"""

Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Install]:
    """Put a program of NumPy alone in the place of Keras; its parts may be made to fail."""
    children: dict[tuple[str, ...], object] = {}
    monkeypatch.setattr(side, "_CHILDREN", children)
    monkeypatch.delenv("ONECELL_PYTHON_KERAS", raising=False)

    def put(load: str = "pass", open: str = "pass", step: str = "pass") -> None:  # noqa: A002
        program = tmp_path / "keras_cell.py"
        program.write_text(PROGRAM.format(load=load, open=open, step=step))
        reasons = {"float32": "not here"}
        row = replace(RUNTIMES["keras"], library="json", program=str(program), no_gradients=reasons)
        monkeypatch.setitem(cast("dict[str, Runtime]", RUNTIMES), "keras", row)

    yield put
    for child in children.values():
        cast("Child", child).close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A cell in a file of Keras'."""
    drawn = Weights.random(Spec(3, 4, dtype=np.dtype("float32")), 5)
    path = tmp_path / "a.weights.h5"
    save_checkpoint(path, drawn.to_dialect("keras", prefix="cell."), dialect="keras")
    return path


def test_a_program_that_answers_is_a_side_and_is_named(install: Install, file: Path) -> None:
    install()
    found = compare(file, file, steps=5)
    assert found.holds
    assert found.a.computed_by == {"arrays": "", "keras": "a framework 1.0"}
    told = comparison_to_json(found)["b"]
    assert (told["computed_by"], told["alone"]) == (dict(found.b.computed_by), None)
    assert found.left_out["a: keras: sgd"] == "its optimizers are not run"


def test_a_framework_that_does_not_load_is_named_and_the_kernel_stands_alone(
    install: Install, file: Path
) -> None:
    install(load="raise OSError('libengine.so: no such file')")
    found = compare(file, file, steps=5)
    assert found.holds
    assert found.a.computed_by == {"arrays": ""}
    assert found.a.alone == "does not load: OSError: libengine.so: no such file"
    with pytest.raises(RuntimeMissingError, match="`keras` cannot be asked: does not load"):
        compare(file, file, steps=5, sides=["keras"])


def test_a_framework_that_crashes_while_it_loads_is_named(install: Install, file: Path) -> None:
    install(load="import os; os.abort()")
    assert compare(file, file, steps=5).a.alone == "ends its process while it loads (SIGABRT)"


def test_a_framework_that_is_not_installed_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.delenv("ONECELL_PYTHON_KERAS", raising=False)
    monkeypatch.setattr("onecell.verify.sides.is_installed", lambda name: name != "keras")
    found = compare_files(file, file, steps=5).cells[0]
    why = "`keras` is not installed, and ONECELL_PYTHON_KERAS names no Python that has it"
    assert (found.a.alone, found.left_out["b: keras"]) == (why, why)
    with pytest.raises(RuntimeMissingError, match="ONECELL_PYTHON_KERAS"):
        compare(file, file, steps=5, sides=["keras"])


@pytest.mark.parametrize(
    ("part", "code", "says"),
    [
        ("step", "import os; os.abort()", r"its process ends \(SIGABRT\)"),
        ("step", "import os; os._exit(0)", r"its process ends \(exit 0\)"),
        ("step", "raise RuntimeError('no such operator')", "RuntimeError: no such operator"),
        ("open", "raise ValueError('shapes differ')", "ValueError: shapes differ"),
        ("step", "while True: pass", "it does not answer within 1 s"),
    ],
)
def test_a_framework_that_fails_on_the_cell_is_an_error_and_not_left_out(
    part: str,
    code: str,
    says: str,
    install: Install,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(side, "LIMIT", 1.0)
    install(**{part: code})
    with pytest.raises(NotACellError, match=f"keras does not compute this cell: {says}"):
        compare(file, file, steps=5)


def test_after_a_crash_the_next_question_finds_the_weights_again(
    install: Install, file: Path
) -> None:
    install(step="import os; (x > 5).all() and os.abort()")
    weights = Weights.random(Spec(3, 4, dtype=np.dtype("float32")), 5)
    opened = side.open_runtime("keras", weights)
    x, h, c = (np.ones((2, width), np.float32) for width in (3, 4, 4))
    before = opened.step(x, h, c)
    with pytest.raises(NotACellError, match="SIGABRT"):
        opened.step(9 * x, h, c)
    assert np.array_equal(opened.step(x, h, c)[0], before[0])
