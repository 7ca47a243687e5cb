import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def evaluate(thing, x, h, c):
    thing.eval()
    out = thing(x, h, c)
    thing.train()
    assert list(x.size()) == [3, 10]
    return out


def run(model, x, h, c):
    return evaluate(model, x, h, c)
