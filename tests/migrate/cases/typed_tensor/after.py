import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        weights = mindspore.tensor([1.5, 2], dtype=mindspore.float32)
        kept = mindspore.tensor([0, 2], dtype=mindspore.int64)
        empty = ops.zeros((2, 3), dtype=mindspore.float32)
        return h[kept] * weights[0], c, empty.shape[1]


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
