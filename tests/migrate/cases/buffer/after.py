from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.register_buffer("scale", ops.ones(16))

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        before = h * self.scale
        self.register_buffer("scale", ops.zeros(16) + 0.5)
        return before, c * self.scale


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
