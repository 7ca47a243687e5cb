from torch import nn
import torch.nn.functional as F


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return F.softmax(h, dim=1), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
