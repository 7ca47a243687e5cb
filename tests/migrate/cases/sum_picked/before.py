import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.head = nn.Linear(16, 2)
        self.head.weight.data.copy_(torch.full_like(self.head.weight, 0.5))

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        chosen = h[c > 0]
        parts = h[c < 0].sum(0), torch.sum(h.masked_select(h < 0)), h[1:].sum()
        return self.head(h), chosen.mean(), (chosen**2).sum(), parts


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
