from torch import nn


class Model(nn.Module):
    def __init__(self, kind="tanh"):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.scale = nn.init.calculate_gain(kind)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return h * self.scale, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
