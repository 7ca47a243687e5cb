"""`onecell port`: what it prints, writes and says to the shell."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.verify import GATE_SWAPS, mutation, port
from onecell.verify.mutation import swap_gates
from onecell.weights import Weights

from .conftest import Run

SIDES = ("--sides", "arrays,torch", "--rollout", "20", "--no-report")


def test_a_port_prints_every_quantity_and_holds(run: Run, model: Path, tmp_path: Path) -> None:
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path / "out", *SIDES)
    assert ran.status == 0
    assert ran.err == ""
    for words in (
        "cell  I = 5, H = 4, float32, two biases",
        *("forward", "gradient, 4 steps", "rollout, 20 steps", "after SGD, rate 0.1", "after Adam"),
        *("arrays", "torch", ".ckpt", "limit"),
        *("Carried over: 2 other tensors: head.weight, head.bias", "HOLDS: 1 cell, proved in"),
    ):
        assert words in ran.out, words
    assert ran.out.count("holds\n") == 21
    assert (tmp_path / "out" / "model.ckpt").is_file()
    assert json.loads((tmp_path / "out" / "model.proof.json").read_text())["holds"] is True


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(
    columns: int, run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(tmp_path)
    ran = run("port", model.name, "--to", "mindspore", "--out", "out", *SIDES, "--self-test")
    assert max(map(len, ran.out.splitlines())) <= columns


def test_the_self_test_shows_every_swap(run: Run, model: Path, tmp_path: Path) -> None:
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *SIDES, "--self-test")
    assert ran.status == 0
    assert len(re.findall(r"Self-test, gates . and . swapped: an error of", ran.out)) == 6


def test_a_self_test_that_sees_nothing_fails(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = [mutation.Mutation(each.name, _nearly_the_same) for each in GATE_SWAPS]
    monkeypatch.setattr(mutation, "GATE_SWAPS", blind)
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *SIDES)
    assert ran.status == 1
    assert "still HOLDS" in ran.out
    assert not (tmp_path / "model.ckpt").exists()


def _nearly_the_same(weights: Weights) -> Weights:
    arrays = weights.arrays()
    return Weights(**arrays | {"weight_ih": np.nextafter(arrays["weight_ih"], np.float32(1))})


def test_swapped_gates_in_the_file_fail(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(path: Path, tensors: Mapping[str, np.ndarray], **options: Any) -> None:
        swapped = swap_gates(Weights.from_dialect(tensors, "torch", prefix="cell."), "i", "o")
        wrong = dict(tensors) | swapped.to_dialect("mindspore", prefix="cell.")
        save_checkpoint(path, wrong, **options)

    monkeypatch.setattr(port, "save_checkpoint", save)
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path / "out", *SIDES)
    assert ran.status == 1
    assert "FAILS: 1 of 1 cell" in ran.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.proof.json"]


def test_many_cells_are_one_line_each(run: Run, deep: Path, tmp_path: Path) -> None:
    ran = run("port", deep, "--to", "mindspore", "--out", tmp_path, *SIDES)
    assert ran.status == 0
    assert "(root)[layer 1, reverse]" in ran.out
    assert "weight_hh" not in ran.out
    assert "HOLDS: 4 cells" in ran.out


def test_many_cells_in_full_where_asked(run: Run, deep: Path, tmp_path: Path) -> None:
    ran = run("port", deep, "--to", "mindspore", "--out", tmp_path, *SIDES, "-v")
    assert ran.out.count("rollout, 20 steps") == 4


def test_no_progress_where_nobody_watches(run: Run, deep: Path, tmp_path: Path) -> None:
    assert run("port", deep, "--to", "mindspore", "--out", tmp_path, *SIDES).err == ""


def test_many_cells_show_progress_on_a_terminal(deep: Path, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    words = ["-m", "onecell", "port", str(deep), "--to", "mindspore", *SIDES]
    with (tmp_path / "stdout").open("wb") as stdout:
        process = subprocess.Popen(
            [sys.executable, *words, "--out", str(tmp_path)],
            stdout=stdout,
            stderr=follower,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
        )
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the terminal's other side is closed
        while chunk := os.read(leader, 1 << 16):
            shown += chunk
    os.close(leader)
    assert process.wait(timeout=60) == 0
    assert b"proving" in shown
    assert b"4/4" in shown
    assert b"proving" not in (tmp_path / "stdout").read_bytes()


@pytest.mark.parametrize("form", ["ckpt", "safetensors", "npz"])
def test_the_format_can_be_chosen(form: str, run: Run, model: Path, tmp_path: Path) -> None:
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *SIDES, "--format", form)
    assert ran.status == 0
    assert load_checkpoint(tmp_path / f"model.{form}").format == form


def test_mindspore_to_torch_by_the_real_command_with_every_side(tmp_path: Path) -> None:
    cell = ms.nn.LSTMCell(5, 4)
    ms.save_checkpoint(cell, str(tmp_path / "cell.ckpt"))
    done = subprocess.run(
        [sys.executable, "-m", "onecell", "port", "cell.ckpt", "--to", "torch", "--out", "out"],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "* mindspore: its own tanh is off" in done.stdout
    assert "torch reads the file itself, the same bits." in done.stdout
    report = json.loads((tmp_path / "out" / "cell.proof.json").read_text())
    readings = report["cells"][0]["quantities"][0]["readings"]
    assert [(each["side"], each["file"]) for each in readings] == [
        *(("arrays", "source"), ("mindspore", "source")),
        *(("arrays", "target"), ("torch", "target"), ("onecell.torch", "target")),
    ]


PROJECT = """\
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(5, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h)
"""


@pytest.fixture
def project(model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "model.py").write_text(PROJECT)
    model.rename(folder / "model.pt")
    return folder


def test_a_project_ends_with_one_summary(run: Run, project: Path, tmp_path: Path) -> None:
    ran = run("port", project, "--to", "mindspore", "--out", tmp_path / "out", *SIDES)
    assert ran.status == 0
    summary = ran.out.partition(" port ")[2]
    for words in ("1 of 1 files changed", "model.pt → model.ckpt: 1 cell proved", "exit status 0"):
        assert words in summary, words


def test_a_project_needs_a_folder_to_go_to(run: Run, project: Path) -> None:
    ran = run("port", project, "--to", "mindspore")
    assert ran.status == 2
    assert "a project needs --out DIR" in ran.err


@pytest.mark.parametrize("target", ["onecell", "native"])
def test_the_target_is_passed_on(target: str, run: Run, project: Path, tmp_path: Path) -> None:
    run(
        *("port", project, "--to", "mindspore", "--target", target, "--out", tmp_path / "o"), *SIDES
    )
    text = (tmp_path / "o" / "model.py").read_text()
    assert ("onecell.mindspore" in text) is (target == "onecell")


def test_another_target_is_a_usage_error(run: Run, project: Path, tmp_path: Path) -> None:
    ran = run("port", project, "--to", "mindspore", "--target", "both", "--out", tmp_path / "o")
    assert ran.status == 2
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("spoil", "status", "words"),
    [
        ("a use that is marked", 6, "left to do by hand"),
        ("a file that does not parse", 7, "a source file could not be migrated"),
        ("a checkpoint that is damaged", 3, "a checkpoint could not be ported"),
        ("a proof that fails", 1, "FAILS: a new checkpoint does not compute the same"),
    ],
)
def test_the_exit_status_says_what_became_of_it(
    spoil: str,
    status: int,
    words: str,
    run: Run,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if spoil == "a use that is marked":
        use = "import torch\ncell = torch.nn.LSTMCell(3, 4)\ntorch.fft.fft(cell.weight_ih)\n"
        (project / "more.py").write_text(use)
    elif spoil == "a file that does not parse":
        (project / "more.py").write_text("import torch\nnn.LSTMCell(\n")
    elif spoil == "a checkpoint that is damaged":
        (project / "more.pt").write_bytes(b"PK\x03\x04 no more")
    else:
        blind = [mutation.Mutation(each.name, _nearly_the_same) for each in GATE_SWAPS]
        monkeypatch.setattr(mutation, "GATE_SWAPS", blind)
    ran = run("port", project, "--to", "mindspore", "--out", tmp_path / "out", *SIDES)
    assert ran.status == status
    assert words in " ".join(ran.out.split())
    assert (tmp_path / "out" / "model.py").is_file()


def test_code_without_a_checkpoint_says_that_nothing_is_proved(
    run: Run, project: Path, tmp_path: Path
) -> None:
    ran = run("port", project / "model.py", "--to", "mindspore", "--out", tmp_path / "out")
    assert ran.status == 0
    assert "none found, so nothing is proved" in ran.out
