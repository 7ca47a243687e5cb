import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return torch.masked_fill(h, h > 0, 0), F.leaky_relu(c), F.pad(h, (1, 2))


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
