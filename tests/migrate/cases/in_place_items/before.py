import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        out = torch.zeros(3, 16)
        out[0].copy_(h[0])
        out[1].fill_(2.0)
        out[:, :2].add_(c[:, :2])
        out[2, 3:5].data.mul_(2.0)
        row = out[1]
        row.copy_(c[1])
        return out, h


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
