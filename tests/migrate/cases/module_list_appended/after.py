from mindspore import nn, ops
from onecell.mindspore import LSTMCell


class Stacked(nn.Cell):
    def __init__(self):
        super().__init__()
        self.layers = nn.CellList()
        size = 10
        for _ in range(2):
            self.layers += [LSTMCell(size, 16)]
            size = 16
        self.heads = nn.CellList()
        self.heads += [nn.Dense(16, 5)]
        rest = nn.CellList()
        rest.append(nn.Dense(16, 7))
        self.rest = rest

    def construct(self, x, h, c):
        for layer in self.layers:
            x, _ = layer(x, (h, c))
        return [head(x) for head in self.heads], ops.t(self.rest[0](x))


def build():
    return Stacked()


def run(model, x, h, c):
    return model(x, h, c)
