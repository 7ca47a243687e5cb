"""Read the test images in plain NumPy, straight from the ported checkpoint: no framework at all."""

from __future__ import annotations

import argparse

import numpy as np
from digits import load, report

from onecell import LSTMCell, Weights
from onecell.checkpoint import load_checkpoint

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    options = arguments.parse_args()
    tensors = load_checkpoint(options.checkpoint).tensors
    cell = LSTMCell.from_weights(Weights.from_dialect(tensors, "mindspore", prefix="cell."))
    weight, bias = tensors["head.weight"], tensors["head.bias"]
    images = load()[1].images

    def read() -> np.ndarray:
        """Return the predicted labels."""
        _, (h, _) = cell.unroll(images)
        labels: np.ndarray = np.argmax(h @ weight.T + bias, axis=1)
        return labels

    report(read, options.out)
