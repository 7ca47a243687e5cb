"""`onecell convert --into`: what is said, asked and recorded."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from onecell import Spec, Weights
from onecell.checkpoint import convert, load_checkpoint, save_checkpoint

from .conftest import Run

OLD = Weights.random(Spec(5, 4), 1)


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A .weights.h5 of two LSTM layers."""
    path = tmp_path / "there.weights.h5"
    with h5py.File(path, "w") as file:
        for name in ("lstm", "lstm_1"):
            for number, array in enumerate(OLD.to_dialect("keras").values()):
                file[f"layers/{name}/cell/vars/{number}"] = array
            file[f"layers/{name}"].create_group("vars").attrs["name"] = f"my_{name}"
    return path


def test_a_cell_is_put_where_rename_says_and_the_rest_named(
    run: Run, model: Path, there: Path
) -> None:
    out = there.with_name("new.weights.h5")
    words = ("convert", model, out, "--into", there, "--rename", "cell=my_lstm_1")
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert "two biases become one" in ran.err
    assert "--merge-biases" in ran.err
    assert not out.exists()
    ran = run(*words, "--merge-biases")
    assert ran.status == 0
    first, left, note, last = ran.out.splitlines()
    assert first.startswith("not kept as it is, cell: two biases become one")
    assert left.endswith("the model keeps its own: head.weight, head.bias")
    assert note == "note: cell: is now layers.lstm_1.cell of the model"
    assert last == (f"{out}: a copy of {there} with 1 LSTM cell put into it, all else as it was")
    want = convert(load_checkpoint(model).tensors, "torch", "keras").tensors
    for name in ("kernel", "recurrent_kernel", "bias"):
        got = load_checkpoint(out).tensors[f"layers.lstm_1.cell.{name}"]
        assert got.tobytes() == want[f"cell.{name}"].tobytes()
    assert load_checkpoint(out).tensors["layers.lstm.cell.kernel"].tobytes() == (
        OLD.to_dialect("keras")["kernel"].tobytes()
    )


def test_the_record_says_where_each_went(run: Run, model: Path, there: Path) -> None:
    words = ("--rename", "cell=layers.lstm", "--merge-biases", "--json", "--only", "cell")
    ran = run("convert", model, there.with_name("n.h5"), "--into", there, *words)
    record = json.loads(ran.out)
    assert record["schema"] == "onecell.conversion/1"
    assert record["source"] == {"path": str(model), "framework": "torch"}
    assert record["target"]["framework"] == "keras"
    assert record["into"] == str(there)
    assert record["cells"] == [{"from": "cell", "to": "layers.lstm.cell"}]
    assert record["left"] == []
    assert [loss["kind"] for loss in record["lost"]] == ["merged"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--form", "step"), "`--form` is of a new graph"),
        (("--to", "onnx"), "is keras's, and --to says onnx"),
        ((), "no cell of the model is called `cell`"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_a_usage_error(
    words: tuple[str, ...], says: str, run: Run, model: Path, there: Path
) -> None:
    ran = run("convert", model, there.with_name("n.h5"), "--into", there, *words)
    assert ran.status == 2
    assert says in ran.err
    assert not there.with_name("n.h5").exists()


def test_neither_file_is_replaced_by_its_copy(run: Run, model: Path, there: Path) -> None:
    ran = run("convert", model, there, "--into", there, "--force")
    assert ran.status == 2
    assert "would replace the file that it is made from" in ran.err


def test_a_model_of_another_size_is_named(run: Run, tmp_path: Path) -> None:
    torch.save(torch.nn.LSTMCell(5, 3).state_dict(), tmp_path / "a.pt")
    zeros = {n: np.zeros_like(a) for n, a in OLD.to_dialect("onnx").items()}
    save_checkpoint(tmp_path / "m.onnx", zeros)
    ran = run("convert", tmp_path / "a.pt", tmp_path / "n.onnx", "--into", tmp_path / "m.onnx")
    assert ran.status == 2
    assert "has I = 5 and H = 3, and `LSTM` of the model I = 5 and H = 4" in ran.err
