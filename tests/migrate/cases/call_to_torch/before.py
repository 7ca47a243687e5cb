from mindspore import nn


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def construct(self, x, h, c):
        h, c = self.cell(x=x, hx=(h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
