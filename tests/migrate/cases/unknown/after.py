import mindspore
from torch import nn
from onecell.mindspore import LSTMCell


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        # TODO(onecell): unknown: `torch.nn.Conv3d` is not in the table; `mindspore.nn.Conv3d` comes near: compare what both give
        self.conv = nn.Conv3d(16, 16, 3)  # of the user's

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.conv(h)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
