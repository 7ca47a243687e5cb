import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        steps = torch.arange(0, 16, out=torch.LongTensor(16))
        zeros = torch.zeros(3, 16, out=torch.FloatTensor(3, 16))
        return h + zeros + steps, c * (steps < 3)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
