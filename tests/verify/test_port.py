"""A port: the file that was written is what is proved, and only then gets its name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onecell.checkpoint import load_checkpoint, save_checkpoint
from onecell.errors import (
    ArgumentError,
    CheckpointError,
    NothingToDoError,
    OutputExistsError,
)
from onecell.spec import Spec
from onecell.verify import Proof, carry_out, plan_port, port, port_checkpoint, prove_cell
from onecell.verify.mutation import swap_gates
from onecell.weights import Weights

SIDES = ("arrays", "torch")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A real torch checkpoint: a cell inside a module, and a head."""
    torch.manual_seed(0)
    whole = torch.nn.ModuleDict(
        {
            "decoder": torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(5, 4)}),
            "head": torch.nn.Linear(4, 2),
        }
    )
    path = tmp_path / "model.pt"
    torch.save(whole.state_dict(), path)
    return path


def _port(model: Path, out: Path, **options: Any) -> Proof:
    return port_checkpoint(model, "mindspore", out, sides=SIDES, **options)


def test_a_port_holds_and_is_written(model: Path, tmp_path: Path) -> None:
    proof = _port(model, tmp_path / "out")
    assert proof.holds
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "model.ckpt",
        "model.proof.json",
    ]


def test_every_tensor_arrives_bit_for_bit(model: Path, tmp_path: Path) -> None:
    proof = _port(model, tmp_path)
    before, after = load_checkpoint(model).tensors, load_checkpoint(proof.target.path).tensors
    assert {n: a.tobytes() for n, a in before.items()} == {n: a.tobytes() for n, a in after.items()}
    assert proof.carried == ("head.weight", "head.bias")


def test_mindspore_reads_the_result_by_itself(model: Path, tmp_path: Path) -> None:
    assert _port(model, tmp_path).read_by == {"mindspore": True}


def test_torch_reads_the_way_back_by_itself(model: Path, tmp_path: Path) -> None:
    there = _port(model, tmp_path / "there").target.path
    back = port_checkpoint(there, "torch", tmp_path / "back", sides=["arrays", "mindspore"])
    assert back.holds
    assert back.read_by == {"torch": True}
    same = torch.load(back.target.path, weights_only=True)
    assert all(torch.equal(a, same[n]) for n, a in torch.load(model, weights_only=True).items())


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_other_stored_types_hold(stored: torch.dtype, tmp_path: Path) -> None:
    torch.save(torch.nn.LSTMCell(5, 4, dtype=stored).state_dict(), tmp_path / "cell.pt")
    proof = _port(tmp_path / "cell.pt", tmp_path)
    assert proof.holds
    assert proof.read_by == {"mindspore": True}


def test_the_cells_of_a_deep_lstm_are_all_proved(tmp_path: Path) -> None:
    deep = torch.nn.LSTM(5, 4, num_layers=2, bidirectional=True)
    torch.save(deep.state_dict(), tmp_path / "deep.pt")
    seen: list[tuple[str, int, int]] = []
    plan = plan_port(tmp_path / "deep.pt", "mindspore", tmp_path, sides=SIDES)
    proof = carry_out(plan, rollout_steps=5, progress=lambda *told: seen.append(told))
    assert proof.holds
    assert len(proof.cells) == 4
    assert [done for _, done, _ in seen] == list(range(len(seen)))
    assert seen[-1] == ("", len(seen) - 1, len(seen) - 1)
    assert {total for *_, total in seen} == {len(seen) - 1}
    assert [what for what, *_ in seen if what.startswith("(root)[layer 1]")] == [
        f"(root)[layer 1]: {step}"
        for step in ("reference", "arrays", "torch", "arrays", "self-test")
    ]


def _sabotage(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Make the writer write something else than it was given."""

    def save(path: Path, tensors: Mapping[str, np.ndarray], **options: Any) -> None:
        wrong = dict(tensors)
        if change == "gates":
            weights = Weights.from_dialect(tensors, "torch", prefix="decoder.cell.")
            swapped = swap_gates(weights, "f", "o")
            wrong |= swapped.to_dialect("mindspore", prefix="decoder.cell.")
        elif change == "carried":
            wrong["head.bias"] = wrong["head.bias"] + 1
        else:
            del wrong["head.bias"]
        save_checkpoint(path, wrong, **options)

    monkeypatch.setattr(port, "save_checkpoint", save)


@pytest.mark.parametrize("change", ["gates", "carried", "lost"])
def test_a_file_that_is_not_what_it_should_be_gets_no_name(
    change: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sabotage(monkeypatch, change)
    proof = _port(model, tmp_path / "out")
    assert not proof.holds
    assert not proof.intact
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["model.proof.json"]
    assert json.loads(proof.report.read_text())["holds"] is False


def test_swapped_gates_in_the_file_fail_by_their_numbers(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sabotage(monkeypatch, "gates")
    (cell,) = _port(model, tmp_path / "out").cells
    failing = {r.file for q in cell.quantities for r in q.readings if not r.holds}
    assert failing == {"target"}


def test_a_failing_port_leaves_an_older_file_alone(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"older")
    _sabotage(monkeypatch, "gates")
    assert not _port(model, tmp_path, force=True).holds
    assert (tmp_path / "model.ckpt").read_bytes() == b"older"


@pytest.mark.parametrize("name", ["model.ckpt", "model.proof.json"])
def test_nothing_is_replaced_unasked(name: str, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_bytes(b"older")
    with pytest.raises(OutputExistsError):
        _port(model, out)
    assert [p.name for p in out.iterdir()] == [name]
    assert (out / name).read_bytes() == b"older"


def test_force_replaces(model: Path, tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"older")
    assert _port(model, tmp_path, force=True).holds
    assert len(load_checkpoint(tmp_path / "model.ckpt").tensors) == 6


def test_a_port_never_replaces_its_own_input(model: Path) -> None:
    with pytest.raises(ArgumentError, match="would replace the file"):
        port_checkpoint(model, "torch", model.parent, source="torch", force=True, sides=SIDES)


def test_a_file_of_that_framework_already_is_said_to_be(model: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToDoError, match=r"a pt file of torch's, .* nothing to port"):
        port_checkpoint(model, "torch", tmp_path / "out", sides=SIDES)
    assert not (tmp_path / "out").exists()
    there = _port(model, tmp_path).target.path
    with pytest.raises(NothingToDoError, match="a ckpt file of mindspore's"):
        _port(there, tmp_path / "out")


def test_a_wish_for_it_all_the_same_is_heeded(model: Path, tmp_path: Path) -> None:
    options: dict[str, dict[str, Any]] = {
        "said": {"source": "torch"},
        "format": {"suffix": ".safetensors"},
    }
    for name, wish in options.items():
        plan = plan_port(model, "torch", tmp_path / name, sides=["arrays"], **wish)
        assert carry_out(plan, rollout_steps=3).holds


@pytest.mark.parametrize("said", ["mindspore", "torch"])
def test_a_framework_that_contradicts_the_file_is_refused(
    said: str, model: Path, tmp_path: Path
) -> None:
    path = model if said == "mindspore" else _port(model, tmp_path).target.path
    with pytest.raises(ArgumentError, match="the file itself says that it is"):
        plan_port(path, "torch", tmp_path / "out", source=said)
    assert not (tmp_path / "out").exists()


def test_a_failure_in_the_middle_leaves_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(port, "prove_cell", fail)
    with pytest.raises(KeyboardInterrupt):
        _port(model, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_without_a_cell_is_refused_by_what_it_holds(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(3, 2).state_dict(), tmp_path / "linear.pt")
    with pytest.raises(CheckpointError, match=r"holds no LSTM cell, only weight, bias"):
        _port(tmp_path / "linear.pt", tmp_path)


def test_a_file_that_does_not_tell_its_framework_asks(tmp_path: Path) -> None:
    weights = Weights.random(Spec(5, 4), 0)
    save_checkpoint(tmp_path / "w.npz", weights.arrays())
    with pytest.raises(ArgumentError, match="does not tell which framework"):
        _port(tmp_path / "w.npz", tmp_path)
    assert _port(tmp_path / "w.npz", tmp_path, source="torch").holds


def test_what_the_new_format_cannot_hold_is_listed(tmp_path: Path) -> None:
    state = torch.nn.LSTMCell(5, 4).state_dict()
    torch.save({"model": state, "epoch": 3}, tmp_path / "run.pt")
    plan = plan_port(
        tmp_path / "run.pt", "torch", tmp_path / "out", source="torch", sides=["arrays"]
    )
    assert carry_out(plan, rollout_steps=3).dropped == ("epoch",)


def test_a_training_checkpoint_becomes_one_that_mindspore_reads(tmp_path: Path) -> None:
    """Its plain values become text in the .ckpt, which MindSpore gives back as str."""
    cell = torch.nn.LSTMCell(5, 4)
    optimizer = torch.optim.Adam(cell.parameters())
    cell(torch.ones(1, 5))[0].sum().backward()
    optimizer.step()
    run = {"model": cell.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save(run, tmp_path / "run.pt")
    proof = _port(tmp_path / "run.pt", tmp_path / "out")
    assert proof.holds
    assert proof.read_by == {"mindspore": True}
    assert [found.name for found in proof.cells] == ["model"]


@pytest.mark.parametrize("factor", [0.0, 1e-40], ids=["zero", "subnormal"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_cell_of_hardly_any_numbers_holds(factor: float, bias: bool, tmp_path: Path) -> None:
    state = torch.nn.LSTMCell(5, 4, bias=bias).state_dict()
    torch.save({name: tensor * factor for name, tensor in state.items()}, tmp_path / "w.pt")
    assert _port(tmp_path / "w.pt", tmp_path / "out").holds


def test_a_name_that_the_new_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    state = torch.nn.LSTMCell(5, 4).state_dict()
    torch.save({**state, "x" * 5000: torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(ArgumentError, match="a name of 5000 bytes"):
        _port(tmp_path / "w.pt", tmp_path / "out")


def test_an_unproved_file_never_bears_the_name(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = prove_cell

    def watch(*given: Any, **named: Any) -> Any:
        assert not (tmp_path / "out" / "model.ckpt").exists()
        return right(*given, **named)

    monkeypatch.setattr(port, "prove_cell", watch)
    assert _port(model, tmp_path / "out").holds


def test_the_report_has_the_form_it_promises(model: Path, tmp_path: Path) -> None:
    report = json.loads(_port(model, tmp_path).report.read_text())
    assert list(report) == [
        *("schema", "holds", "unproved", "proves_nothing", "source", "target", "runs_on"),
        *("unable", "tensors", "method"),
        *("cells", "left_out", "notes", "environment", "seconds"),
    ]
    assert report["schema"] == "onecell.proof/2"
    assert list(report["source"]) == ["path", "dialect", "format", "bytes", "sha256"]
    assert list(report["target"]) == ["path", "dialect", "format", "bytes", "sha256", "written"]
    assert list(report["tensors"]) == [
        *("total", "proved", "carried", "renamed", "reshaped", "perhaps", "dropped", "left"),
        *("counters", "unchosen", "intact", "read_by"),
    ]
    assert (report["tensors"]["total"], report["tensors"]["proved"]) == (6, 4)
    (cell,) = report["cells"]
    assert list(cell) == [
        *("name", "holds", "input_size", "hidden_size", "bias", "stored", "computed"),
        *("same_bits", "not_finite", "unproved", "beside", "quantities", "self_test"),
    ]
    assert cell["name"] == "decoder.cell"
    assert list(cell["quantities"][0]) == ["name", "holds", "proves", "readings"]
    assert list(cell["quantities"][0]["readings"][0]) == [
        *("side", "file", "decides", "holds", "error", "ulps", "limit"),
        *("limit_relative_to_what_it_guards", "proves", "steps"),
    ]
    assert list(cell["self_test"][0]) == ["mutation", "kind", "seen", "excess"]


def test_a_port_says_what_it_left_behind_and_what_is_to_be_known(tmp_path: Path) -> None:
    cell, other = (
        torch.nn.LSTMCell(5, 4),
        torch.nn.utils.parametrizations.weight_norm(torch.nn.LSTMCell(3, 2), "weight_hh"),
    )
    model = torch.nn.ModuleDict({"cell": cell, "other": other, "gone": torch.nn.Linear(2, 2)})
    adam = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adam.step()
    state = {**model.state_dict(), "cell.ln.weight": torch.ones(4), "odd.weight_hh": torch.ones(2)}
    torch.save({"model": state, "adam": adam.state_dict()}, tmp_path / "run.pt")
    plan = plan_port(tmp_path / "run.pt", "mindspore", tmp_path, sides=["arrays"], drop=["*.gone"])
    proof = carry_out(plan, rollout_steps=5)
    assert proof.holds
    assert [each.name for each in proof.cells] == ["model.cell", "model.other"]
    assert proof.carried == ("model.cell.ln.weight", "model.odd.weight_hh")
    assert proof.unchosen == ("model.gone.weight", "model.gone.bias")
    assert {name.partition(".")[0] for name in proof.left} == {"adam"}
    assert [note.name for note in proof.notes] == ["model.other", "model.odd", "model.cell"]
    report = json.loads(proof.report.read_text())
    assert [note["name"] for note in report["notes"]] == [note.name for note in proof.notes]
    assert report["tensors"]["left"] == list(proof.left)


def test_an_index_is_ported_as_one_model_and_all_its_files_are_vouched_for(tmp_path: Path) -> None:
    import hashlib

    state = {name: tensor.numpy() for name, tensor in torch.nn.LSTMCell(5, 4).state_dict().items()}
    files = ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"]
    places: dict[str, str] = {}
    for file, word in zip(files, ("weight", "bias"), strict=True):
        part = {name: array for name, array in state.items() if name.startswith(word)}
        save_checkpoint(tmp_path / file, part, dialect="torch")
        places |= dict.fromkeys(part, file)
    index = tmp_path / "m.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    proof = carry_out(plan_port(index, "mindspore", tmp_path, sides=["arrays"]), rollout_steps=5)
    assert proof.holds
    assert [cell.bias for cell in proof.cells] == [True]
    assert proof.target.path == tmp_path / "m.ckpt"
    whole = b"".join((tmp_path / file).read_bytes() for file in (index.name, *files))
    assert proof.source.sha256 == hashlib.sha256(whole).hexdigest()
    assert proof.source.size == len(whole)


def test_the_report_of_a_cell_that_is_not_finite_is_still_json(tmp_path: Path) -> None:
    state = torch.nn.LSTMCell(5, 4).state_dict()
    state["bias_ih"][0] = torch.nan
    torch.save(state, tmp_path / "nan.pt")
    proof = _port(tmp_path / "nan.pt", tmp_path)

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    report = json.loads(proof.report.read_text(), parse_constant=refuse)
    assert report["holds"] is False
    assert report["cells"][0]["quantities"] == []
    assert report["cells"][0]["not_finite"].endswith(
        "`bias_ih` holds 1 of 16 numbers that are not finite, the first at [0]: nan."
    )


def test_a_cell_that_is_not_finite_is_named_and_the_others_are_proved(tmp_path: Path) -> None:
    deep = torch.nn.LSTM(5, 4, num_layers=3).state_dict()
    deep["weight_hh_l1"][2, 3] = -torch.inf
    torch.save(deep, tmp_path / "deep.pt")
    proof = _port(tmp_path / "deep.pt", tmp_path / "out")
    assert [cell.holds for cell in proof.cells] == [True, False, True]
    assert "`weight_hh` holds 1 of 64" in proof.cells[1].not_finite
    assert "[2, 3]: -inf" in proof.cells[1].not_finite
    assert (proof.holds, proof.not_finite) == (False, True)
    assert (proof.proved, proof.tensors) == (8, 12)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["deep.proof.json"]


@pytest.mark.parametrize(("runs_on", "holds"), [("onecell", True), ("native", False)])
def test_what_the_result_runs_on_has_to_compute_in_its_type(
    runs_on: Any, holds: bool, tmp_path: Path
) -> None:
    torch.save(torch.nn.LSTMCell(5, 4, dtype=torch.float64).state_dict(), tmp_path / "cell.pt")
    proof = port_checkpoint(tmp_path / "cell.pt", "mindspore", tmp_path / "out", runs_on=runs_on)
    assert proof.holds is holds
    assert proof.left_out["mindspore"] == "does not compute in float64"
    assert (tmp_path / "out" / "cell.ckpt").is_file() is holds
    if not holds:
        (line,) = proof.unable
        assert line.startswith("mindspore does not compute in float64")
        assert "--target onecell" in line


def test_weights_that_may_be_of_a_conv_are_named(tmp_path: Path) -> None:
    layers = {
        "cell": torch.nn.LSTMCell(5, 4),
        "conv": torch.nn.Conv1d(4, 6, 3),
        "plane": torch.nn.Conv2d(4, 6, (1, 3)),
        "head": torch.nn.Linear(4, 2),
    }
    torch.save(torch.nn.ModuleDict(layers).state_dict(), tmp_path / "m.pt")
    there = _port(tmp_path / "m.pt", tmp_path)
    assert there.perhaps == ("conv.weight",)
    back = port_checkpoint(there.target.path, "torch", tmp_path / "back", sides=["arrays"])
    assert back.perhaps == ("plane.weight",)


def test_the_report_says_which_bytes_were_proved(model: Path, tmp_path: Path) -> None:
    import hashlib

    proof = _port(model, tmp_path)
    assert proof.target.sha256 == hashlib.sha256(proof.target.path.read_bytes()).hexdigest()
    assert proof.source.sha256 == hashlib.sha256(model.read_bytes()).hexdigest()


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "mindspore"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
from onecell.verify import port_checkpoint
proof = port_checkpoint(sys.argv[1], "mindspore", sys.argv[2])
assert proof.holds
assert set(proof.left_out) == {"torch", "mindspore", "onecell.mindspore"}, proof.left_out
assert {r.side for q in proof.cells[0].quantities for r in q.readings} == {"arrays"}
"""


def test_no_framework_is_needed(model: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", BLOCKED, str(model), str(tmp_path)], check=True)


def test_importing_verify_loads_no_framework_and_no_tool() -> None:
    code = (
        "import sys, onecell.verify\n"
        "assert not {'torch', 'mindspore', 'rich', 'typer'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
