from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.soft = nn.Softmax(axis=1)
        self.logs = nn.LogSoftmax(axis=1)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return ops.exp(ops.log_softmax(h, axis=1)) + ops.log_softmax(h, axis=1), self.soft(c) + self.logs(c)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
