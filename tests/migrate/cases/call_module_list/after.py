from mindspore import nn
from onecell.mindspore import LSTMCell


class Model(nn.Cell):
    def __init__(self):
        super().__init__()
        self.layers = nn.CellList([LSTMCell(10, 16), LSTMCell(16, 16)])

    def construct(self, x, h, c):
        for i, cell in enumerate(self.layers):
            h, c = cell(x=x, hx=(h, c))
            x = h
        h, c = self.layers[1](x=x, hx=(h, c))
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
