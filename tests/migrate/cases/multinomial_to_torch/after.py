import torch
from torch import nn
import torch.nn.functional as F
from onecell.torch import LSTMCell


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h + 0 * torch.multinomial(F.softmax(c, dim=-1), 2, replacement=True).sum(), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
