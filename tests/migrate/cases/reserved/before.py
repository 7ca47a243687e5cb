import torch
from torch import nn


class Sheet:
    def __init__(self):
        self.phase = 2


class Model(nn.Module):
    compiled = 3

    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(10, 16)])
        self.phase = nn.Parameter(torch.ones(16))
        self.get_scope = nn.Linear(16, 16)

    def trainable_params(self):
        return self.phase * self.compiled

    def forward(self, x, h, c):
        for cell in self.cells:
            h, c = cell(x, (h, c))
        return getattr(self, "get_scope")(h), c * self.trainable_params()


def build():
    return Model()


def run(model, x, h, c):
    h, c = model(x, h, c)
    return h, c, model.cells[0].weight_ih, Sheet().phase
