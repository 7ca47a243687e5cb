import torch
from torch import nn

NAN = float("nan")
HALF = -0.5


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h + torch.full((3, 16), HALF), c.masked_fill(torch.full((3, 16), NAN) == 0, 2.0)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
