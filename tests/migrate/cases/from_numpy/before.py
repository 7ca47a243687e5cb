import numpy as np
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h + torch.from_numpy(np.ones((3, 16), np.float32)), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
