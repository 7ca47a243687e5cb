from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.other = nn.GRUCell(10, 16)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.other(x), c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
