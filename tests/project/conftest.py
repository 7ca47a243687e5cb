"""A project in torch, small and whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

MODEL = """\
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 5)
        self.cell = nn.LSTMCell(5, 4)
        self.norm = nn.LayerNorm(4)

    def forward(self, words, h, c):
        h, c = self.cell(self.table(words), (h, c))
        return self.norm(h), c
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a model, its weights, and things beside them."""
    folder = tmp_path / "project"
    (folder / "weights").mkdir(parents=True)
    (folder / "model.py").write_text(MODEL)
    (folder / "words.txt").write_text("one two\n")
    (folder / ".gitignore").write_text("*.pt\nbuild/\n")
    (folder / "build").mkdir()
    (folder / "build" / "left.txt").write_text("made")
    torch.manual_seed(0)
    space: dict[str, type[torch.nn.Module]] = {}
    exec(MODEL, space)
    torch.save(space["Model"]().state_dict(), folder / "weights" / "best.pt")
    return folder
