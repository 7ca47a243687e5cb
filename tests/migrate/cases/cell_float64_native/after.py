import mindspore
import torch
from torch import nn


class Model(mindspore.nn.Cell):
    def __init__(self):
        super().__init__()
        # TODO(onecell): cell: MindSpore's own cell cannot run in float64; use `--target onecell`, or another `dtype`
        self.cell = nn.LSTMCell(10, 16, dtype=torch.float64)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
