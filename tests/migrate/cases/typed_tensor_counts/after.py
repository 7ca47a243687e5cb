import mindspore
from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self, wide: int, deep=4):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.wide = wide
        self.deep = deep
        self.made = ops.full_like(ops.zeros(wide, dtype=mindspore.float32), 1)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        rows, columns = h.shape
        half = columns // 2
        found = [ops.full_like(ops.zeros(n, dtype=mindspore.float32), n) for n in range(1, 3)]
        for n in range(2, 4):
            found.append(ops.zeros_like(ops.zeros(n, dtype=mindspore.int64)))
        zeros = ops.full_like(ops.zeros(x.shape[0], dtype=mindspore.int64), 2), ops.zeros_like(ops.zeros(len(h) - 1, dtype=mindspore.int64))
        more = ops.zeros_like(ops.zeros(half, dtype=mindspore.float32)), ops.full_like(ops.zeros(rows * self.deep, dtype=mindspore.float32), 3)
        shape = ops.zeros(x.shape[1], dtype=mindspore.float32)  # of whatever numbers
        like = ops.full_like(ops.zeros(h.shape, dtype=mindspore.float32), 1e-10) + h
        return like, found, zeros, more, self.made, shape.numel() * c


def build():
    return Model(5)


def run(model, x, h, c):
    return model(x, h, c)
