from mindspore import ops
from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h.masked_fill(h > 0, 0), ops.leaky_relu(c, alpha=0.01), ops.pad(h, (1, 2))


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
