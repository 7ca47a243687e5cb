"""The command in this process, and checkpoints for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from onecell.cli import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call of the command said."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `onecell` with the words given."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*words: str | Path) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exited:
            main([str(word) for word in words])
        code = exited.value.code
        assert code is None or isinstance(code, int)
        said = capsys.readouterr()
        return Ran(code or 0, said.out, said.err)

    return call


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A torch checkpoint with one cell and a head."""
    torch.manual_seed(0)
    whole = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(5, 4), "head": torch.nn.Linear(4, 2)})
    path = tmp_path / "model.pt"
    torch.save(whole.state_dict(), path)
    return path


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A torch checkpoint with four cells."""
    path = tmp_path / "deep.pt"
    torch.save(torch.nn.LSTM(5, 4, num_layers=2, bidirectional=True).state_dict(), path)
    return path
