"""A process whose first operator would raise SystemError on NumPy 2 is past it after the import."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import mindspore
from onecell.mindspore import LSTMCell
mindspore.set_device("CPU")  # still free to choose: the import has taken no device
cell = LSTMCell(3, 4)
assert mindspore.ops.zeros((2, cell.hidden_size)).shape == (2, 4)
print(cell(mindspore.ops.ones((2, 3)), None)[0].shape)
"""


def test_the_import_gets_over_the_first_operator() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(2, 4)\n"
    assert "compiled using NumPy 1" not in done.stderr
