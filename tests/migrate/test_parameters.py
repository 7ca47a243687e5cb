"""Parameters of layers that are called otherwise, where the layer is not made."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.sources import write
from onecell.migrate import migrate_paths

ENCODER = """
import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, n, d):
        super().__init__()
        self.embed = nn.Embedding(n, d)
        self.norm = nn.BatchNorm1d(d)
        self.out = nn.Linear(d, n)
        self.either = nn.Linear(d, n) if n else nn.LayerNorm(d)
        self.both = nn.LayerNorm(d)
        self.cell = nn.LSTMCell(d, d)


class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.both = nn.Linear(3, 4)
"""
USER = """
import torch
from torch import nn
from encoder import Encoder


def use(encoder, m, args, layers, cell: nn.LSTMCell):
    model = Encoder(7, 5)
{}
"""

LINES = {
    "model.embed.weight.data.zero_()": "model.embed.embedding_table.set_data",
    "m.weight = encoder.embed.weight": "encoder.embed.embedding_table",
    "print(model.norm.running_mean, model.norm.bias)": "(model.norm.moving_mean, model.norm.beta)",
    "print(model.out.weight, model.cell.weight_ih)": "(model.out.weight, model.cell.weight_ih)",
    "print(args.weight, cell.weight_ih)": "print(args.weight, cell.weight_ih)",
    "if isinstance(m, nn.LayerNorm):\\n        m.bias.data.zero_()": "m.beta.set_data",
    "if isinstance(m, nn.LayerNorm) and m.bias is not None:\\n        pass": "m.beta is not None",
    "if isinstance(m, nn.Linear):\\n        m.bias.data.zero_()": "m.bias.set_data",
    "if type(m) is nn.LayerNorm:\\n        m.bias.data.zero_()": "m.beta.set_data",
    "if type(m).__name__ == 'LayerNorm':\\n        m.bias.data.zero_()": "m.beta.set_data",
}
MARKED = {
    "encoder.both.weight.data.zero_()": "`gamma` or `weight`",
    "m.weight.data.zero_()": "`embedding_table` or `gamma`",
    "m.weight = args.weight": "`embedding_table` or `gamma`",
    "if isinstance(m, (nn.LayerNorm, nn.Linear)):\\n        m.bias.zero_()": "`beta` or `bias`",
    "if isinstance(m, nn.LayerNorm):\\n        1\\n    else:\\n        m.bias.zero_()": "`beta`",
}


def _migrated(folder: Path, line: str, encoder: str = ENCODER) -> str:
    write(folder / "encoder.py", encoder)
    write(folder / "user.py", USER.format("    " + line.replace("\\n", "\n")))
    results = migrate_paths([folder], to="mindspore").results
    return next(each for each in results if each.path.name == "user.py").after.decode()


@pytest.mark.parametrize("line", LINES)
def test_what_the_project_shows_to_be_a_layer_has_its_name(line: str, tmp_path: Path) -> None:
    after = _migrated(tmp_path, line)
    assert LINES[line] in after
    if not line.startswith("m.weight"):
        assert "TODO(onecell): attribute" not in after


@pytest.mark.parametrize("line", MARKED)
def test_what_it_does_not_show_is_marked(line: str, tmp_path: Path) -> None:
    after = _migrated(tmp_path, line)
    assert "# TODO(onecell): attribute: " in after
    assert MARKED[line] in after


def test_where_no_layer_has_another_name_nothing_is_marked(tmp_path: Path) -> None:
    plain = "\n".join(line for line in ENCODER.split("\n") if "Norm" not in line)
    after = _migrated(tmp_path, "m.bias.data.zero_()", plain)
    assert "TODO" not in after


@pytest.mark.parametrize(
    ("use", "want"),
    [
        ("self.norms[0].weight.data.zero_()", "self.norms[0].gamma.set_data"),
        ("for n in self.norms:\n            n.bias.data.zero_()", "n.beta.set_data"),
        ("for n in self.lines:\n            n.bias.data.zero_()", "n.bias.set_data"),
        ("self.weight.data.zero_()", "self.weight.set_data"),
    ],
)
def test_parts_of_a_list_are_what_it_is_made_of(use: str, want: str, tmp_path: Path) -> None:
    source = f"""
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.norms = nn.ModuleList([nn.LayerNorm(4) for _ in range(3)])
        self.lines = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 3)])
        self.cell = nn.LSTMCell(4, 3)
        {use}
"""
    (result,) = migrate_paths([write(tmp_path / "model.py", source)], to="mindspore").results
    after = result.after.decode()
    assert want in after
    assert "TODO" not in after


def test_what_the_first_run_made_is_known_in_the_second(tmp_path: Path) -> None:
    kept = "self.kept = nn.LayerNorm(d, **n)"  # stays torch's
    write(tmp_path / "encoder.py", ENCODER.replace("self.cell =", f"{kept}\n        self.cell ="))
    made = "    d = nn.Linear(3, 4)\n    d.bias.data.zero_()\n    return Encoder(d, 5)\n"
    write(tmp_path / "user.py", USER[: USER.index("    model")] + made)
    for each in migrate_paths([tmp_path], to="mindspore").results:
        each.path.write_bytes(each.after)
    assert "nn.Dense(3, 4)" in (tmp_path / "user.py").read_text(encoding="utf-8")
    assert migrate_paths([tmp_path], to="mindspore").changed == ()
