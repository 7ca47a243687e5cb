"""`onecell convert`: the file conversion alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from onecell.checkpoint import load_checkpoint

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
