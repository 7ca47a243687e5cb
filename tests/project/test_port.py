"""A project is ported whole: code, checkpoints under their new names, and what belongs to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onecell import LSTMCell
from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.errors import ArgumentError, OutputExistsError, SourceError
from onecell.migrate.run.folders import SUFFIXES
from onecell.project import ProjectPort, Verdict, carry_out_project, plan_project
from onecell.project.find import SOURCES, find


def port(*paths: Path, out: Path, **options: Any) -> ProjectPort:
    plan = plan_project(paths, "mindspore", out, sides=["arrays"], **options)
    return carry_out_project(plan, rollout_steps=5)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_everything_arrives_in_its_place(project: Path, tmp_path: Path) -> None:
    done = port(project, out=tmp_path / "out")
    assert files(tmp_path / "out") == {
        *("model.py", "words.txt", "weights/best.ckpt", "weights/best.proof.json"),
    }
    assert done.copied == (Path("words.txt"),)
    assert done.holds


def test_the_code_is_for_the_other_framework(project: Path, tmp_path: Path) -> None:
    port(project, out=tmp_path / "out")
    text = (tmp_path / "out" / "model.py").read_text()
    assert "mindspore" in text
    compile(text, "model.py", "exec")


def test_parameters_have_the_names_of_the_other_framework_and_the_same_bits(
    project: Path, tmp_path: Path
) -> None:
    port(project, out=tmp_path / "out")
    old = torch.load(project / "weights" / "best.pt", weights_only=True)
    new = load_checkpoint(tmp_path / "out" / "weights" / "best.ckpt").tensors
    called = {"table.weight": "table.embedding_table", "norm.weight": "norm.gamma"}
    called |= {"norm.bias": "norm.beta"}
    assert {called.get(name, name) for name in old} == new.keys()
    for name, tensor in old.items():
        assert tensor.numpy().tobytes() == new[called.get(name, name)].tobytes()


def test_every_cell_is_proved(project: Path, tmp_path: Path) -> None:
    (checkpoint,) = port(project, out=tmp_path / "out").checkpoints
    assert checkpoint.proof is not None
    assert [cell.name for cell in checkpoint.proof.cells] == ["cell"]
    assert checkpoint.proof.renamed["table.weight"] == "table.embedding_table"


def test_the_project_stays_as_it_is(project: Path, tmp_path: Path) -> None:
    before = {name: (project / name).read_bytes() for name in files(project)}
    port(project, out=project / "ported")
    after = files(project) - {f"ported/{name}" for name in files(project / "ported")}
    assert before == {name: (project / name).read_bytes() for name in after}


def test_results_inside_the_project_are_no_part_of_it(project: Path) -> None:
    port(project, out=project / "ported")
    first = files(project / "ported")
    port(project, out=project / "ported", force=True)
    assert files(project / "ported") == first


def test_a_checkpoint_beside_the_code_can_be_named(project: Path, tmp_path: Path) -> None:
    elsewhere = (project / "weights" / "best.pt").rename(tmp_path / "elsewhere.pt")
    done = port(project / "model.py", elsewhere, out=tmp_path / "out")
    assert files(tmp_path / "out") == {"model.py", "elsewhere.ckpt", "elsewhere.proof.json"}
    assert done.holds


def test_a_checkpoint_of_the_other_framework_already_goes_along(
    project: Path, tmp_path: Path
) -> None:
    port(project, out=tmp_path / "first")
    already = tmp_path / "first" / "weights" / "best.ckpt"
    already.rename(project / "already.ckpt")
    done = port(project, out=tmp_path / "out")
    assert Path("already.ckpt") in done.copied
    assert len(done.checkpoints) == 1


def test_the_result_of_a_port_is_ported_back(project: Path, tmp_path: Path) -> None:
    port(project, out=tmp_path / "out")
    (tmp_path / "out" / "weights" / "best.report.html").write_text("of the way there")
    plan = plan_project([tmp_path / "out"], "torch", tmp_path / "back", sides=["arrays"])
    done = carry_out_project(plan, rollout_steps=5)
    assert done.holds
    assert done.copied == (Path("words.txt"),)
    assert files(tmp_path / "back") == files(tmp_path / "out") - {
        *("weights/best.ckpt", "weights/best.report.html"),
    } | {"weights/best.pt"}


def test_the_result_of_an_earlier_port_gives_way(project: Path, tmp_path: Path) -> None:
    port(project, out=tmp_path / "first")
    (tmp_path / "first" / "weights" / "best.ckpt").rename(project / "weights" / "best.ckpt")
    done = port(project, out=tmp_path / "out")
    assert done.holds
    assert done.copied == (Path("words.txt"),)


@pytest.mark.parametrize("dialect", ["torch", "mindspore"])
def test_a_checkpoint_in_several_files_is_one(dialect: str, project: Path, tmp_path: Path) -> None:
    state = load_checkpoint(project / "weights" / "best.pt").tensors
    (project / "weights" / "best.pt").unlink()
    places: dict[str, str] = {}
    for number, name in enumerate(state):
        places[name] = f"m-{number + 1:05}-of-{len(state):05}.safetensors"
        save_checkpoint(project / places[name], {name: state[name]}, dialect=dialect)
    index = project / "m.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    (project / "search.index.json").write_text("[1, 2]")
    done = port(project, out=tmp_path / "out")
    if dialect == "torch":
        assert files(tmp_path / "out") == {
            *("model.py", "words.txt", "search.index.json", "m.ckpt", "m.proof.json"),
        }
        assert load_checkpoint(tmp_path / "out" / "m.ckpt").tensors.keys() > {"cell.weight_ih"}
    else:
        assert {index.name, *places.values()} < {path.name for path in done.copied}
        assert load_checkpoint(tmp_path / "out" / index.name).tensors.keys() == state.keys()
    assert not any(each.error for each in done.checkpoints)


def test_data_in_an_npz_is_copied_and_weights_in_one_are_converted(
    project: Path, tmp_path: Path
) -> None:
    np.savez(project / "data.npz", x=np.ones(3))
    state = torch.load(project / "weights" / "best.pt", weights_only=True)
    np.savez(project / "weights.npz", **{name: t.numpy() for name, t in state.items()})
    done = port(project, out=tmp_path / "out")
    assert Path("data.npz") in done.copied
    assert {each.path.name for each in done.checkpoints} == {"best.pt", "weights.npz"}


def test_a_frozen_cell_is_no_frameworks_and_copied(project: Path, tmp_path: Path) -> None:
    LSTMCell(5, 4, rng=0).freeze("int8").save(project / "small.safetensors")
    done = port(project, out=tmp_path / "out")
    assert done.holds
    assert Path("small.safetensors") in done.copied
    copied = (tmp_path / "out" / "small.safetensors").read_bytes()
    assert copied == (project / "small.safetensors").read_bytes()


def test_a_checkpoint_without_a_cell_is_converted(project: Path, tmp_path: Path) -> None:
    torch.save({"table.weight": torch.ones(7, 5)}, project / "table.pt")
    done = port(project, out=tmp_path / "out")
    assert list(load_checkpoint(tmp_path / "out" / "table.ckpt").tensors) == [
        "table.embedding_table"
    ]
    assert done.holds


def test_a_damaged_checkpoint_does_not_keep_the_others(project: Path, tmp_path: Path) -> None:
    (project / "a.pt").write_bytes(b"PK\x03\x04 no more")
    done = port(project, out=tmp_path / "out")
    assert [bool(each.error) for each in done.checkpoints] == [True, False]
    assert not done.holds
    assert (tmp_path / "out" / "weights" / "best.ckpt").is_file()


@pytest.mark.parametrize("name", ["model.py", "words.txt", "weights/best.ckpt"])
def test_nothing_is_replaced_unasked_and_then_nothing_is_written(
    name: str, project: Path, tmp_path: Path
) -> None:
    there = tmp_path / "out" / name
    there.parent.mkdir(parents=True)
    there.write_text("older")
    with pytest.raises(OutputExistsError):
        port(project, out=tmp_path / "out")
    assert files(tmp_path / "out") == {name}
    assert there.read_text() == "older"


def test_two_files_of_one_name_are_refused(project: Path, tmp_path: Path) -> None:
    state = torch.load(project / "weights" / "best.pt", weights_only=True)
    torch.save(state, project / "weights" / "best.pth")
    with pytest.raises(ArgumentError, match=r"best\.pth? and .*best\.pth? would both become"):
        port(project, out=tmp_path / "out")


def test_a_project_is_not_ported_over_itself(project: Path) -> None:
    with pytest.raises(ArgumentError, match="is one of the files to port"):
        port(project / "model.py", out=project, force=True)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing called"):
        port(tmp_path / "nowhere", out=tmp_path / "out")


def test_where_there_is_nothing_to_do_nothing_is_written(project: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("torch\n")
    (tmp_path / "empty" / "plain.py").write_text("import sys\n")
    port(project, out=tmp_path / "first")
    for folder in ("empty", "first"):
        done = port(tmp_path / folder, out=tmp_path / "out")
        assert (done.verdict, done.nothing, done.holds) == (Verdict.NOTHING, True, False)
        assert not (tmp_path / "out").exists()
    assert done.already == (Path("weights/best.ckpt"),)


def test_code_alone_is_ported_and_not_proved(project: Path, tmp_path: Path) -> None:
    done = port(project / "model.py", out=tmp_path / "out")
    assert (done.verdict, done.holds) == (Verdict.UNPROVED, False)
    assert files(tmp_path / "out") == {"model.py"}


def test_checkpoints_without_a_cell_prove_nothing(project: Path, tmp_path: Path) -> None:
    torch.save({"table.weight": torch.ones(7, 5)}, project / "table.pt")
    done = port(project / "model.py", project / "table.pt", out=tmp_path / "out")
    assert done.verdict is Verdict.UNPROVED


def test_a_helper_that_is_only_copied_is_named(project: Path, tmp_path: Path) -> None:
    (project / "apart.py").write_text("import torch\n\n\ndef load(p):\n    return torch.load(p)\n")
    done = port(project, out=tmp_path / "out")
    (found,) = done.remaining
    assert done.verdict is Verdict.LEFT
    assert (found.relative, {r.name for r in found.remains}) == (
        Path("apart.py"),
        {"torch", "torch.load"},
    )
    assert (tmp_path / "out" / "weights" / "best.ckpt").is_file()


MODEL_WITHOUT_A_CELL = """\
import torch.nn as nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 5)
        self.rnn = nn.LSTM(5, 4)
        self.head = nn.Linear(4, 2)
"""


def test_a_model_without_a_cell_is_left_as_it_is_and_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL_WITHOUT_A_CELL)
    torch.save(torch.nn.LSTM(5, 4).state_dict(), tmp_path / "rnn.pt")
    done = port(tmp_path, out=tmp_path / "out")
    assert done.verdict is Verdict.LEFT
    names = {r.name for file in done.remaining for r in file.remains}
    assert {"torch.nn.Embedding", "torch.nn.LSTM", "torch.nn.Linear"} <= names


@pytest.mark.parametrize(
    ("name", "text", "want"),
    [
        ("requirements.txt", "numpy\ntorch>=2.0  # the cpu one\n", [("torch", 2)]),
        ("requirements-dev.txt", "pytorch-lightning==2.1\n", [("pytorch-lightning", 1)]),
        (
            "pyproject.toml",
            '[project]\ndependencies = ["numpy", "torchvision"]\n',
            [("torchvision", 2)],
        ),
        ("environment.yml", "dependencies:\n  - pytorch=2\n", [("pytorch", 2)]),
        ("environment.yml", "dependencies:\n  - pytorch::pytorch=2\n", [("pytorch", 2)]),
        ("Dockerfile", "FROM pytorch/pytorch:2.1-cuda12\n", [("pytorch", 1)]),
        ("train.Dockerfile", "FROM nvcr.io/nvidia/pytorch:23.01-py3\n", [("pytorch", 1)]),
        ("Pipfile", '[packages]\ntorch = "*"\n', [("torch", 2)]),
        ("setup.cfg", "install_requires =\n    torch>=2\n", [("torch", 2)]),
        ("setup.sh", "# torch\npip install -U numpy torch\n", [("torch", 2)]),
        ("setup.sh", "echo torch\npip install numpy # torch\n", None),
        ("requirements/base.txt", "torch\n", [("torch", 1)]),
        (
            "a.ipynb",
            (
                '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"metadata": {},\n'
                '"id": "a", "cell_type": "code", "outputs": [], "execution_count": null,\n'
                '"source": [\n'
                '"!pip install -q torch==2.1\\n", "%pip install numpy\\n", "x = \'torch\'"]}]}\n'
            ),
            [("torch", 4)],
        ),
        ("setup.py", "from setuptools import setup\nsetup(requires=['torch<3'])\n", [("torch", 2)]),
        ("requirements.txt", "numpy\n# torch\nmy-torch-words\n", None),
        ("words.txt", "torch\n", None),
        ("environment.yml", "name: torch-env\ndependencies:\n  - numpy\n", None),
        ("pyproject.toml", '[tool.x]\nwhere = ["src/torch_words"]\n', None),
        ("setup.py", "from setuptools import setup\nsetup(name='my-torch-thing')\n", None),
    ],
)
def test_a_file_that_asks_for_the_framework_is_named(
    name: str, text: str, want: list[tuple[str, int]] | None, project: Path, tmp_path: Path
) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    done = port(project, out=tmp_path / "out")
    found = {str(each.relative): list(each.names) for each in done.required}
    assert found == ({} if want is None else {name: want})
    assert done.verdict is (Verdict.HOLDS if want is None else Verdict.LEFT)


@pytest.mark.parametrize("norm", ["make(4)", "setattr"])
def test_tensors_whose_layer_the_code_hides_are_to_be_named_by_hand(
    norm: str, project: Path, tmp_path: Path
) -> None:
    text = (project / "model.py").read_text()
    line = "self.norm = nn.LayerNorm(4)"
    hidden = f"self.norm = {norm}" if norm != "setattr" else "setattr(self, 'norm', make(4))"
    make = "\n\ndef make(n):\n    return nn.LayerNorm(n)\n"
    (project / "model.py").write_text(text.replace(line, hidden) + make)
    done = port(project, out=tmp_path / "out")
    (checkpoint,) = done.checkpoints
    assert checkpoint.naming is not None
    assert checkpoint.naming.by_hand == ("norm.weight", "norm.bias")
    assert (done.by_hand, done.verdict) == (2, Verdict.LEFT)


def test_a_framework_that_contradicts_a_named_file_is_refused(
    project: Path, tmp_path: Path
) -> None:
    paths = project / "model.py", project / "weights" / "best.pt"
    with pytest.raises(ArgumentError, match="the file itself says that it is torch's"):
        port(*paths, out=tmp_path / "out", source="mindspore")


def test_numbers_that_are_not_finite_have_a_verdict(project: Path, tmp_path: Path) -> None:
    state = torch.load(project / "weights" / "best.pt", weights_only=True)
    state["cell.weight_hh"][3, 1] = torch.inf
    torch.save(state, project / "weights" / "best.pt")
    assert port(project, out=tmp_path / "out").verdict is Verdict.NOT_FINITE
    assert not (tmp_path / "out" / "weights" / "best.ckpt").exists()


def test_excluded_files_stay_behind(project: Path, tmp_path: Path) -> None:
    port(project, out=tmp_path / "out", exclude=["*.txt", "weights/"])
    assert files(tmp_path / "out") == {"model.py"}


def test_the_walks_agree_on_what_source_is() -> None:
    assert SOURCES == SUFFIXES


@pytest.mark.parametrize("kind", ["hidden", "environment", "link"])
def test_some_folders_are_never_looked_into(kind: str, project: Path, tmp_path: Path) -> None:
    aside = project / {"hidden": ".cache", "environment": "venv", "link": "loop"}[kind]
    if kind == "link":
        aside.symlink_to(project)
    else:
        aside.mkdir()
        (aside / "other.pt").write_bytes(b"")
        (aside / "pyvenv.cfg").touch()
    found = find([project])
    assert [place.path.name for place in found.checkpoints] == ["best.pt"]
    assert [place.path.name for place in found.others] == ["words.txt"]


def test_importing_it_loads_no_framework_and_no_tool() -> None:
    code = (
        "import sys, onecell.project\n"
        "tools = {'torch', 'mindspore', 'rich', 'typer', 'libcst', 'pathspec'}\n"
        "assert not tools & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


SPREAD = {
    "base.py": """
from torch import nn

class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(5, 4)])
""",
    "pkg/__init__.py": "from base import Base as Root\n",
    "pkg/reader.py": """
from . import Root

class Reader(Root):
    def forward(self, x, h, c):
        return self.cells[0](x, (h, c))
""",
    "run.py": """
import torch
from pkg.reader import Reader

model = Reader()
model.load_state_dict(torch.load("best.pt"))
print(model.cells[0].weight_ih)
""",
    "show.py": "from run import model\nprint(len(model.cells))\n",
}


def test_names_that_are_taken_are_changed_in_every_file_and_in_the_checkpoint(
    tmp_path: Path,
) -> None:
    project = tmp_path / "project"
    for name, text in SPREAD.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    weights = {f"cells.0.{n}": t for n, t in torch.nn.LSTMCell(5, 4).state_dict().items()}
    torch.save(weights, project / "best.pt")
    done = port(project, out=tmp_path / "out")
    assert done.migration is not None
    assert done.migration.renamed == {"cells": "cells_"}
    out = {name: (tmp_path / "out" / name).read_text() for name in SPREAD}
    assert "self.cells_ = " in out["base.py"]
    assert "def construct" in out["pkg/reader.py"]
    assert "self.cells_[0]" in out["pkg/reader.py"]
    assert "print(model.cells_[0].weight_ih)" in out["run.py"]
    assert "len(model.cells_)" in out["show.py"]
    names = load_checkpoint(tmp_path / "out" / "best.ckpt").tensors
    assert {name.rpartition(".")[0] for name in names} == {"cells_.0"}
