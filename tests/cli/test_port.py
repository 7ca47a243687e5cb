"""`onecell port`: what it prints, writes and says to the shell."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
import torch

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.cli.exits import Status
from onecell.spec import Spec
from onecell.verify import GATE_SWAPS, mutation, port
from onecell.verify.mutants import MUTANTS
from onecell.verify.mutation import swap_gates
from onecell.weights import Weights

from .conftest import Run

SIDES = ("--sides", "arrays,torch", "--rollout", "20", "--no-report")


def test_a_port_prints_every_quantity_and_holds(run: Run, model: Path, tmp_path: Path) -> None:
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path / "out", *SIDES, "-v")
    assert ran.status == 0
    assert ran.err == ""
    for words in (
        "cell  I = 5, H = 4, float32, two biases",
        *("forward", "gradient, 4 steps", "rollout, 20 steps", "3 steps of SGD", "3 steps of Adam"),
        *("arrays", "torch", ".ckpt", "limit"),
        "Copied bit for bit, not proved: 2 other tensors: head.weight, head.bias",
        "HOLDS: 1 cell (4 of 6 tensors) proved in",
        "2 tensors copied bit for bit, not proved.",
    ):
        assert words in ran.out, words
    assert ran.out.count("holds\n") == 25
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
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *SIDES, "--self-test", "-v")
    assert ran.status == 0
    count = len(GATE_SWAPS) + len(MUTANTS)
    said = " ".join(ran.out.split())
    assert f"Self-test: {count} of {count} mistakes made on purpose are seen: 6 about" in said


def test_a_self_test_that_sees_nothing_fails(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = [mutation.Mutation(each.name, _nearly_the_same) for each in GATE_SWAPS]
    monkeypatch.setattr(mutation, "GATE_SWAPS", blind)
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *SIDES)
    assert ran.status == 1
    assert "the proof does NOT SEE" in ran.out
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


def test_every_step_is_shown_on_a_terminal(deep: Path, tmp_path: Path) -> None:
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
    assert process.wait(timeout=300) == 0
    assert b"proving" in shown
    assert b"20/20" in shown
    assert b"torch" in shown
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
    for words in (
        "1 of 1 files changed",
        "model.pt → model.ckpt: HOLDS: 1 cell (",
        "exit status 0",
    ):
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
        ("a proof that fails", 1, "FAILS: a new checkpoint is not proved to compute the same"),
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


def test_tensors_to_be_named_by_hand_are_named(run: Run, project: Path, tmp_path: Path) -> None:
    (project / "model.py").write_text("from torch import nn\ncell = nn.LSTMCell(3, 4)\n")
    torch.save(
        torch.nn.ModuleDict(
            {"cell": torch.nn.LSTMCell(5, 4), "n": torch.nn.LayerNorm(4)}
        ).state_dict(),
        project / "best.pt",
    )
    ran = run("port", project, "--to", "mindspore", "--out", tmp_path / "out", *SIDES)
    assert ran.status == Status.LEFT
    assert "To be named by hand, the code does not tell the layer: n.weight, n.bias" in ran.out
    assert "LEFT: 2 tensors to be named by hand (exit status 6)" in " ".join(ran.out.split())
    assert "Without the code" not in ran.out


def test_code_without_a_checkpoint_says_that_nothing_is_proved(
    run: Run, project: Path, tmp_path: Path
) -> None:
    ran = run("port", project / "model.py", "--to", "mindspore", "--out", tmp_path / "out")
    assert (ran.status, int(Status.UNPROVED)) == (15, 15)
    assert "none found, so nothing is proved" in ran.out
    assert "UNPROVED: ported, nothing of torch left" in ran.out


def test_nothing_to_do_has_a_status_and_writes_nothing(
    run: Run, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "plain.py").write_text("import sys\n")
    out = tmp_path / "out"
    ran = run("port", tmp_path / "bare", "--to", "mindspore", "--out", out)
    assert (ran.status, int(Status.NOTHING)) == (14, 14)
    assert "NOTHING: nothing of torch is in it; nothing was written (exit status 14)" in ran.out
    ran = run("port", model, "--to", "torch", "--out", out)
    assert ran.status == Status.NOTHING
    assert "nothing to port" in ran.err
    assert not out.exists()


def test_what_a_project_still_uses_is_named(run: Run, project: Path, tmp_path: Path) -> None:
    (project / "apart.py").write_text("import torch\nx = torch.load('x')\n")
    (project / "requirements.txt").write_text("torch\n")
    words = ("port", project, "--to", "mindspore", "--out", tmp_path / "out", *SIDES)
    ran = run(*words)
    assert ran.status == Status.LEFT
    assert "apart.py: still torch: torch.load (line 2), import torch (line 1)\n" in ran.out
    summary = " ".join(ran.out.partition(" port ")[2].split())
    assert "still torch apart.py" in summary
    assert "asks for torch requirements.txt: torch (line 1)" in summary
    assert "LEFT: 1 file still torch, 1 file asking for torch (exit status 6)" in summary
    told = json.loads(run(*words, "--force", "--json").out)
    assert (told["verdict"], told["status"]) == ("LEFT", 6)
    assert told["required"][0]["packages"] == [{"name": "torch", "line": 1}]
    assert told["code"]["counts"]["remaining"] == 1
    assert told["checkpoints"][0]["proof"]["holds"] is True


def test_json_of_one_checkpoint_is_its_proof_and_what_it_comes_to(
    run: Run, model: Path, tmp_path: Path
) -> None:
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path / "out", *SIDES, "--json")
    told = json.loads(ran.out)
    assert (told["verdict"], told["status"], ran.status) == ("HOLDS", 0, 0)
    assert told["tensors"]["proved"] == 4


def test_numbers_that_are_not_finite_are_named_once(run: Run, tmp_path: Path) -> None:
    weights = Weights.random(Spec(5, 4), 0)
    weights.weight_hh[3, 2] = np.nan
    save_checkpoint(tmp_path / "nan.pt", weights.arrays())
    ran = run("port", tmp_path / "nan.pt", "--to", "mindspore", "--out", tmp_path / "out")
    assert ran.status == Status.NOT_FINITE
    assert (
        "`weight_hh` holds 1 of 64 numbers that are not finite, the first at [3, 2]: nan" in ran.out
    )
    assert ran.out.count("nan.") == 1 + ran.out.count("nan.proof") + ran.out.count("nan.report")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "nan.proof.json",
        "nan.report.html",
    ]


def test_no_list_of_names_is_cut_without_a_count(run: Run, tmp_path: Path) -> None:
    arrays = Weights.random(Spec(5, 4), 0).arrays()
    arrays |= {f"other.{n}": np.ones(1, np.float32) for n in range(30)}
    texts = {f"word{n}": "x" for n in range(30)}
    save_checkpoint(tmp_path / "m.safetensors", arrays, dialect="mindspore", metadata=texts)
    words = ("port", tmp_path / "m.safetensors", "--to", "torch", *SIDES[:-1], "--no-report")
    said = " ".join(run(*words, "--out", tmp_path / "a").out.split())
    assert "Copied bit for bit, not proved: 30 other tensors: other.0, " in said
    assert "other.7 and 22 more" in said
    assert "word7 and 22 more" in said
    said = " ".join(run(*words, "--out", tmp_path / "b", "-v").out.split())
    assert "other.29 " in said
    assert "word29 " in said


def test_a_type_that_the_result_cannot_compute_in_is_one_line(run: Run, tmp_path: Path) -> None:
    weights = Weights.random(Spec(5, 4), 0).astype("float64")
    save_checkpoint(tmp_path / "f.pt", weights.arrays())
    words = ("port", tmp_path / "f.pt", "--to", "mindspore", "--no-report", "--rollout", "3")
    ran = run(*words, "--out", tmp_path / "a", "--target", "native")
    assert ran.status == Status.FAILS
    assert "mindspore does not compute in float64, which 1 cell would run in." in ran.out
    ran = run(*words, "--out", tmp_path / "b")
    assert ran.status == Status.HOLDS
    assert "does not compute in float64; the result runs on onecell.mindspore." in ran.out


def test_what_stands_beside_a_cell_is_said_on_the_terminal_in_the_json_and_on_the_page(
    run: Run, tmp_path: Path
) -> None:
    state = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(5, 4)}).state_dict()
    state |= {"cell.ln_i.weight": torch.ones(4), "half.weight_ih": torch.ones(2)}
    torch.save(state, tmp_path / "ln.pt")
    words = [word for word in SIDES if word != "--no-report"]
    ran = run("port", tmp_path / "ln.pt", "--to", "mindspore", "--out", tmp_path, *words)
    assert ran.status == 0
    said = "something else stands there, cell.ln_i.weight: this may not be a plain LSTM cell"
    out = " ".join(ran.out.split())
    assert f"note: cell: {said}" in out
    assert "note: half: half a cell: `half.weight_hh` is missing" in out
    report = json.loads((tmp_path / "ln.proof.json").read_text())
    assert {"name": "cell", "kind": "beside", "text": said} in report["notes"]
    assert "with a cell's names, and by its shapes none: half; with something else beside" in out
    page = (tmp_path / "ln.report.html").read_text()
    assert said in page
    assert "half.weight_hh" in page


def _broken(kind: str) -> dict[str, torch.Tensor]:
    state = {f"odd.{n}": t for n, t in torch.nn.LSTMCell(3, 5).state_dict().items()}
    if kind == "half a cell":
        del state["odd.weight_hh"]
    elif kind == "one bias":
        del state["odd.bias_ih"]
    elif kind == "mixed types":
        state["odd.weight_hh"] = state["odd.weight_hh"].half()
    elif kind == "whole numbers":
        state["odd.weight_hh"] = state["odd.weight_hh"].to(torch.int8)
    elif kind == "five gates":
        state["odd.weight_hh"] = torch.ones(25, 5)
    else:
        state = {f"odd.{n}": t for n, t in torch.nn.GRUCell(3, 5).state_dict().items()}
    return state


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("half a cell", "UNPROVED"),
        ("one bias", "UNPROVED"),
        ("mixed types", "UNPROVED"),
        ("whole numbers", "UNPROVED"),
        ("five gates", "HOLDS"),
        ("a GRU", "HOLDS"),
    ],
)
def test_what_has_the_names_of_a_cell_and_is_none_is_in_the_verdict(
    kind: str, verdict: str, run: Run, model: Path, tmp_path: Path
) -> None:
    torch.save(torch.load(model) | _broken(kind), model)
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path / "o", *SIDES, "--json")
    told = json.loads(ran.out)
    assert (told["verdict"], ran.status) == (verdict, Status[verdict])
    assert told["holds"] is (verdict == "HOLDS")
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path / "p", *SIDES)
    line = " ".join(ran.out[ran.out.index(f"{verdict}: ") :].split())
    assert "odd" in line
    assert (tmp_path / "p" / "model.ckpt").is_file()


def test_a_cell_on_which_a_family_proves_nothing_is_not_proved(
    run: Run, model: Path, tmp_path: Path
) -> None:
    torch.save({name: 1e6 * array for name, array in torch.load(model).items()}, model)
    words = [word for word in SIDES if word != "--no-report"]
    ran = run("port", model, "--to", "mindspore", "--out", tmp_path, *words)
    assert ran.status == Status.UNPROVED
    line = " ".join(ran.out.split())
    assert "UNPROVED: 0 of 1 cell (0 of 6 tensors) proved" in line
    assert "not proved: cell: its forward, " in line
    assert "gradient of the parameters" in line
    assert "quantities prove nothing" in line
    assert json.loads((tmp_path / "model.proof.json").read_text())["holds"] is False
    page = (tmp_path / "model.report.html").read_text()
    assert "Not proved" in page
    assert "未证明" in page
    assert "参数的梯度" in page


def test_what_is_not_chosen_is_neither_ported_nor_proved(
    run: Run, deep: Path, tmp_path: Path
) -> None:
    ran = run(
        *("port", deep, "--to", "mindspore", "--out", tmp_path, *SIDES),
        *("--drop", "(root)[layer 1]", "--drop", "*_reverse"),
    )
    assert ran.status == 0
    assert "HOLDS: 1 cell" in ran.out
    assert "Left out, as asked: weight_ih_l0_reverse" in ran.out
    assert "weight_ih_l1" not in load_checkpoint(tmp_path / "deep.ckpt").tensors


def test_a_project_has_no_tensors_to_choose(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\n")
    ran = run(
        *("port", model, tmp_path / "a.py", "--to", "mindspore", "--out", tmp_path / "o"),
        *("--only", "cell"),
    )
    assert ran.status == 2
    assert "choose from one checkpoint" in ran.err
