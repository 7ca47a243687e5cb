"""The scoring example: what an actor computes, and the pipeline when an actor dies."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecell import LSTMCell

SCORE = Path(__file__).parents[2] / "examples" / "score"
CELL = LSTMCell(3, 18, rng=0).freeze("int8")


@pytest.fixture(scope="module", autouse=True)
def _path() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCORE)
        yield


def draw(lengths: list[int]) -> list[Any]:
    rng = np.random.default_rng(5)
    return [rng.standard_normal(3 * length).astype(np.float32) for length in lengths]


def alone(sequence: Any) -> bytes:
    """Return the last h of one sequence by itself."""
    return bytes(CELL.unroll(sequence.reshape(-1, 3))[1][0].tobytes())


@given(st.lists(st.integers(0, 7), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60)
def test_every_sequence_is_scored_as_if_alone(lengths: list[int]) -> None:
    sequences = draw(lengths)
    got = importlib.import_module("scorer").last_states(CELL, sequences)
    assert [h.tobytes() for h in got] == [alone(s) for s in sequences]


def test_an_actor_maps_its_cell_and_keeps_other_columns(tmp_path: Path) -> None:
    CELL.save(tmp_path / "cell.safetensors")
    scorer = importlib.import_module("scorer").Scorer(str(tmp_path / "cell.safetensors"))
    assert scorer.cell.mapped
    sequences = np.empty(2, object)
    sequences[:] = draw([4, 2])
    got = scorer({"id": np.array([7, 8]), "sequence": sequences})
    assert got.keys() == {"id", "h"}
    assert got["h"][1].tobytes() == alone(sequences[1])
    for spoilt, got in ((sequences[0][:-1], "11 numbers"), (None, "none")):
        sequences[0] = spoilt
        with pytest.raises(ValueError, match=rf"T times 3 numbers, got {got} beside .*'id'.*7"):
            scorer({"id": np.array([7, 8]), "sequence": sequences})


PROGRAM = """
import os, signal, sys
import ray
from score import score
from scorer import Scorer

folder = sys.argv[1]


class Dies(Scorer):
    def __call__(self, batch):
        try:
            os.close(os.open(folder + "/died", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return super().__call__(batch)
        os.kill(os.getpid(), signal.SIGKILL)


ray.init(num_cpus=3, include_dashboard=False, runtime_env={"working_dir": sys.argv[2]})
score(f"{folder}/in", f"{folder}/out", f"{folder}/cell.safetensors", actors=2, batch=7, kind=Dies)
"""


@pytest.mark.slow
def test_an_actor_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    from pyarrow import parquet, table

    CELL.save(tmp_path / "cell.safetensors")
    (tmp_path / "in").mkdir()
    sequences = draw([row % 5 for row in range(60)])
    for part in range(3):
        rows = slice(20 * part, 20 * part + 20)
        columns = table({"id": range(60)[rows], "sequence": sequences[rows]})
        parquet.write_table(columns, tmp_path / "in" / f"{part}.parquet")
    (tmp_path / "program.py").write_text(PROGRAM)
    words = [str(tmp_path / "program.py"), str(tmp_path), str(SCORE)]
    subprocess.run(
        [sys.executable, *words], check=True, timeout=300, env={"PYTHONPATH": str(SCORE)}
    )
    assert (tmp_path / "died").exists()
    found = parquet.read_table(tmp_path / "out").sort_by("id").to_pydict()
    assert found["id"] == list(range(60))
    assert [np.float32(h).tobytes() for h in found["h"]] == [alone(s) for s in sequences]


TRAINS = """
import os
from pathlib import Path
from train_charlm import fit, start

start()
for cell in ("onecell", "torch"):
    fit({"steps": 3, "cell": cell}, 2, os.getcwd(), Path(f"{cell}.pt"))
"""


@pytest.mark.slow
def test_ray_train_trains_the_character_model_as_with_torchs_cell(tmp_path: Path) -> None:
    """Two workers under DistributedDataParallel, three steps, dropout of the same draws."""
    import torch

    # Of a module that is not the program itself, Ray has to find the file on its workers.
    environment = {**os.environ, "PYTHONPATH": str(SCORE)}
    words = [sys.executable, "-c", TRAINS]
    subprocess.run(words, check=True, timeout=500, cwd=tmp_path, env=environment)
    want, got = (torch.load(tmp_path / f"{c}.pt", weights_only=True) for c in ("torch", "onecell"))
    assert got.keys() == want.keys()
    for name, expected in want.items():
        assert torch.allclose(got[name], expected, rtol=0, atol=2e-5), name
