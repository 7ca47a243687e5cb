import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.register_buffer("scale", torch.ones(16))

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        before = h * self.scale
        self.scale = torch.zeros(16) + 0.5
        return before, c * self.scale


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
