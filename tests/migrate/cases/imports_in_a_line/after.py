import os
import mindspore.nn as nn; from mindspore import ops  # both
from mindspore.experimental import optim; limit = 2
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        return self.cell(ops.tanh(x), (h, limit * ops.gelu(c)))


SEPARATOR = os.sep


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
