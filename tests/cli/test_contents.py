"""`onecell info FILE`: what a checkpoint holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from onecell import LSTMCell

from .conftest import Run


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A checkpoint of a run: cells, other layers, an optimizer, an epoch, something odd."""
    torch.manual_seed(0)
    model = torch.nn.ModuleDict(
        {
            "cell": torch.nn.LSTMCell(5, 4),
            "rnn": torch.nn.LSTM(4, 3, bias=False, bidirectional=True).double(),
            "head": torch.nn.Linear(4, 2),
        }
    )
    adam = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adam.step()
    state = model.state_dict()
    state["head.weight"][0, 0] = torch.nan
    state |= {"cell.ln.weight": torch.ones(4), "odd.weight_hh": torch.ones(2, 2)}
    path = tmp_path / "run.pt"
    torch.save({"model": state, "epoch": 3, "adam": adam.state_dict()}, path)
    return path


def test_it_shows_cells_other_tensors_and_what_is_none(run: Run, mixed: Path) -> None:
    ran = run("info", mixed)
    assert (ran.status, ran.err) == (0, "")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[:2] == [
        str(mixed),
        f"torch's format (.pt), written by torch; 42 tensors, {_bytes(mixed):,} bytes",
    ]
    for want in (
        "3 LSTM cells",
        "model.cell 5 4 float32 two torch.nn.LSTMCell",
        "model.rnn[layer 0] 4 3 float64 none torch.nn.LSTM",
        "model.rnn[layer 0, reverse] 4 3 float64 none torch.nn.LSTM",
        "Other tensors: 4 (4 float32), 18 numbers",
        "model.head.weight float32 (2, 4)",
        "Not tensors: 1 value",
        "epoch = 3",
        "model.head.weight: holds 1 NaN of 8 numbers",
        "model.odd: a plain RNN by its shapes (`weight_hh` (2, 2)), no LSTM cell",
    ):
        assert want in lines, want
    assert any(re.fullmatch(r"Optimizer settings: \d+ values", line) for line in lines)
    assert any(line.startswith("Optimizer state: 30 (") for line in lines)
    assert "and 22 more (-v shows all)" in lines
    assert "something else stands there, model.cell.ln.weight" in ran.out


def _bytes(path: Path) -> int:
    from onecell.checkpoint import load_checkpoint

    return sum(array.nbytes for array in load_checkpoint(path).tensors.values())


def test_everything_is_shown_where_it_is_asked_for(run: Run, mixed: Path) -> None:
    out = run("info", mixed, "-v").out
    assert "more" not in out
    assert "adam.param_groups.0.lr = 0.001" in out
    assert "adam.state.7.exp_avg_sq  float64" in out


def test_json_is_one_document_for_all_files(run: Run, mixed: Path, model: Path) -> None:
    ran = run("info", mixed, model, "--json")
    assert (ran.status, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert found["schema"] == "onecell.contents/1"
    first, second = found["files"]
    assert first["path"] == str(mixed)
    assert (first["format"], first["framework"]) == ("pt", "torch")
    assert first["cells"][0] == {
        "name": "model.cell",
        "class": "torch.nn.LSTMCell",
        "layer": None,
        "reverse": False,
        "input_size": 5,
        "hidden_size": 4,
        "dtype": "float32",
        "biases": 2,
        "tensors": [f"model.cell.{n}" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")],
    }
    assert {"name": "model.head.bias", "dtype": "float32", "shape": [2]} in first["tensors"]
    assert first["values"]["epoch"] == "3"
    assert len(first["optimizer"]) == 30
    said = {"name": "model.head.weight", "text": "holds 1 NaN of 8 numbers", "kind": ""}
    assert said in first["notes"]
    assert [cell["name"] for cell in second["cells"]] == ["cell"]
    assert second["notes"] == []


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_shown(
    run: Run, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.pt").write_bytes(b"\x80\x02c__builtin__\neval\n.")
    ran = run("info", tmp_path / "bad.pt", model)
    assert ran.status == 3
    assert ran.err.startswith(f"onecell: {tmp_path / 'bad.pt'}: ")
    assert "1 LSTM cell" in ran.out
    ran = run("info", tmp_path / "bad.pt", model, "--json")
    assert ran.status == 3
    bad, good = json.loads(ran.out)["files"]
    assert "error" in bad
    assert len(good["cells"]) == 1


def test_it_says_which_files_of_several_were_read(run: Run, model: Path, tmp_path: Path) -> None:
    index = tmp_path / "saved" / "model.index"
    index.parent.mkdir()
    assert run("convert", model, index, "--merge-biases").status == 0
    parts = [index, index.with_name("model.data-00000-of-00001")]
    step = tmp_path / "run" / "7" / "state"
    for folder, said in ((step / "w", (".zarray", ZARR)), (step, ("_METADATA", {}))):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / said[0]).write_text(json.dumps(said[1]))
    (step / "w" / "0").write_bytes(bytes(12))
    (step.parent / "_CHECKPOINT_METADATA").write_text("{}")
    below = [step / "_METADATA", step / "w" / ".zarray", step / "w" / "0"]
    for given, read in ((index.with_name("model"), parts), (tmp_path / "run", below)):
        folder = read[0].parent
        names = ", ".join(str(path.relative_to(folder)) for path in read)
        ran = run("info", given)
        assert ran.status == 0, ran.err
        assert f"\nread from {folder}: {names}\n" in ran.out
        (found,) = json.loads(run("info", given, "--json").out)["files"]
        assert (found["path"], found["files"]) == (str(given), [*map(str, read)])
    assert "read from" not in run("info", model).out


ZARR = {
    "zarr_format": 2, "shape": [3], "chunks": [3], "dtype": "<f4", "order": "C",
    "compressor": None, "filters": None, "fill_value": None,
}  # fmt: skip
"""The head of an array of three numbers, as Orbax keeps one."""


def test_without_a_framework_the_names_are_read_as_torchs(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", a=np.ones((2, 3)))
    ran = run("info", tmp_path / "w.npz")
    assert "does not tell its framework; its names are read as torch's" in ran.out
    assert "No LSTM cell" in ran.out


def test_names_take_no_terminal_in_hand(run: Run, tmp_path: Path) -> None:
    torch.save({"\x1b[31mred\n" * 50: torch.ones(2), "v": "\x1b]0;x\x07"}, tmp_path / "x.pt")
    for words in ((), ("-v",)):
        ran = run("info", tmp_path / "x.pt", *words)
        assert ran.status == 0
        assert "\x1b" not in ran.out
        assert max(map(len, ran.out.splitlines())) <= 100 + len(str(tmp_path))


def test_numbers_that_are_none_are_counted_in_every_type(run: Run, tmp_path: Path) -> None:
    kinds = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64)
    tensors = {}
    for kind in kinds:
        tensors[str(kind)] = torch.tensor([1.0, float("inf"), -float("inf"), float("nan")]).to(kind)
    torch.save({**tensors, "int": torch.ones(3, dtype=torch.int64)}, tmp_path / "x.pt")
    (found,) = json.loads(run("info", tmp_path / "x.pt", "--json").out)["files"]
    assert found["notes"] == [
        {"name": str(kind), "text": "holds 1 NaN and 2 infinite of 4 numbers", "kind": ""}
        for kind in kinds
    ]


def test_a_frozen_cell_is_named_for_what_it_is(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    LSTMCell(18, 20, rng=0).freeze("int8").save(path)
    ran = run("info", path)
    said = "a frozen cell, input_size = 18, hidden_size = 20, weight_dtype = int8"
    assert said in " ".join(ran.out.split())
    assert "Its pieces: 6" in ran.out
    assert "No LSTM cell" not in ran.out
    (found,) = json.loads(run("info", path, "--from", "torch", "--json").out)["files"]
    assert found["frozen"].startswith(said)


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "{}", "{}.ckpt", "--from", "torch"),
        ("port", "{}", "--to", "mindspore", "--out", "{}.ported"),
        ("verify", "{}", "{}"),
    ],
    ids=lambda words: words[0],
)
def test_a_frozen_cell_is_no_frameworks_weights(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    path = tmp_path / "small.safetensors"
    LSTMCell(18, 20, rng=0).freeze("int8").save(path)
    ran = run(*(word.format(path) for word in words))
    assert ran.status == 3
    assert "a frozen cell, input_size = 18" in ran.err
    assert list(tmp_path.iterdir()) == [path]
