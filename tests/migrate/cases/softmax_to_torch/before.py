from mindspore import nn, ops


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return ops.softmax(h, axis=1), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
