from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(10, 16)
        self.act = nn.ReLU(inplace=True)
        self.other = nn.ReLU(True)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.act(h), self.other(c * 2)


def build():
    return Model()


def run(model, x, h, c):
    return model(x, h, c)
