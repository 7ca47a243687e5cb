"""Two processes of `torchrun` train our cell as they train torch's; `ranks` is what they run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributed.checkpoint.state_dict_loader import load

from onecell.checkpoint import load_checkpoint
from onecell.torch import LSTMCell
from torch_front import ranks

CELLS = {"torch": torch.nn.LSTMCell, "onecell": LSTMCell}
WAYS = [name for name in ranks.ways(None) if name != ranks.ALONE]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two ranks left behind; they are started once."""
    place = tmp_path_factory.mktemp("ranks")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    here = Path(ranks.__file__)
    command = [*launch, str(here), str(place)]
    inherited = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        env={**inherited, "PYTHONPATH": str(here.parents[1])},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return place


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return read


@pytest.mark.parametrize("run", ["by_loop", "by_unroll"])
@pytest.mark.parametrize("way", WAYS)
def test_training_ends_where_torchs_cell_ends(found: Any, way: str, run: str) -> None:
    outcome = found[way][run]
    assert "raised" not in outcome, outcome
    assert outcome["moved"] > 0.01
    assert outcome["apart"] <= 1e-6
    assert outcome["between"] == 0


def test_without_reduction_the_ranks_would_be_apart(found: Any) -> None:
    assert found[ranks.ALONE]["by_unroll"]["between"] > 1e-3


def test_a_rank_has_the_threads_that_torchrun_gave_it(found: Any) -> None:
    assert found["threads"] == {"torch": 1, "onecell": 1}


@pytest.mark.parametrize("saved", CELLS)
@pytest.mark.parametrize("read_by", CELLS)
def test_what_two_ranks_saved_loads_in_one_process(folder: Path, saved: str, read_by: str) -> None:
    model = ranks.Model(CELLS[read_by], None, torch.float32, all_used=True)
    state = {"model": model.state_dict()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of being one process
        load(state, checkpoint_id=folder / f"saved-{saved}", no_dist=True)
    want = torch.load(folder / f"whole-{saved}.pt", weights_only=True)
    assert state["model"].keys() == want.keys()
    assert all(torch.equal(state["model"][name], want[name]) for name in want)


@pytest.mark.parametrize("saved", CELLS)
def test_onecell_reads_what_two_ranks_saved(folder: Path, saved: str) -> None:
    assert len(list((folder / f"saved-{saved}").glob("*.distcp"))) == 2
    read = load_checkpoint(folder / f"saved-{saved}")
    want = torch.load(folder / f"whole-{saved}.pt", weights_only=True)
    assert read.tensors.keys() == {f"model.{name}" for name in want}
    for name, tensor in want.items():
        assert read.tensors[f"model.{name}"].tobytes() == tensor.numpy().tobytes()
