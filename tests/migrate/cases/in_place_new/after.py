import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        ids = mindspore.tensor([[1], [0], [15]])
        one = ops.zeros_like(ops.zeros((3, 16), dtype=mindspore.float32))
        one = one.scatter(1, ids, 1.0)
        mask = ops.zeros((3, 16)) > 0
        mask = mask.scatter(1, ids, 1.0)
        two = (ops.ones((3, 16)) - 0.5) * 2.0
        rows = x.shape[0]
        picked = ops.full_like(ops.zeros(rows, dtype=mindspore.int64), 1)
        half = ops.full_like(ops.zeros(rows, dtype=mindspore.float32), 0.5).unsqueeze(1)
        two = two + half * h[:, picked].sum(1, keepdim=True)
        return h * one + two, c.masked_fill(mask, 2.0)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
