"""Read the test images in torch: with torch's own cell or with onecell's."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from digits import load, report
from train_in_torch import Reader

from onecell.torch import LSTMCell

CELLS = {"torch.nn": torch.nn.LSTMCell, "onecell.torch": LSTMCell}

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkpoint", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--cell", choices=CELLS, default="onecell.torch")
    options = arguments.parse_args()
    reader = Reader(CELLS[options.cell])
    reader.load_state_dict(torch.load(options.checkpoint, weights_only=True))
    images = torch.from_numpy(load()[1].images)

    def read() -> np.ndarray:
        """Return the predicted labels."""
        with torch.no_grad():
            labels: np.ndarray = reader(images).argmax(1).numpy()
        return labels

    report(options.cell, read, options.out)
