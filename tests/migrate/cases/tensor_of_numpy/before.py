import numpy as np
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        scale = torch.tensor([np.float64(1.5), 2.0])
        return h, c * scale[0]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
