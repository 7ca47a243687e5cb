"""What scores a batch of sequences: a frozen cell, without the machinery that brings batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import onecell

Array = npt.NDArray[Any]
Batch = dict[str, Array]


class Scorer:
    """What an actor holds: a cell that was loaded once, and lies in memory once a machine."""

    def __init__(self, path: str) -> None:
        onecell.set_num_threads(1)  # an actor has one CPU
        self.cell = onecell.FrozenCell.load(path)  # mapped, so that actors share it

    def __call__(self, batch: Batch) -> Batch:
        """Return the last h of each sequence of a batch.

        Raises:
            ValueError: a sequence is missing, or ends within an input.
        """
        sequences = [np.asarray(s, np.float32) for s in batch["sequence"]]
        others = {name: column for name, column in batch.items() if name != "sequence"}
        for row, sequence in enumerate(sequences):
            if sequence.ndim != 1 or sequence.size % self.cell.input_size:
                got = f"{sequence.size} numbers" if sequence.ndim else "none"
                beside = {name: column[row] for name, column in others.items()}
                raise ValueError(
                    f"`sequence` must have T times {self.cell.input_size} numbers, got {got} "
                    f"beside {beside}."
                )
        return others | {"h": last_states(self.cell, sequences)}


def last_states(cell: onecell.FrozenCell, sequences: list[Array]) -> Array:
    """Return h (N, H) after the last input of each of N flat sequences.

    The longest come first, so that a batch gets narrower as sequences end, and none is padded.
    """
    inputs = [sequence.reshape(-1, cell.input_size) for sequence in sequences]
    lengths = np.array([len(x) for x in inputs])
    order = np.argsort(-lengths, kind="stable")
    h = np.zeros((len(inputs), cell.hidden_size), np.float32)
    c = np.zeros_like(h)
    start = 0
    for end in np.unique(lengths[lengths > 0]):
        longer = int(np.count_nonzero(lengths >= end))  # these go on
        x = np.stack([inputs[row][start:end] for row in order[:longer]], axis=1)
        _, (h[:longer], c[:longer]) = cell.unroll(x, (h[:longer], c[:longer]))
        start = end
    last = np.empty_like(h)
    last[order] = h
    return last
