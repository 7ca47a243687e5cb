"""The model: an LSTM cell that reads an image row by row, and a head that names the digit."""

from __future__ import annotations

import torch
from digits import CLASSES, HIDDEN, PIXELS
from torch import nn


class Reader(nn.Module):
    """Read an image row by row and name the digit."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(PIXELS, HIDDEN)
        self.head = nn.Linear(HIDDEN, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores (batch, 10) of images (rows, batch, pixels)."""
        state = None
        for row in images:
            state = self.cell(row, state)
        assert state is not None
        scores: torch.Tensor = self.head(state[0])
        return scores
