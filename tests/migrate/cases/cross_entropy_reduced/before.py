import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.near = nn.MSELoss(size_average=False)

    def forward(self, x, h, c, labels):
        h, c = self.cell(x, (h, c))
        each = F.cross_entropy(h, labels, ignore_index=3, reduce=False)
        whole = F.cross_entropy(h, labels, size_average=None, reduce=True)
        return each, whole, self.near(h, c)


def build():
    return Model()


def run(model, x, h, c, labels):
    return model(x, h, c, labels)
