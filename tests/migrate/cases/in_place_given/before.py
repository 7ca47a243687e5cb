import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.gate = nn.Linear(16, 1)

    def fill(self, usage, gate):
        seen = []
        for _ in range(2):
            seen.append(usage.size(1) * usage.sum())
            usage += (1 - gate).expand_as(usage)
            usage *= 0.5
        return seen

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        usage = h.clone()
        seen = self.fill(usage, self.gate(c))
        return usage, seen, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
