import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c, labels):
        h, c = self.cell(x, (h, c))
        return F.cross_entropy(h, labels)


def build():
    return Model()


def run(model, x, h, c, labels):
    return model(x, h, c, labels)
