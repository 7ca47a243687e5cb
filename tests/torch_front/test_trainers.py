"""Lightning and Accelerate train our cell in two processes as they train torch's own.

`trainers` is what they run. Accelerate's is started by torchrun: `accelerate launch --cpu` starts
one process (1.15), unless it is given a hostfile for MPI. Both are in the
extra `examples`, which `make test-all` installs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("trainers.py")
LAUNCH = {
    "lightning": [],  # it starts its processes itself
    "accelerate": ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"],
}


@pytest.mark.slow
@pytest.mark.parametrize("trainer", LAUNCH)
def test_training_ends_where_torchs_cell_ends(trainer: str, tmp_path: Path) -> None:
    command = [sys.executable, *LAUNCH[trainer], str(PROGRAM), str(tmp_path), trainer]
    inherited = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=500, env=inherited
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads((tmp_path / f"{trainer}.json").read_text())
    assert found["apart"] <= 1e-6
    assert found["moved"] > 0.01
    theirs, ours = found["threads"]
    assert ours == theirs
