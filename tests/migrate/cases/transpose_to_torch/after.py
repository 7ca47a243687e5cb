import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        y = torch.stack([h, c])
        return y.permute(1, 0, 2), y.permute((2, 0, 1)), y.transpose(0, 1)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
