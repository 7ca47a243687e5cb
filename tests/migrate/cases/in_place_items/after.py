from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        out = ops.zeros((3, 16))
        out[0] = h[0]
        out[1] = ops.full_like(out[1], 2.0)
        out[:, :2] = out[:, :2] + c[:, :2]
        out[2, 3:5] = out[2, 3:5] * 2.0
        row = out[1]
        row[...] = c[1]
        return out, h


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
