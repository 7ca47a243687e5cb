from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        value, index = ops.max(h, 1)
        least = ops.min(c, axis=0, keepdims=True)[0]
        return value, index, least, ops.amax(h), ops.maximum(h, c), ops.max(c, 1)[1]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
