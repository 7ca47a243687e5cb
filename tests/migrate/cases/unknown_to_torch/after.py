import torch
from mindspore import nn
from onecell.torch import LSTMCell


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        # TODO(onecell): unknown: `mindspore.nn.Conv3d` is not in the table
        self.conv = nn.Conv3d(16, 16, 3)  # of the user's

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.conv(h)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
