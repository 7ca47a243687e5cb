"""`onecell convert`: the file conversion alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from onecell.checkpoint import load_checkpoint, save_checkpoint

from .conftest import Run


def _bits(path: Path) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in load_checkpoint(path).tensors.items()}


@pytest.mark.parametrize(
    ("name", "options", "dialect"),
    [
        ("out.ckpt", [], "mindspore"),
        ("out.pth", [], "torch"),
        ("out.safetensors", [], "torch"),
        ("out.safetensors", ["--to", "mindspore"], "mindspore"),
    ],
)
def test_the_target_is_told_by_option_or_suffix(
    name: str, options: list[str], dialect: str, run: Run, model: Path, tmp_path: Path
) -> None:
    ran = run("convert", model, tmp_path / name, *options)
    assert (ran.status, ran.err) == (0, "")
    assert f"1 LSTM cell in {dialect}'s form, 2 other tensors copied" in ran.out
    assert load_checkpoint(tmp_path / name).dialect == dialect
    assert _bits(tmp_path / name) == _bits(model)


@pytest.mark.parametrize(("name", "given"), [("model.xyz", "'.xyz'"), ("model", "none")])
def test_a_suffix_that_is_not_known_is_answered_by_those_that_are(
    name: str, given: str, run: Run, model: Path, tmp_path: Path
) -> None:
    ran = run("convert", model, tmp_path / name)
    assert ran.status == 2
    said = ran.err.partition("the suffix of OUT must be one of ")[2]
    assert said.endswith(f", got {given}.\n")
    assert {".pt", ".keras", ".onnx"} <= {*said.partition(", got")[0].split(", ")}
    assert ".mlmodel" not in said  # which is only read


def test_what_is_only_read_is_not_written(run: Run, model: Path, tmp_path: Path) -> None:
    ran = run("convert", model, tmp_path / "model.mlmodel")
    assert ran.status == 2
    assert "Core ML's models are read only; give coremltools" in ran.err


def test_there_and_back_is_the_same(run: Run, model: Path, tmp_path: Path) -> None:
    assert run("convert", model, tmp_path / "a.ckpt").status == 0
    assert run("convert", tmp_path / "a.ckpt", tmp_path / "b.pt").status == 0
    before = torch.load(model, weights_only=True)
    after = torch.load(tmp_path / "b.pt", weights_only=True)
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_file_without_a_cell_is_converted_too(run: Run, tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(3, 2).state_dict(), tmp_path / "linear.pt")
    ran = run("convert", tmp_path / "linear.pt", tmp_path / "linear.ckpt")
    assert ran.status == 0
    assert "0 LSTM cells" in ran.out


def test_npz_does_not_tell_its_framework(run: Run, model: Path, tmp_path: Path) -> None:
    assert run("convert", model, tmp_path / "w.npz").status == 0
    ran = run("convert", tmp_path / "w.npz", tmp_path / "w.ckpt", "--from", "torch")
    assert ran.status == 0
    assert _bits(tmp_path / "w.ckpt") == _bits(model)


def test_an_existing_file_stays_unless_forced(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "out.ckpt").write_bytes(b"older")
    ran = run("convert", model, tmp_path / "out.ckpt")
    assert ran.status == 4
    assert "is already there; say --force" in ran.err
    assert (tmp_path / "out.ckpt").read_bytes() == b"older"
    assert run("convert", model, tmp_path / "out.ckpt", "--force").status == 0


def test_the_input_is_never_replaced(run: Run, model: Path) -> None:
    before = model.read_bytes()
    assert run("convert", model, model, "--force").status == 2
    assert model.read_bytes() == before


def test_values_that_do_not_fit_are_named(run: Run, tmp_path: Path) -> None:
    state = torch.nn.LSTMCell(5, 4).state_dict()
    torch.save({"model": state, "epoch": 3}, tmp_path / "run.pt")
    ran = run("convert", tmp_path / "run.pt", tmp_path / "flat.pth")
    assert ran.status == 0
    assert "left behind, not tensors: epoch" in ran.out


def test_what_is_chosen_is_taken_and_the_rest_is_named(
    run: Run, deep: Path, tmp_path: Path
) -> None:
    out = tmp_path / "part.ckpt"
    ran = run("convert", deep, out, "--only", "(root)[[]layer 1*", "--drop", "*reverse")
    assert ran.status == 0
    assert list(load_checkpoint(out).tensors) == [
        f"{name}_l1" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    assert "left behind, not chosen: weight_ih_l0, " in ran.out
    assert "and 4 more" in ran.out


@pytest.mark.parametrize("option", ["--only", "--drop"])
def test_a_pattern_that_chooses_nothing_is_a_usage_error(
    run: Run, model: Path, tmp_path: Path, option: str
) -> None:
    ran = run("convert", model, tmp_path / "x.ckpt", option, "cel")
    assert ran.status == 2
    assert f"{option} 'cel' chooses nothing of cell" in ran.err
    assert not (tmp_path / "x.ckpt").exists()


def test_one_odd_module_does_not_refuse_the_file(run: Run, tmp_path: Path) -> None:
    state = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(5, 4)}).state_dict()
    state |= {"odd.weight_ih": torch.ones(25, 3), "odd.weight_hh": torch.ones(25, 5)}
    torch.save(state, tmp_path / "odd.pt")
    ran = run("convert", tmp_path / "odd.pt", tmp_path / "odd.ckpt")
    assert (ran.status, ran.err) == (0, "")
    assert "1 LSTM cell in mindspore's form, 2 other tensors copied" in ran.out
    assert "note: odd: no LSTM cell: `weight_" in ran.out
    assert _bits(tmp_path / "odd.ckpt") == _bits(tmp_path / "odd.pt")


def test_weights_that_are_no_numbers_are_named(run: Run, tmp_path: Path) -> None:
    state = torch.nn.LSTMCell(5, 4).state_dict()
    state["bias_ih"][3:5] = torch.nan
    torch.save(state, tmp_path / "nan.pt")
    ran = run("convert", tmp_path / "nan.pt", tmp_path / "nan.ckpt")
    assert ran.status == 0
    assert "note: bias_ih: holds 2 NaN of 16 numbers" in ran.out


def test_values_whose_names_mean_something_else_there_are_left_behind(
    run: Run, tmp_path: Path
) -> None:
    state = {"cell": torch.nn.LSTMCell(5, 4).state_dict(), "crc_num": 7, "format": "a", "epoch": 3}
    torch.save(state, tmp_path / "run.pt")
    ran = run("convert", tmp_path / "run.pt", tmp_path / "run.safetensors")
    assert ran.status == 0
    assert "left behind, not tensors: crc_num, format\n" in ran.out
    assert load_checkpoint(tmp_path / "run.safetensors").metadata == {"epoch": "3"}
    assert run("convert", tmp_path / "run.pt", tmp_path / "run.ckpt").status == 0
    text = load_checkpoint(tmp_path / "run.ckpt").metadata["plain values"]
    assert json.loads(text) == {"cell": {}, "crc_num": 7, "format": "a", "epoch": 3}


def test_nothing_is_not_written(run: Run, tmp_path: Path) -> None:
    torch.save({}, tmp_path / "empty.pt")
    ran = run("convert", tmp_path / "empty.pt", tmp_path / "empty.ckpt")
    assert ran.status == 2
    assert "`tensors` must not be empty" in ran.err
    assert not (tmp_path / "empty.ckpt").exists()


def test_json_says_what_became_of_every_name(run: Run, tmp_path: Path) -> None:
    model = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(5, 4), "head": torch.nn.Linear(4, 2)})
    sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    sgd.step()
    torch.save({"m": model.state_dict(), "epoch": 3, "sgd": sgd.state_dict()}, tmp_path / "run.pt")
    source, target = tmp_path / "run.pt", tmp_path / "run.ckpt"
    ran = run("convert", source, target, "--drop", "m.head.bias", "--json")
    assert (ran.status, ran.err) == (0, "")
    found = json.loads(ran.out)
    read = load_checkpoint(source)
    assert found["schema"] == "onecell.conversion/1"
    assert found["cells"] == ["m.cell"]
    assert found["carried"] == ["m.head.weight"]
    assert found["target"] == {"path": str(target), "framework": "mindspore"}
    assert set(found["left"]) == {"m.head.bias"} | {
        name for name in (*read.tensors, *read.metadata) if name.startswith("sgd.")
    } - {"sgd.param_groups.0.lr"}
    assert set(found["left"]).isdisjoint(load_checkpoint(target).tensors)
    assert json.loads(load_checkpoint(target).metadata["plain values"]) == {
        "m": {},
        "epoch": 3,
        "sgd": {"state": {}, "param_groups": [{"lr": 0.1}]},
    }


def test_an_index_is_converted_as_one_model(run: Run, model: Path, tmp_path: Path) -> None:
    tensors = load_checkpoint(model).tensors
    places = {}
    for number, name in enumerate(tensors):
        file = f"m-{number + 1}-of-{len(tensors)}.safetensors"
        save_checkpoint(tmp_path / file, {name: tensors[name]}, dialect="torch")
        places[name] = file
    index = tmp_path / "m.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert run("convert", index, tmp_path / "m.ckpt").status == 0
    assert _bits(tmp_path / "m.ckpt") == _bits(model)
    ran = run("convert", tmp_path / places["cell.weight_ih"], tmp_path / "half.ckpt")
    assert ran.status == 3
    assert "m.safetensors.index.json" in ran.err
    assert not (tmp_path / "half.ckpt").exists()


@pytest.mark.parametrize("verb", ["convert", "info"])
def test_a_from_that_contradicts_the_file_is_a_usage_error(
    verb: str, run: Run, model: Path, tmp_path: Path
) -> None:
    out = [tmp_path / "out.safetensors"] if verb == "convert" else []
    ran = run(verb, model, *out, "--from", "mindspore")
    assert ran.status == 2
    assert "the file itself says that it is torch's" in ran.err
    assert not (tmp_path / "out.safetensors").exists()


def test_the_last_line_names_what_looks_like_a_cell(run: Run, tmp_path: Path) -> None:
    state = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(5, 4)}).state_dict()
    state |= {"g.weight_ih": torch.ones(9, 2), "g.weight_hh": torch.ones(9, 3)}
    state |= {"half.weight_ih": torch.ones(8, 3), "cell.peephole_i": torch.ones(4)}
    torch.save(state, tmp_path / "x.pt")
    said = (
        "; with a cell's names, and perhaps one: half"
        "; with a cell's names, and by its shapes none: g; with something else beside it: cell"
    )
    ran = run("convert", tmp_path / "x.pt", tmp_path / "x.ckpt")
    assert ran.out.endswith(
        f"x.ckpt: 1 LSTM cell in mindspore's form, 4 other tensors copied{said}\n"
    )
    assert run("info", tmp_path / "x.pt").out.endswith(f"1 LSTM cell{said}\n")
    ran = run("convert", tmp_path / "x.pt", tmp_path / "y.ckpt", "--json")
    (shown,) = json.loads(run("info", tmp_path / "x.pt", "--json").out)["files"]
    for notes in (json.loads(ran.out)["notes"], shown["notes"]):
        kinds = {note["name"]: note["kind"] for note in notes}
        assert kinds == {"g": "other", "half": "unsure", "cell": "beside"}
