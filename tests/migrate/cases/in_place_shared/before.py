from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)

    def forward(self, x, h, c):
        first = h
        h *= 2
        h, c = self.cell(x, (first, c))
        c += h
        turned = h.t()
        turned[0] = 1
        h.add_(c)
        return h, c


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
