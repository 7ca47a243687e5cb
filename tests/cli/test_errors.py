"""Every error is one line on stderr and one documented status; a traceback only on demand."""

from __future__ import annotations

import errno
import os
import pickle
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from onecell.cli import port as port_verb
from onecell.cli.exits import Status, explain
from onecell.errors import EXTRAS, ShapeError

from .conftest import Run

TO = ("--to", "mindspore", "--sides", "arrays", "--rollout", "5")


def _one_line(text: str) -> bool:
    return text.startswith("onecell: ") and text.count("\n") == 1 and text.endswith("\n")


class _Attack:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch attacked",)


def _bad_file(kind: str, path: Path) -> None:
    if kind == "pickle":
        path.write_bytes(pickle.dumps(_Attack()))
    elif kind == "truncated":
        torch.save(torch.nn.LSTMCell(5, 4).state_dict(), path)
        path.write_bytes(path.read_bytes()[:-200])
    elif kind == "garbage":
        path.write_bytes(b"no checkpoint at all")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "half a cell":
        state = torch.nn.LSTMCell(5, 4).state_dict()
        del state["weight_hh"]
        torch.save(state, path)
    elif kind == "no cell":
        torch.save(torch.nn.Linear(3, 2).state_dict(), path)


@pytest.mark.parametrize(
    "kind",
    ["missing", "pickle", "truncated", "garbage", "empty", "half a cell", "no cell"],
)
def test_a_bad_input_is_status_3(
    kind: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _bad_file(kind, tmp_path / "model.pt")
    ran = run("port", "model.pt", *TO, "--out", "out")
    assert ran.status == Status.INPUT
    assert _one_line(ran.err), ran.err
    assert "model.pt" in ran.err
    assert ran.out == ""
    assert not Path("attacked").exists()
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["prt"],
        ["port"],
        ["port", "model.pt"],
        ["port", "model.pt", "--to", "keras"],
        ["port", "model.pt", "--to", "mindspore", "--from", "keras"],
        ["port", "model.pt", "--to", "mindspore", "--format", "h5"],
        ["port", "model.pt", "--to", "mindspore", "--sides", "jax"],
        ["port", "model.pt", "--to", "mindspore", "--rollout", "0"],
        ["port", "model.pt", "--to", "mindspore", "--format", "pt"],
        ["port", "model.pt", "--to", "mindspore", "--unknown"],
        ["convert", "model.pt"],
        ["convert", "model.pt", "model.xyz"],
        ["convert", "model.pt", "model.ckpt", "--to", "torch"],
    ],
    ids=" ".join,
)
def test_a_bad_command_line_is_status_2(
    words: list[str], run: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    ran = run(*words)
    assert ran.status == Status.USAGE
    assert ran.err
    assert not list(model.parent.glob("*.ckpt"))


def test_an_existing_result_is_status_4(run: Run, model: Path, tmp_path: Path) -> None:
    assert run("port", model, *TO, "--out", tmp_path).status == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    ran = run("port", model, *TO, "--out", tmp_path)
    assert ran.status == Status.OUTPUT
    assert _one_line(ran.err)
    assert "--force" in ran.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert run("port", model, *TO, "--out", tmp_path, "--force").status == 0


def test_a_folder_that_cannot_be_made_is_status_4(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    ran = run("port", model, *TO, "--out", tmp_path / "file" / "out")
    assert ran.status == Status.OUTPUT
    assert _one_line(ran.err)


def test_a_folder_where_nothing_can_be_made_is_status_4(run: Run, model: Path) -> None:
    """In /proc nobody may write, not even root."""
    ran = run("port", model, *TO, "--out", "/proc/onecell")
    assert ran.status == Status.OUTPUT
    assert _one_line(ran.err)


def test_a_full_disk_is_status_4_and_leaves_nothing(model: Path, tmp_path: Path) -> None:
    limit = 1000  # bytes a file; the checkpoint needs more

    def before() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    words = [sys.executable, "-m", "onecell", "port", str(model), *TO, "--out", "out"]
    done = subprocess.run(
        words, cwd=tmp_path, preexec_fn=before, capture_output=True, text=True, check=False
    )
    assert done.returncode == Status.OUTPUT, done.stderr
    assert _one_line(done.stderr)
    assert os.strerror(errno.EFBIG) in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_missing_framework_that_was_asked_for_is_status_5(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onecell.verify.sides.is_installed", lambda _: False)
    ran = run("port", model, "--to", "mindspore", "--sides", "arrays,torch", "--out", tmp_path)
    assert ran.status == Status.MISSING
    assert "pip install 'onecell[torch]'" in ran.err


HIDE = """
import sys
from importlib.machinery import PathFinder

find = PathFinder.find_spec

def find_others(name, path=None, target=None):
    return None if name.split(".")[0] == {library!r} else find(name, path, target)

PathFinder.find_spec = find_others
from onecell.cli import main
main(sys.argv[1:])
"""
NEEDS = {
    "typer": ["info"],
    "rich": ["info"],
    "threadpoolctl": ["verify", "model.pt", "model.pt", "--sides", "arrays"],
    "libcst": ["port", "project", *TO, "--out", "out"],
    "pathspec": ["port", "project", *TO, "--out", "out"],
    "jinja2": ["verify", "model.pt", "model.pt", "--report", "a.html"],
    "matplotlib": ["verify", "model.pt", "model.pt", "--report", "a.html"],
    "h5py": ["convert", "model.pt", "a.weights.h5", "--merge-biases"],
}
"""Library → a call that cannot do without it."""


def _hide(library: str, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    code = HIDE.format(library=library)
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


@pytest.mark.parametrize("library", NEEDS)
def test_without_a_library_the_command_names_its_extra(library: str, model: Path) -> None:
    (model.parent / "project").mkdir()
    (model.parent / "project/a.py").write_text("from torch import nn\nc = nn.LSTMCell(3, 4)\n")
    done = _hide(library, NEEDS[library], model.parent)
    assert done.returncode == Status.MISSING, done.stderr
    assert _one_line(done.stderr), done.stderr
    assert f"needs `{library}`, which is not installed" in done.stderr
    assert f"pip install 'onecell[{EXTRAS[library]}]'" in done.stderr


def test_every_library_of_an_extra_is_known_by_it() -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    told = {
        re.split(r"[>=<]", need)[0]: extra
        for extra in ("torch", "mindspore", "cli", "h5", "migrate", "report")
        for need in extras[extra]
    }
    assert told == EXTRAS
    assert extras["all"] == ["onecell[cli,h5,migrate,report]"]
    assert NEEDS.keys() == EXTRAS.keys() - {"torch", "mindspore"}


@pytest.mark.parametrize(
    "setting", [{"ONECELL_ISA": "abacus"}, {"ONECELL_NUM_THREADS": "many"}], ids=str
)
@pytest.mark.parametrize(
    "words", [["info"], ["convert", "model.pt", "a.ckpt"], ["--help"]], ids=str
)
def test_a_setting_of_the_environment_that_is_wrong_is_one_line(
    words: list[str], setting: dict[str, str], model: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "onecell", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=model.parent,
        env={**os.environ, **setting},
    )
    (name,) = setting
    assert done.returncode == Status.USAGE
    assert _one_line(done.stderr), done.stderr
    assert f"onecell: {name} must be" in done.stderr


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _break(*_: object, **__: object) -> None:
    raise ZeroDivisionError("one by none")


def test_an_interrupt_is_status_130(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_verb, "carry_out", _interrupt)
    ran = run("port", model, *TO, "--out", tmp_path)
    assert ran.status == Status.INTERRUPTED
    assert "Traceback" not in ran.err


def test_a_mistake_of_ours_is_status_70_without_a_traceback(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_verb, "carry_out", _break)
    ran = run("port", model, *TO, "--out", tmp_path)
    assert ran.status == Status.INTERNAL
    assert _one_line(ran.err)
    assert "ZeroDivisionError: one by none" in ran.err


def test_debug_lets_the_error_out(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_verb, "carry_out", _break)
    with pytest.raises(ZeroDivisionError):
        run("port", model, *TO, "--out", tmp_path, "--debug")


def test_a_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m onecell info --json | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_what_is_printed_cannot_steer_a_terminal(run: Run, tmp_path: Path) -> None:
    state = torch.nn.LSTMCell(5, 4).state_dict()
    state["evil\x1b[2J[red]\n"] = torch.zeros(1)
    torch.save(state, tmp_path / "model.pt")
    ran = run("port", tmp_path / "model.pt", *TO, "--out", tmp_path)
    assert ran.status == 0
    assert "evil\\x1b[2J[red]" in ran.out
    assert "\x1b" not in ran.out


def test_shape_errors_are_usage() -> None:
    assert explain(ShapeError("`x` is wrong."))[0] == Status.USAGE
