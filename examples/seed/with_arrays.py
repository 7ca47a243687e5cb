"""The page's two examples over NumPy arrays: no framework at all."""

from __future__ import annotations

import numpy as np

from onecell import LSTMCell


def run(cell: LSTMCell) -> list[np.ndarray]:
    """Return h after each of five steps over three rows of ones."""
    x = np.ones((5, 3, 10), np.float32)
    h = np.ones((3, 16), np.float32)
    c = np.ones((3, 16), np.float32)
    output = []
    for row in x:
        h, c = cell(row, (h, c))
        output.append(h)
    return output


if __name__ == "__main__":
    print(run(LSTMCell(10, 16))[0].shape)  # (3, 16)
    print(run(LSTMCell(10, 16, bias=False))[0].shape)  # (3, 16)
