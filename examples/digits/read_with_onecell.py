"""Read the test images in torch, with onecell's cell put around the parameters of torch's."""

from __future__ import annotations

import argparse

import numpy as np
import torch
from digits import load, report
from reader import Reader

from onecell.torch import LSTMCell

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    options = arguments.parse_args()
    model = Reader()
    model.load_state_dict(torch.load(options.checkpoint, weights_only=True))
    model.cell = LSTMCell.from_torch(model.cell)
    images = torch.from_numpy(load()[1].images)

    def read() -> np.ndarray:
        """Return the predicted labels."""
        with torch.no_grad():
            labels: np.ndarray = model(images).argmax(1).numpy()
        return labels

    report(read, options.out)
