import os; import torch
import torch.nn as nn; from torch.nn import functional as F  # both
import torch.optim as optim; limit = 2


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        return self.cell(torch.tanh(x), (h, limit * F.gelu(c)))


SEPARATOR = os.sep


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
