from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = LSTMCell(10, 16)
        self.act = nn.ReLU()
        self.other = nn.ReLU()

    def construct(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.act(h), self.other(c * 2)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
