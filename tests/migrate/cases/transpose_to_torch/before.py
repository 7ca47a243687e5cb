from mindspore import nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        y = ops.stack([h, c])
        return y.transpose(1, 0, 2), y.transpose((2, 0, 1)), y.transpose(0, 1)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
