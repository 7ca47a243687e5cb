"""A character language model: an embedding, two stacked LSTM cells, and a linear head."""

from __future__ import annotations

import torch
from torch import nn


class CharLM(nn.Module):
    """Predict the next character from all that came before it."""

    def __init__(
        self, vocabulary: int, embedding: int = 24, hidden: int = 96, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.layers = nn.ModuleList(
            [
                nn.LSTMCell(embedding, hidden),
                nn.LSTMCell(hidden, hidden),
            ]
        )
        self.dropout = nn.Dropout(p=dropout)
        self.head = nn.Linear(hidden, vocabulary)

    def start(self, batch: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return the state of each cell before the first character."""
        return [
            (torch.zeros(batch, self.hidden), torch.zeros(batch, self.hidden)) for _ in self.layers
        ]

    def step(
        self, characters: torch.Tensor, states: list[tuple[torch.Tensor, torch.Tensor]]
    ) -> tuple[torch.Tensor, list[tuple[torch.Tensor, torch.Tensor]]]:
        """Read one character of each text (batch,); return the scores of the next and the states.

        The scores are (batch, vocabulary).
        """
        x = self.embedding(characters)
        after = []
        for cell, state in zip(self.layers, states):
            h, c = cell(x, state)
            after.append((h, c))
            x = self.dropout(h)
        return self.head(x), after

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        """Return the scores (time, batch, vocabulary) of what follows each character of `texts`.

        `texts` holds numbers of characters, (time, batch).
        """
        states = self.start(texts.shape[1])
        scores = []
        for characters in texts:
            score, states = self.step(characters, states)
            scores.append(score)
        return torch.stack(scores, dim=0)
