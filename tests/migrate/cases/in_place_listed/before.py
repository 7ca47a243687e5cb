import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, total):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.total = total
        self.count = 0

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        both, named = [h, c], {"h": h}
        both[0] += 1
        named["h"] += 1
        fresh = [torch.zeros(2) for _ in range(3)]
        fresh[0] += 1
        for each in fresh:
            each += 1
        for i, each in enumerate(both):
            each *= i
        self.total += h
        self.count += h
        for number in [1, 2]:
            number += 1
        return both, named
