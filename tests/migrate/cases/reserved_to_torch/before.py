from mindspore import nn


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.modules = nn.CellList([nn.LSTMCell(10, 16)])

    def construct(self, x, h, c):
        return self.modules[0](x, (h, c))


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
