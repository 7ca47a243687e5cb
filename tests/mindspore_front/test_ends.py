"""The interpreter may end while daemon threads compute on MindSpore's tensors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import threading, time
import numpy as np
from mindspore import Tensor
from onecell.mindspore import LSTMCell

cell = LSTMCell(64, 64)
x, xs = (Tensor(np.ones(shape, np.float32)) for shape in ((4, 64), (20, 4, 64)))
counts = [0, 0]

def run(index, call):
    while True:
        call()
        counts[index] += 1

for index, call in enumerate((lambda: cell(x, (x, x)), lambda: cell.unroll(xs, (x, x)))):
    threading.Thread(target=run, args=(index, call), daemon=True).start()
while min(counts) < 5:
    time.sleep(0.01)
"""


def test_the_interpreter_may_end_while_threads_compute(tmp_path: Path) -> None:
    script = tmp_path / "ends.py"
    script.write_text(PROGRAM)
    done = subprocess.run([sys.executable, script], capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
