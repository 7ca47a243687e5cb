import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        weights = torch.FloatTensor([1.5, 2])
        kept = torch.LongTensor([0, 2])
        empty = torch.FloatTensor(2, 3)
        return h[kept] * weights[0], c, empty.shape[1]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
