"""Read the test images in MindSpore: with MindSpore's own cell or with onecell's."""

from __future__ import annotations

import argparse
from pathlib import Path

import mindspore as ms
import numpy as np
from digits import CLASSES, HIDDEN, PIXELS, load, report

from onecell.mindspore import LSTMCell

CELLS = {"mindspore.nn": ms.nn.LSTMCell, "onecell.mindspore": LSTMCell}


class Reader(ms.nn.Cell):
    """Read an image row by row and name the digit: the torch module, in MindSpore's words."""

    def __init__(self, cell_class: type[ms.nn.Cell]) -> None:
        super().__init__()
        self.cell = cell_class(PIXELS, HIDDEN)
        self.head = ms.nn.Dense(HIDDEN, CLASSES)

    def construct(self, images: ms.Tensor) -> ms.Tensor:
        """Return the scores (batch, 10) of images (rows, batch, pixels)."""
        zeros = ms.Tensor(np.zeros((images.shape[1], HIDDEN), np.float32))
        state = (zeros, zeros)
        for row in images:
            state = self.cell(row, state)
        return self.head(state[0])


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkpoint", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--cell", choices=CELLS, default="onecell.mindspore")
    options = arguments.parse_args()
    reader = Reader(CELLS[options.cell])
    parameters = ms.load_checkpoint(str(options.checkpoint))
    missing, unused = ms.load_param_into_net(reader, parameters, strict_load=True)
    assert not missing, f"not in the checkpoint: {missing}"
    assert not unused, f"not in the network: {unused}"
    images = ms.Tensor(load()[1].images)
    report(options.cell, lambda: np.argmax(reader(images).asnumpy(), axis=1), options.out)
